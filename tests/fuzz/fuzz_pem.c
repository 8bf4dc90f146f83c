/* SPDX-License-Identifier: Apache-2.0 */

/* A public key out of a configuration: PEM, or what administrators make of it. */

#include <stdint.h>
#include <stdlib.h>

#include <apr_general.h>

#include "jose/keyset.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (apr_initialize() != APR_SUCCESS) {
        abort();
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why;
    apr_pool_t *pool;
    jose_keyset *set;
    jose_status status;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        abort();
    }
    status = jose_pem_keyset(&set, (const char *)data, size, &why, pool);
    /* Either a set with one usable key, or none and a reason. */
    if ((status == JOSE_OK) == !set || (status == JOSE_OK) != !why) {
        abort();
    }
    if (set && (jose_keyset_count(set) != 1 || !jose_key_usable(jose_keyset_find(set, "any")))) {
        abort();
    }
    apr_pool_destroy(pool);
    return 0;
}
