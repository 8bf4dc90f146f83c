/* SPDX-License-Identifier: Apache-2.0 */
/* What the Backend API's answer to a question for a session says: only Clerk's own words end one. */
#include "jose_fixture.h"

#include "clerk/session/session_state.h"

#define SESSION(status) "{\"object\":\"session\",\"id\":\"sess_1\",\"user_id\":\"user_1\",\"status\":" status "}"
#define ERROR(code)                                                                                                    \
    "{\"errors\":[{\"message\":\"m\",\"long_message\":\"l\",\"code\":\"" code "\"}],\"clerk_trace_id\":\"t\"}"

static const struct {
    int http;
    const char *body;
    clerk_session_state state;
    const char *status; /* NULL: none is given */
} rows[] = {
    {200, SESSION("\"active\""), CLERK_SESSION_GOES_ON, "active"},
    {200, SESSION("\"pending\""), CLERK_SESSION_GOES_ON, "pending"},
    {200, SESSION("\"ended\""), CLERK_SESSION_IS_OVER, "ended"},
    {200, SESSION("\"removed\""), CLERK_SESSION_IS_OVER, "removed"},
    {200, SESSION("\"revoked\""), CLERK_SESSION_IS_OVER, "revoked"},
    {200, SESSION("\"expired\""), CLERK_SESSION_IS_OVER, "expired"},
    {200, SESSION("\"abandoned\""), CLERK_SESSION_IS_OVER, "abandoned"},
    {200, SESSION("\"replaced\""), CLERK_SESSION_IS_OVER, "replaced"},
    {200, SESSION("\"paused\""), CLERK_SESSION_IS_OVER, "paused"},
    {200, SESSION("\"Active\""), CLERK_SESSION_IS_OVER, "Active"},
    /* Not of Clerk, or not about this session. */
    {200, SESSION("\"\""), CLERK_SESSION_UNKNOWN, NULL},
    {200, SESSION("\"a\\nb\""), CLERK_SESSION_UNKNOWN, NULL},
    {200, SESSION("null"), CLERK_SESSION_UNKNOWN, NULL},
    {200, SESSION("true"), CLERK_SESSION_UNKNOWN, NULL},
    {200, "{\"object\":\"session\",\"id\":\"sess_2\",\"user_id\":\"user_1\",\"status\":\"ended\"}",
     CLERK_SESSION_UNKNOWN, NULL},
    {200, "{\"object\":\"session\",\"id\":\"sess_1\",\"user_id\":\"user_2\",\"status\":\"ended\"}",
     CLERK_SESSION_UNKNOWN, NULL},
    {200, "{\"object\":\"user\",\"id\":\"sess_1\",\"user_id\":\"user_1\",\"status\":\"ended\"}", CLERK_SESSION_UNKNOWN,
     NULL},
    {200, "{\"id\":\"sess_1\",\"user_id\":\"user_1\",\"status\":\"ended\"}", CLERK_SESSION_UNKNOWN, NULL},
    {200, "[" SESSION("\"ended\"") "]", CLERK_SESSION_UNKNOWN, NULL},
    {200, "<html>ended</html>", CLERK_SESSION_UNKNOWN, NULL},
    {200, "", CLERK_SESSION_UNKNOWN, NULL},
    {200, ERROR("resource_not_found"), CLERK_SESSION_UNKNOWN, NULL},
    {404, ERROR("resource_not_found"), CLERK_SESSION_IS_NONE, "resource_not_found"},
    {404, "{\"errors\":[{\"code\":\"other\"},{\"code\":\"resource_not_found\"}]}", CLERK_SESSION_IS_NONE,
     "resource_not_found"},
    {404, ERROR("route_not_found"), CLERK_SESSION_UNKNOWN, NULL},
    {404, "{\"errors\":\"resource_not_found\"}", CLERK_SESSION_UNKNOWN, NULL},
    {404, "<html>resource_not_found</html>", CLERK_SESSION_UNKNOWN, NULL},
    {404, "", CLERK_SESSION_UNKNOWN, NULL},
    {404, SESSION("\"ended\""), CLERK_SESSION_UNKNOWN, NULL},
    {401, ERROR("resource_not_found"), CLERK_SESSION_UNKNOWN, NULL},
    {403, SESSION("\"ended\""), CLERK_SESSION_UNKNOWN, NULL},
    {410, ERROR("resource_not_found"), CLERK_SESSION_UNKNOWN, NULL},
    {429, SESSION("\"ended\""), CLERK_SESSION_UNKNOWN, NULL},
    {500, SESSION("\"ended\""), CLERK_SESSION_UNKNOWN, NULL},
    {0, "", CLERK_SESSION_UNKNOWN, NULL},
};

static void only_what_clerk_says_ends_a_session(void **state)
{
    apr_pool_t *pool = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_backend_reply reply
            = {.status = rows[i].http, .body = rows[i].body, .body_len = strlen(rows[i].body)};
        const char *status = "unset";
        clerk_session_state found = clerk_session_state_read(&status, &reply, "sess_1", "user_1", pool);

        if (found != rows[i].state || !status != !rows[i].status || (status && strcmp(status, rows[i].status))) {
            fail_msg("%d %s: %d, %s", rows[i].http, rows[i].body, found, status ? status : "(none)");
        }
    }
}

static void its_path_is_clerks(void **state)
{
    assert_string_equal(clerk_session_state_path("sess_2abc", *state), "/v1/sessions/sess_2abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(only_what_clerk_says_ends_a_session),
        fixture_test(its_path_is_clerks),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
