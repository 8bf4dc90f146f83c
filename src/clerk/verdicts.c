/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/verdicts.h"

static int is_known(clerk_status status, clerk_reason reason)
{
    return (unsigned int)status < CLERK_STATUS_COUNT && (unsigned int)reason < CLERK_REASON_COUNT;
}

void clerk_verdicts_tick(_Atomic(apr_uint64_t) *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void count_credential(clerk_verdicts *verdicts, const clerk_outcome *outcome)
{
    unsigned int type = (unsigned int)outcome->credential;

    if (outcome->carrier == CLERK_CARRIER_NONE || type >= CLERK_TOKEN_TYPES) {
        return;
    }
    if (outcome->status == CLERK_SIGNED_IN) {
        clerk_verdicts_tick(&verdicts->accepted[type]);
    } else if (outcome->status == CLERK_SIGNED_OUT) {
        clerk_verdicts_tick(&verdicts->refused[type]);
    }
}

void clerk_verdicts_add(clerk_verdicts *verdicts, const clerk_outcome *outcome)
{
    count_credential(verdicts, outcome);
    if (is_known(outcome->status, outcome->reason)) {
        atomic_fetch_add_explicit(&verdicts->count[outcome->status][outcome->reason], 1, memory_order_relaxed);
    }
}

apr_uint64_t clerk_verdicts_get(const clerk_verdicts *verdicts, clerk_status status, clerk_reason reason)
{
    return is_known(status, reason) ? atomic_load_explicit(&verdicts->count[status][reason], memory_order_relaxed) : 0;
}

const char *clerk_verdicts_name(clerk_status status)
{
    static const char *const names[CLERK_STATUS_COUNT] = {[CLERK_SIGNED_IN] = "signed_in",
                                                          [CLERK_SIGNED_OUT] = "signed_out",
                                                          [CLERK_HANDSHAKE] = "handshake",
                                                          [CLERK_UNAVAILABLE] = "unavailable",
                                                          [CLERK_BAD_REQUEST] = "bad_request"};

    return (unsigned int)status < CLERK_STATUS_COUNT ? names[status] : "";
}
