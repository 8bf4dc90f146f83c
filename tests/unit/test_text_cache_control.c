/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "text/cache_control.h"

/* Fault B5. */
static void the_strictest_is_kept(void **state)
{
    static const char *const rows[][3] = {
        {"private, no-cache", "private, no-cache", "private, no-cache"},
        {"private, no-cache", "private", "private, no-cache"},
        {"private, no-cache", "public, max-age=600", "private, no-cache"},
        {"private, no-cache", "max-age=600, s-maxage=900, immutable, stale-while-revalidate=60", "private, no-cache"},
        {"private, no-cache", "no-store", "no-store"},
        {"private, no-cache", "no-store, no-cache, must-revalidate", "no-store"},
        {"private, no-cache", "must-revalidate, no-transform", "private, no-cache, must-revalidate, no-transform"},
        {"private, no-cache", "Must-Revalidate,must-revalidate", "private, no-cache, Must-Revalidate"},
        {"private, no-cache", "no-cache=\"Set-Cookie, X\", private=\"Y\"", "private, no-cache"},
        {"private, no-cache", "", "private, no-cache"},
        {"private, no-cache", " , ,", "private, no-cache"},
        {"private, no-cache", "x=\"a, no-store\"", "private, no-cache, x=\"a, no-store\""},
        {"private, no-cache", "x=\"a", "private, no-cache, x=\"a"},
        {"private, max-age=60", "public, max-age=600", "private, max-age=60"},
        {"private, max-age=60", "max-age=5", "private, max-age=5"},
        /* More than a long has, where it has 32 bits. */
        {"private, max-age=60", "max-age=9999999990", "private, max-age=60"},
        {"private, max-age=9999999990", "max-age=99999999999999999999", "private, max-age=9999999990"},
        {"private, max-age=60", "max-age=0", "private, max-age=0"},
        {"private, max-age=60", "max-age=x", "private, max-age=x"},
        {"private, max-age=60", "max-age", "private, max-age="},
        {"private, max-age=60", "max-age=99999999999999999999", "private, max-age=60"},
        {"private, max-age=60", "NO-CACHE", "private, no-cache"},
        {"private, max-age=60", "s-maxage=5, immutable", "private, max-age=60, immutable"},
        {"max-age=60", "public", "max-age=60, public"},
        {"private", "private=\"X\"", "private"},
        {"no-store", "private, no-cache", "no-store"},
        {"", "", ""},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *row = apr_pstrcat(f->pool, rows[i][0], " | ", rows[i][1], NULL);

        assert_case(row, clerk_cache_control_strictest(rows[i][0], rows[i][1], f->pool), rows[i][2]);
    }
}

static void values_are_told_from_other_texts(void **state)
{
    static const char *const good[] = {"private", "private, no-cache", "max-age=60", "private,max-age=0", "x=\"a b\""};
    static const char *const bad[]
        = {"", " ", ",", "private no-cache", "max-age=", "=60", "priv\tate x", "a\r\nb", "On;"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_case(good[i], clerk_cache_control_is_valid(good[i]) ? "yes" : "no", "yes");
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_case(bad[i], clerk_cache_control_is_valid(bad[i]) ? "yes" : "no", "no");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(the_strictest_is_kept),
        fixture_test(values_are_told_from_other_texts),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
