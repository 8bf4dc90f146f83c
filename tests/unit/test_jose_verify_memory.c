/* SPDX-License-Identifier: Apache-2.0 */
/* Faults A6 and E: a lack of memory says nothing about a token, wherever in OpenSSL it occurs. */
#include "jose_fixture.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "jose/keyset.h"

/* Allocations of OpenSSL left until one fails; negative: none fails. */
static long left = -1;

static int fails(void)
{
    return left >= 0 && left-- == 0;
}

static void *failing_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : malloc(size);
}

static void *failing_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : realloc(memory, size);
}

static void plain_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* Verify a token again and again, with another allocation failing each time, until none does. */
static void verify_short_of_memory(const char *token, const char *jwk, jose_status expected, apr_pool_t *pool)
{
    jose_status status = JOSE_INTERNAL;
    int failures = 0;

    for (long at = 0; at < 10000; at++) {
        const jose_key *key = parse_jwk(jwk, pool);
        const jose_jws *jws = decode_token(token, pool);

        left = at;
        status = jose_verify(jws, key);
        if (left >= 0) {
            break;
        }
        /* Some failures do not matter, such as that of a cache. */
        assert_true(status == JOSE_INTERNAL || status == expected);
        failures += status == JOSE_INTERNAL;
    }
    left = -1;
    assert_int_equal(status, expected);
    assert_true(failures > 5);
}

static void a_lack_of_memory_is_no_bad_signature(void **state)
{
    static const char *const algorithms[] = {"RS256", "ES256"};
    apr_pool_t *pool = *state;

    for (size_t i = 0; i < COUNT(algorithms); i++) {
        EVP_PKEY *pkey = i ? make_ec("P-256", pool) : make_rsa(2048, pool);
        const char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", algorithms[i]);
        char *token = make_token(pkey, "SHA256", header, "{\"sub\":\"a\"}", pool);
        const char *jwk = make_jwk(pkey, "k", "", pool);
        char *last = strrchr(token, '.') + 10;

        verify_short_of_memory(token, jwk, JOSE_OK, pool);
        *last = *last == 'A' ? 'B' : 'A';
        verify_short_of_memory(token, jwk, JOSE_BAD_SIGNATURE, pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(a_lack_of_memory_is_no_bad_signature),
    };

    /* Before OpenSSL allocates anything. */
    if (!CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
