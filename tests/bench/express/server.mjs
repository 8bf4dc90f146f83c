// SPDX-License-Identifier: Apache-2.0
// One document behind @clerk/express, with the keys in the process: the work of the module, in the application.
// Environment: PORT, CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY, CLERK_JWT_KEY, AUTHORIZED_PARTY, DOCUMENT.
import { readFileSync } from 'node:fs';
import { clerkMiddleware, getAuth } from '@clerk/express';
import express from 'express';

const body = readFileSync(process.env.DOCUMENT);
const app = express();
app.disable('x-powered-by');
app.set('etag', false);

const protect = (request, response, next) => {
  if (getAuth(request).isAuthenticated) {
    next();
  } else {
    response.status(401).send('unauthenticated\n');
  }
};
app.use(
  clerkMiddleware({ jwtKey: process.env.CLERK_JWT_KEY, authorizedParties: [process.env.AUTHORIZED_PARTY] }),
);
app.get('/bench.txt', protect, (_request, response) => response.type('text/plain').send(body));
app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));
