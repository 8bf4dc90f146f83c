/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_DECISION_H
#define CLERK_DECISION_H

/* Tables of requests with the expected outcome. */

#include "clerk_fixture.h"

/* One row of a decision table. Members that are NULL are as in a page navigation without cookies. */
typedef struct row {
    const char *name;
    const char *cookie;
    const char *expected; /* verdict() */
    const char *location; /* NULL: none; ends in "...": begins like that */
    const char *target;
    const char *authorization;
    const char *method;
    const char *sec_fetch_dest; /* "": absent */
    const char *accept;
    const char *referer;
} row;

#define HANDSHAKE "https://clerk.example.com/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F..."
#define DEV_HANDSHAKE                                                                                                  \
    "https://happy-hippo-1.clerk.accounts.dev/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F..."
#define NO_REFRESH "session-token-expired-refresh-non-eligible-no-refresh-cookie"
#define REASON_NO_UAT "session-token-but-no-client-uat"
#define REASON_NO_SESSION "client-uat-but-no-session-token"
#define NON_GET "session-token-expired-refresh-non-eligible-non-get"

/* Authenticate the request of a row. */
clerk_outcome *decide_row(fixture *f, const clerk_instance *instance, const row *r);

/* Authenticate the requests of all rows, and compare the outcomes. */
void run(fixture *f, const clerk_instance *instance, const row *rows, size_t count);

#endif
