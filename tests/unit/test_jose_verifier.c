/* SPDX-License-Identifier: Apache-2.0 */

/* Keys keep OpenSSL's contexts between verifications: no two threads may use one at the same time. */

#include "jose_fixture.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>

#include "jose/key_private.h"

#define PAYLOAD "{\"sub\":\"user_1\",\"exp\":1}"

/* A token with the signature of another key. */
static char *forge(const char *token, apr_pool_t *pool)
{
    char *forged = apr_pstrdup(pool, token), *at = forged + strlen(forged) - 40;

    *at = *at == 'A' ? 'B' : 'A';
    return forged;
}

/* Good and bad tokens of every algorithm, with the expected result of each. */
typedef struct mixture {
    const jose_keyset *set;
    struct {
        const char *token, *kid;
        jose_status expected;
    } cases[16];
    int count;
} mixture;

static void mix(mixture *tokens, const char *token, const char *kid, jose_status expected)
{
    assert_true(tokens->count < (int)COUNT(tokens->cases));
    tokens->cases[tokens->count].token = token;
    tokens->cases[tokens->count].kid = kid;
    tokens->cases[tokens->count++].expected = expected;
}

static mixture *make_mixture(apr_pool_t *pool)
{
    static const char *const digests[][2] = {{"RS256", "SHA256"}, {"RS384", "SHA384"}, {"RS512", "SHA512"}};
    EVP_PKEY *rsa = make_rsa(2048, pool), *other = make_rsa(2048, pool), *ec = make_ec("P-256", pool);
    char *es256 = make_token(ec, "SHA256", "{\"alg\":\"ES256\"}", PAYLOAD, pool);
    mixture *tokens = apr_pcalloc(pool, sizeof(*tokens));

    for (size_t i = 0; i < COUNT(digests); i++) {
        char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", digests[i][0]);
        char *token = make_token(rsa, digests[i][1], header, PAYLOAD, pool);

        mix(tokens, token, "rsa", JOSE_OK);
        mix(tokens, forge(token, pool), "rsa", JOSE_BAD_SIGNATURE);
        mix(tokens, token, "other", JOSE_BAD_SIGNATURE);
        mix(tokens, make_token(rsa, digests[(i + 1) % 3][1], header, PAYLOAD, pool), "rsa", JOSE_BAD_SIGNATURE);
    }
    mix(tokens, es256, "ec", JOSE_OK);
    mix(tokens, forge(es256, pool), "ec", JOSE_BAD_SIGNATURE);
    mix(tokens, es256, "rsa", JOSE_BAD_ALGORITHM);
    tokens->set
        = parse_jwks(make_jwks(apr_pstrcat(pool, make_jwk(rsa, "rsa", "", pool), ",",
                                           make_jwk(other, "other", "", pool), ",", make_jwk(ec, "ec", "", pool), NULL),
                               pool),
                     pool);
    return tokens;
}

/* Verify all tokens, beginning with the start-th. @return the number of wrong results. No assertions: runs in threads.
 */
static int wrong_verdicts(const mixture *tokens, int start)
{
    apr_pool_t *pool;
    jose_jws *jws;
    int i, wrong = 0;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    for (i = 0; i < tokens->count; i++) {
        int n = (start + i) % tokens->count;

        if (jose_jws_decode(&jws, slice(tokens->cases[n].token), pool) != JOSE_OK
            || jose_verify(jws, jose_keyset_find(tokens->set, tokens->cases[n].kid)) != tokens->cases[n].expected
            || ERR_peek_error() != 0) {
            wrong++;
        }
    }
    apr_pool_destroy(pool);
    return wrong;
}

/* More threads than kept contexts. */
#define THREADS (3 * JOSE_VERIFIERS)

typedef struct worker {
    pthread_t thread;
    const mixture *tokens;
    pthread_barrier_t *barrier;
    int start, wrong;
} worker;

static void *verify_repeatedly(void *data)
{
    worker *self = data;

    pthread_barrier_wait(self->barrier);
    for (int i = 0; i < 10; i++) {
        self->wrong += wrong_verdicts(self->tokens, self->start + i);
    }
    return NULL;
}

static void threads_share_a_set(void **state)
{
    mixture *tokens = make_mixture(*state);
    pthread_barrier_t barrier;
    worker workers[THREADS];

    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i].tokens = tokens;
        workers[i].barrier = &barrier;
        workers[i].start = i;
        workers[i].wrong = 0;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, verify_repeatedly, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    pthread_barrier_destroy(&barrier);
}

static void set_taken(const mixture *tokens, int taken)
{
    unsigned int i, j, k;

    for (i = 0; i < jose_keyset_count(tokens->set); i++) {
        for (j = 0; j < JOSE_FAMILY_ALGORITHMS; j++) {
            for (k = 0; k < JOSE_VERIFIERS; k++) {
                atomic_store(&jose_keyset_at(tokens->set, i)->verifiers[j][k].taken, taken);
            }
        }
    }
}

/* The number of contexts that the set keeps. */
static int kept(const mixture *tokens)
{
    unsigned int i, j, k;
    int n = 0;

    for (i = 0; i < jose_keyset_count(tokens->set); i++) {
        for (j = 0; j < JOSE_FAMILY_ALGORITHMS; j++) {
            for (k = 0; k < JOSE_VERIFIERS; k++) {
                const jose_verifier *verifier = &jose_keyset_at(tokens->set, i)->verifiers[j][k];

                assert_int_equal(verifier->pkey != NULL, verifier->digest != NULL);
                n += verifier->pkey != NULL;
            }
        }
    }
    return n;
}

static void does_without_kept_contexts(void **state)
{
    mixture *tokens = make_mixture(*state);

    set_taken(tokens, 1);
    assert_int_equal(wrong_verdicts(tokens, 0), 0);
    assert_int_equal(kept(tokens), 0);
    set_taken(tokens, 0);
    assert_int_equal(wrong_verdicts(tokens, 0), 0);
    /* one for each pair of key and algorithm */
    assert_int_equal(kept(tokens), 7);
    assert_int_equal(wrong_verdicts(tokens, 5), 0);
    assert_int_equal(kept(tokens), 7);
    /* contexts that are taken are not used by others */
    set_taken(tokens, 1);
    assert_int_equal(wrong_verdicts(tokens, 0), 0);
    assert_int_equal(kept(tokens), 7);
}

/* A child uses the contexts of its parent, except one that was taken when the process forked. */
static void survives_a_fork(void **state)
{
    mixture *tokens = make_mixture(*state);
    int taken, result;
    pid_t child;

    assert_int_equal(wrong_verdicts(tokens, 0), 0);
    for (taken = 0; taken < 2; taken++) {
        atomic_store(&jose_keyset_find(tokens->set, "rsa")->verifiers[0][0].taken, taken);
        child = fork();
        if (child == 0) {
            _exit(wrong_verdicts(tokens, 0) + wrong_verdicts(tokens, 3));
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_int_equal(result, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(threads_share_a_set),
        fixture_test(does_without_kept_contexts),
        fixture_test(survives_a_fork),
    };

    return cmocka_run_group_tests_name("jose_verifier", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
