/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "clerk/cookies/cookie_header.h"

static void takes_out_credentials_and_nothing_else(void **state)
{
    static const char *const rows[][2] = {
        {"a=1", "a=1"},
        {"", ""},
        {"a=1; b=2;c=3", "a=1; b=2;c=3"},
        {"__session=t", NULL},
        {"__session=t; a=1", "a=1"},
        {"a=1; __session=t", "a=1"},
        {"a=1; __session=t; b=2", "a=1; b=2"},
        {"a=1;__session=t;b=2", "a=1;b=2"},
        {"a=1;  __session = t ;b=2", "a=1;b=2"},
        {"__session_AbC-9=t; __session=u; a=1", "a=1"},
        {"__refresh_x=t; __clerk_db_jwt=t; __clerk_db_jwt_x=t; a=1", "a=1"},
        {"__clerk_handshake=t; __clerk_handshake_nonce=n; __clerk_handshake_x=t", NULL},
        {"__client_uat=1; __client_uat_x=1; __clerk_redirect_count=1",
         "__client_uat=1; __client_uat_x=1; __clerk_redirect_count=1"},
        {"__sessions=1; x__session=2; __SESSION=3; session=4", "__sessions=1; x__session=2; __SESSION=3; session=4"},
        {"__session", NULL},
        {"__session; a", "a"},
        {"a=1, __session=t", "a=1"},
        {"a=1, __session=t, b=2; c=3", "a=1, b=2; c=3"},
        {"__session=t, a=1", "a=1"},
        {"a=x,y; __session=t", "a=x,y"},
        {"a={\"k\":1,\"l\":2}; __session=t; b", "a={\"k\":1,\"l\":2}; b"},
        {"a=__session; b=1", "a=__session; b=1"},
        {";;__session=t;;", NULL},
        {"__session=t;\ta=1", "a=1"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = clerk_cookie_header_strip(rows[i][0], *state);

        if (!got != !rows[i][1] || (got && strcmp(got, rows[i][1]))) {
            fail_msg("'%s': '%s'", rows[i][0], got ? got : "(none)");
        }
    }
}

static void gives_the_header_itself_where_nothing_is_to_do(void **state)
{
    static const char header[] = "a=1; b=2";

    assert_ptr_equal(clerk_cookie_header_strip(header, *state), header);
}

/* httpd joins two Cookie fields with a comma. */
static void fields_are_joined_as_browsers_mean_them(void **state)
{
    static const char *const rows[][2] = {
        {NULL, NULL},
        {"a=1; b=2", "a=1; b=2"},
        {"a=1, b=2", "a=1; b=2"},
        {"__session=t, __client_uat=1, c=3; d", "__session=t; __client_uat=1; c=3; d"},
        {"a=x,y=z", "a=x,y=z"},
        {"a=x, y z=1", "a=x, y z=1"},
        {"a=x,  y=1", "a=x,  y=1"},
        {"a=x, y", "a=x, y"},
        {"a=x, =1", "a=x, =1"},
        {"a={\"k\":1, \"l\":2}", "a={\"k\":1, \"l\":2}"},
        {"a=1, ", "a=1, "},
        {"a=1,", "a=1,"},
        {"a=1, __session_Ab-9=t", "a=1; __session_Ab-9=t"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = clerk_cookie_header_join(rows[i][0], *state);

        if (!got != !rows[i][1] || (got && strcmp(got, rows[i][1]))) {
            fail_msg("'%s': '%s'", rows[i][0], got ? got : "(none)");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(takes_out_credentials_and_nothing_else),
        fixture_test(gives_the_header_itself_where_nothing_is_to_do),
        fixture_test(fields_are_joined_as_browsers_mean_them),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
