/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_FIXTURE_H
#define CLERK_FIXTURE_H

/*
 * For tests of clerk_authenticate() and its parts: keys made at run time, named tokens, fake services and a fixed
 * clock. In the tables of the tests, `<name>` stands for a token: see fixture_claims in clerk_fixture.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "clerk/authenticate.h"
#include "clerk/url/organization_sync.h"
#include "clerk/session/session_token.h"
#include "jose/base64url.h"
#include "jose/keyset.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW 1800000000
#define LIVE_KEY "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"
#define LIVE_SUFFIX "naoXFJnI"
#define LIVE_ISS "\"iss\":\"https://clerk.example.com\","
#define TEST_KEY "pk_test_aGFwcHktaGlwcG8tMS5jbGVyay5hY2NvdW50cy5kZXYk"
#define TEST_SUFFIX "MWTw9P_R"
#define TEST_ISS "\"iss\":\"https://happy-hippo-1.clerk.accounts.dev\","
#define TIMES(iat, exp) "\"iat\":" #iat ",\"exp\":" #exp "}"

/* Made once in each program, by clerk_fixture_group_setup(). */
typedef struct fixture_keys {
    apr_pool_t *pool;
    EVP_PKEY *good;
    EVP_PKEY *other;
    jose_keyset *set;
} fixture_keys;

extern fixture_keys keys;

typedef struct fixture {
    apr_pool_t *pool;
    clerk_request request;
    clerk_policy policy;
    clerk_services services;
    clerk_keys_status keys_status;
    /* The reply of the fake Backend API, the number of calls, and the last call. */
    clerk_backend_reply reply;
    int calls;
    const char *call_method;
    const char *call_path;
    const char *call_json;
    const char *call_client_ip;
    const char *call_user_id;
    const char *call_tokens; /* both, with a space between */
} fixture;

/* For cmocka_run_group_tests(). */
int clerk_fixture_group_setup(void **state);
int clerk_fixture_group_teardown(void **state);

/* A signed token. `header` has further members of the header, each followed by a comma. */
const char *clerk_fixture_mint(const char *header, const char *claims, EVP_PKEY *pkey, apr_pool_t *pool);

/* The token of a name in fixture_claims. */
const char *clerk_fixture_named(const char *name, apr_pool_t *pool);

/* Replace every `<name>` by its token. NULL gives NULL. */
const char *expand(const char *text, apr_pool_t *pool);

/* A handshake token. `directives` is a JSON array, in which `<name>` is replaced; `more` has further claims, each
 * followed by a comma. */
const char *clerk_fixture_handshake(const char *directives, const char *more, apr_pool_t *pool);

/* The fake Backend API, for clerk_services. */
void clerk_fixture_backend(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool);

/* Set the reply of the fake Backend API; `<name>` in the body is replaced. It is JSON, good or not, if it begins so. */
void clerk_fixture_answer(fixture *f, int status, const char *body);

/* Reset to a page navigation without cookies, and to the default policy and services. */
void clerk_fixture_reset(fixture *f);

/* A test whose state is a fixture. */
int clerk_fixture_setup(void **state);
int clerk_fixture_teardown(void **state);
#define fixture_test(function) cmocka_unit_test_setup_teardown(function, clerk_fixture_setup, clerk_fixture_teardown)

/* Instances; the options must be good. */
const clerk_instance *clerk_fixture_instance(fixture *f, const clerk_instance_options *options);

const clerk_instance *live_instance(fixture *f);

const clerk_instance *test_instance(fixture *f);

/* Authenticate the request of the fixture. */
clerk_outcome *decide(fixture *f, const clerk_instance *instance);

/* The outcome as one text: "signed-in", "handshake REASON" and so on. */
const char *verdict(const clerk_outcome *outcome, apr_pool_t *pool);

/* Compare two texts; the message of a failure has the name of the case. */
#define assert_case(name, actual, expected) clerk_fixture_assert_case(name, actual, expected, __FILE__, __LINE__)

void clerk_fixture_assert_case(const char *name, const char *actual, const char *expected, const char *file, int line);

/* A list of the texts that are not NULL. */
apr_array_header_t *list_of(apr_pool_t *pool, const char *a, const char *b);

/* All Set-Cookie values, joined with " | ". */
const char *cookies_of(const clerk_outcome *outcome, apr_pool_t *pool);

#endif
