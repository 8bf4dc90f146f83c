// SPDX-License-Identifier: Apache-2.0
//
// The real @clerk/backend judges requests. JSON lines on stdin, JSON lines on stdout, in any order, matched by `id`.
//
//   question  { id, url, method, headers: [[name, value], ...],
//               client: { publishableKey, secretKey, jwtKey, apiUrl, ... },   // createClerkClient()
//               options: { authorizedParties, isSatellite, domain, ... } }    // authenticateRequest()
//   answer    { id, status, reason, message, tokenType, headers: [[name, value], ...], auth: { userId, ... } }
//             or { id, error }, when it throws
//
// `{ id, hello: true }` gives { id, version }.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(
  process.env.CLERK_ORACLE_MODULES ? pathToFileURL(join(process.env.CLERK_ORACLE_MODULES, 'x')) : import.meta.url,
);
const { createClerkClient } = require('@clerk/backend');
const { version } = require('@clerk/backend/package.json');

// What the SDK prints (warnings about missing azp and the like) must not mix with the answers.
for (const name of ['log', 'info', 'warn', 'debug']) {
  console[name] = (...words) => console.error(...words);
}

const clients = new Map();

function clientFor(options) {
  const key = JSON.stringify(options);
  if (!clients.has(key)) {
    clients.set(key, createClerkClient({ telemetry: { disabled: true }, ...options }));
  }
  return clients.get(key);
}

async function judge(question) {
  if (question.hello) {
    return { version };
  }
  const request = new Request(question.url, { method: question.method ?? 'GET', headers: question.headers ?? [] });
  const state = await clientFor(question.client).authenticateRequest(request, question.options ?? {});
  const auth = state.toAuth?.() ?? null;
  return {
    status: state.status,
    reason: state.reason,
    message: state.message,
    tokenType: state.tokenType,
    headers: [...state.headers.entries()],
    auth: auth && {
      userId: auth.userId ?? null,
      sessionId: auth.sessionId ?? null,
      sessionStatus: auth.sessionStatus ?? null,
      orgId: auth.orgId ?? null,
      orgSlug: auth.orgSlug ?? null,
      orgRole: auth.orgRole ?? null,
      orgPermissions: auth.orgPermissions ?? null,
      actor: auth.actor ?? null,
      factorVerificationAge: auth.factorVerificationAge ?? null,
      // Machines:
      id: auth.id ?? null,
      subject: auth.subject ?? null,
      name: auth.name ?? null,
      scopes: auth.scopes ?? null,
      machineId: auth.machineId ?? null,
      clientId: auth.clientId ?? null,
    },
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  judge(question)
    .catch(error => ({ error: `${error?.name ?? 'Error'}: ${error?.message ?? error}` }))
    .then(answer => process.stdout.write(`${JSON.stringify({ id: question.id, ...answer })}\n`));
}
