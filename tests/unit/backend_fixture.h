/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BACKEND_FIXTURE_H
#define BACKEND_FIXTURE_H

/*
 * A Backend API in memory, shared with forked processes, that answers as told or keeps its callers waiting; calls of
 * all groups; and threads that make them. One fixture at a time: setup and teardown are those of each test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "clerk/instance/backend_api.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "sk_test_canary_51c2"
#define SECONDS(n) apr_time_from_sec(n)
/* Places for so many workers: 32 for calls of sessions, 24 of them for new ones, 4 for one user; 8 for those of
 * strangers, 4 for an address. 48 threads may wait for sessions, 32 of them until their time is over. */
#define WORKERS 128
#define SESSION_PLACES 32
#define NEW_SESSION_PLACES 24
#define WAITING_PLACES 48
#define PATIENT_PLACES 16 /* of these */
#define USER_PLACES 4
#define STRANGER_PLACES 8
#define ADDRESS_PLACES 4
#define GOOD "{\"cookies\":[\"__session=x\"]}"

/* A server that answers as told, or keeps callers waiting while `held`. Shared by all processes of a test, some of
 * which are killed: so no locks. */
typedef struct backend_server {
    atomic_int held;
    atomic_int inside;
    atomic_int most_inside;
    atomic_int calls;
    _Atomic(apr_status_t) rv;
    atomic_int status;
    atomic_int retry_after;
    char body[CLERK_SINGLE_FLIGHT_ANSWER_MAX + 1];
    char content_type[64];
    atomic_int logged[4]; /* AC1040, AC1041, AC2001, AC2002 */
} backend_server;

typedef struct backend_fixture {
    apr_pool_t *pool;
    backend_server *server;
    clerk_http http;
    clerk_http_request request; /* the first one; what it points to lives as long as the caller's pool */
    clerk_backend_state *state;
    clerk_backend_api api;
    atomic_int callers; /* made so far: each is another user's */
    void *memory;
    apr_size_t size;
} backend_fixture;

typedef struct backend_caller {
    pthread_t thread;
    backend_fixture *f;
    clerk_backend_call call;
    clerk_backend_reply reply;
    apr_pool_t *pool;
} backend_caller;

/* cmocka_unit_test_setup_teardown; *state is the backend_fixture. */
int backend_fixture_setup(void **state);
int backend_fixture_teardown(void **state);

/* A call that any client can cause; another nonce each time. */
clerk_backend_call nonce_from(const char *ip);
/* A call of a session. */
clerk_backend_call refresh_of(const char *user, const char *expired_token, const char *refresh_token);
/* A call of a profile. What is kept of the reply is its length: "USER BODY LENGTH". */
clerk_backend_call profile_of(const char *user);
/* A call of a machine token. 404 says that the token is bad, and so does a 2xx with a "no" in it. */
clerk_backend_call verification_of(const char *token, const char *ip);
/* A call of this group, of a user that no other call is of, and from an address that no other call is from. */
clerk_backend_call fresh_call(backend_fixture *f, clerk_backend_group group, apr_pool_t *pool);

/* Make the call. @return the reply, from the pool of the fixture */
clerk_backend_reply reply_to(backend_fixture *f, clerk_backend_call call);
/* Make a fresh call of this group. */
clerk_backend_reply reply_to_group(backend_fixture *f, clerk_backend_group group);
/* Make a fresh call of a known session. @return the status of the reply; 0: none */
int status_of_call(backend_fixture *f);
/* Make so many of these, which time out. */
void fail_times(backend_fixture *f, int times);

/* The circuit of known sessions. */
clerk_backend_circuit *circuit_of(backend_fixture *f);
/* Seconds that it stays open from now on, rounded up. */
int pause_of(backend_fixture *f);
void let_the_pause_pass(backend_fixture *f);

/* Make the call in a thread of its own. */
void start_call(backend_fixture *f, backend_caller *c, clerk_backend_call made);
/* Make so many fresh calls of this group, each in a thread of its own. */
void start_group(backend_fixture *f, backend_caller *callers, int count, clerk_backend_group group);
/* The same, of known sessions. */
void start_known(backend_fixture *f, backend_caller *callers, int count);
/* Wait until so many calls have reached the server. */
void wait_until_inside(backend_fixture *f, int count);
/* Whether the server keeps its callers waiting from now on, and how their calls end. */
void hold_server(backend_fixture *f, int held, apr_status_t rv);
/* Wait for the end of these calls. @return how many were answered */
int join_callers(backend_caller *callers, int count);

#endif
