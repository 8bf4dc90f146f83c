// SPDX-License-Identifier: Apache-2.0
//
// verifyWebhook() of the real @clerk/backend, and the package standardwebhooks, judge messages. JSON lines on stdin, JSON
// lines on stdout, in order.
//
//   question  { headers: { "svix-id": ..., ... }, body: base64, secret }
//   answer    { clerk: true or false, standard: true or false }

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(
  process.env.CLERK_ORACLE_MODULES ? pathToFileURL(join(process.env.CLERK_ORACLE_MODULES, 'x')) : import.meta.url,
);
const { verifyWebhook } = require('@clerk/backend/webhooks');
const { Webhook } = require('standardwebhooks');

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

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  question.body = Buffer.from(question.body, 'base64');
  process.stdout.write(`${JSON.stringify({ clerk: await clerk(question), standard: standard(question) })}\n`);
}
