// SPDX-License-Identifier: Apache-2.0
//
// verifyWebhook() of the real @clerk/backend, and the packages standardwebhooks and svix, judge messages. JSON lines on stdin,
// JSON lines on stdout, in order.
//
//   question  { headers: { "svix-id": ..., ... }, body: base64, secret }
//   answer    { clerk: true or false, standard: true or false, svix: true or false }
//
// svix declares that it wants Node.js 22, for its client of the API; what verifies messages runs with 20 as well.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(
  process.env.CLERK_ORACLE_MODULES ? pathToFileURL(join(process.env.CLERK_ORACLE_MODULES, 'x')) : import.meta.url,
);
const { verifyWebhook } = require('@clerk/backend/webhooks');
const { Webhook } = require('standardwebhooks');
const { Webhook: Svix } = await import(pathToFileURL(require.resolve('svix')));

for (const name of ['log', 'info', 'warn', 'debug', 'error']) {
  console[name] = () => {};
}

async function clerk({ headers, body, secret }) {
  try {
    const request = new Request('https://x.test/', { method: 'POST', headers, body });
    await verifyWebhook(request, { signingSecret: secret });
    return true;
  } catch {
    return false;
  }
}

function standard({ headers, body, secret }) {
  const renamed = Object.entries(headers).map(([name, value]) => [name.replace('svix-', 'webhook-'), value]);
  try {
    new Webhook(secret).verify(body, Object.fromEntries(renamed));
    return true;
  } catch {
    return false;
  }
}

function svix({ headers, body, secret }) {
  try {
    new Svix(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  question.body = Buffer.from(question.body, 'base64');
  const answer = { clerk: await clerk(question), standard: standard(question), svix: svix(question) };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
