/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYS_H
#define SHARED_KEYSTORE_KEYS_H

#include <apr_pools.h>
#include <apr_time.h>

#include "jose/keyset.h"
#include "net/http.h"

/** Where the keys of one instance come from. Configuration; must outlive the store. */
typedef struct clerk_key_source {
    const char *name;              /**< the instance, for logs and the status page */
    const char *url;               /**< the JWKS URL */
    const char *bearer;            /**< secret key for the Backend API, or NULL */
    const char *api_version;       /**< sent with the bearer, as Clerk-API-Version */
    const char *proxy;             /**< or NULL */
    const char *ca_file;           /**< or NULL */
    apr_interval_time_t ttl;       /**< refresh period; the background refresh starts at about 80 % of it */
    apr_interval_time_t max_stale; /**< how long keys serve after the last good fetch while the source is down */
    apr_interval_time_t timeout;   /**< one fetch */
    unsigned char id[32];          /**< digest of what identifies these keys: names the persisted file */
} clerk_key_source;

typedef struct clerk_keystore clerk_keystore;

/** A reference to a key set in use. Release it in the same thread; `set` must not be used afterwards. */
typedef struct clerk_keys_pin {
    const jose_keyset *set;
    apr_uint32_t generation;
    void *entry; /**< private to the store */
} clerk_keys_pin;

#endif
