/* SPDX-License-Identifier: Apache-2.0 */

/* A JWK set as a server sent it. Its canonical text must be as good a set as the document, and canonical itself. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static void compare(const jose_keyset *set, const char *text, apr_size_t len, apr_pool_t *pool)
{
    jose_keyset *again;
    char *text_again;
    apr_size_t len_again;
    unsigned int i;

    if (jose_keyset_parse(&again, text, len, pool) != JOSE_OK || jose_keyset_count(again) != jose_keyset_count(set)) {
        abort();
    }
    for (i = 0; i < jose_keyset_count(set); i++) {
        const jose_key *key = jose_keyset_at(set, i), *found = jose_keyset_find(again, jose_key_id(key));

        if (!found || jose_key_usable(found) != jose_key_usable(key)
            || jose_keyset_find(set, jose_key_id(key)) != key) {
            abort();
        }
        if (jose_key_usable(key) && strcmp(jose_key_description(key), jose_key_description(found))) {
            abort();
        }
    }
    if (jose_keyset_canonical(&text_again, &len_again, text, len, pool) != JOSE_OK || len_again != len
        || memcmp(text, text_again, len)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    apr_pool_t *pool;
    jose_keyset *set;
    char *text;
    apr_size_t len;
    jose_status status;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        abort();
    }
    status = jose_keyset_parse(&set, json, size, pool);
    if (jose_keyset_canonical(&text, &len, json, size, pool) != status) {
        abort();
    }
    if (status == JOSE_OK) {
        compare(set, text, len, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
