// SPDX-License-Identifier: Apache-2.0
//
// has() of the real @clerk/backend answers authorization questions. JSON lines on stdin, JSON lines on stdout, in order.
//
//   question  { claims: { ... }, params: { role, permission, feature, plan, reverification } }
//   answer    { granted: true or false }, or { granted: false, error } when the SDK throws
//
// A pending session is treated as signed out, as everywhere in the SDK.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(
  process.env.CLERK_ORACLE_MODULES ? pathToFileURL(join(process.env.CLERK_ORACLE_MODULES, 'x')) : import.meta.url,
);
const { signedInAuthObject } = require('@clerk/backend/internal');

for (const name of ['log', 'info', 'warn', 'debug']) {
  console[name] = (...words) => console.error(...words);
}

function judge({ claims, params }) {
  try {
    return { granted: signedInAuthObject({}, 'token', claims).has(params) === true };
  } catch (error) {
    return { granted: false, error: `${error?.name}: ${error?.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(judge(JSON.parse(line)))}\n`);
}
