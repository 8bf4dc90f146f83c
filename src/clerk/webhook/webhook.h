/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_WEBHOOK_WEBHOOK_H
#define CLERK_WEBHOOK_WEBHOOK_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "jose/jose.h"

/** How old or new a message may be, and how long one that was seen has to be remembered: twice that. */
#define CLERK_WEBHOOK_TOLERANCE apr_time_from_sec(300)

/** The key of an endpoint. */
typedef struct clerk_webhook_key {
    const unsigned char *bytes;
    apr_size_t len;
} clerk_webhook_key;

/** A message as it was received. A header that is missing is NULL. */
typedef struct clerk_webhook_message {
    const char *id;
    const char *timestamp;
    const char *signatures;
    jose_slice body;
    apr_time_t sent; /**< the timestamp, set by clerk_webhook_check_headers() */
} clerk_webhook_message;

/** An endpoint has two keys while its secret is being replaced. */
#define CLERK_WEBHOOK_KEYS_MAX 2

/**
 * The names of a valid message, for the memory of those that were seen: one of each key that signed it. While a secret
 * is being replaced a message has two signatures. Each of them alone makes it valid, so all have to be remembered.
 */
typedef struct clerk_webhook_names {
    int count;
    apr_uint64_t digests[CLERK_WEBHOOK_KEYS_MAX];
} clerk_webhook_names;

typedef enum clerk_webhook_verdict {
    CLERK_WEBHOOK_VALID,
    CLERK_WEBHOOK_HEADERS_MISSING,
    CLERK_WEBHOOK_ID_MALFORMED,
    CLERK_WEBHOOK_TIME_MALFORMED,
    CLERK_WEBHOOK_TOO_OLD,
    CLERK_WEBHOOK_TOO_NEW,
    CLERK_WEBHOOK_SIGNATURE_WRONG,
    CLERK_WEBHOOK_FAILED /**< OpenSSL cannot compute */
} clerk_webhook_verdict;

/**
 * Read a signing secret (protocol.md 14.1).
 * @param key its bytes live as long as @a pool, outside its memory, and are overwritten at the end
 * @param secret `whsec_...`, or the same without this prefix; not copied
 * @return NULL, or what is wrong with it
 */
const char *clerk_webhook_read_key(clerk_webhook_key *key, jose_slice secret, apr_pool_t *pool);

/** Trim the headers of a message and check them, before its body is read. @return CLERK_WEBHOOK_VALID: as far as they
 * go
 */
clerk_webhook_verdict clerk_webhook_check_headers(clerk_webhook_message *message, apr_time_t now, apr_pool_t *pool);

/**
 * Verify a message (protocol.md 14.1).
 * @param names set if it is valid
 * @param keys of clerk_webhook_key, CLERK_WEBHOOK_KEYS_MAX at most; one has to fit
 */
clerk_webhook_verdict clerk_webhook_verify(clerk_webhook_names *names, const clerk_webhook_message *message,
                                           const apr_array_header_t *keys, apr_time_t now, apr_pool_t *pool);

/**
 * Sign a message that is to be sent, such as a test.
 * @param message its `signatures` are not looked at
 * @return the value of svix-signature, from @a pool; NULL if OpenSSL cannot compute it
 */
const char *clerk_webhook_sign(const clerk_webhook_message *message, const clerk_webhook_key *key, apr_pool_t *pool);

/** What a verdict says, as a part of a sentence in the log. */
const char *clerk_webhook_text(clerk_webhook_verdict verdict);

#endif
