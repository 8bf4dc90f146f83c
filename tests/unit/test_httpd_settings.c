/* SPDX-License-Identifier: Apache-2.0 */
/* Tests all rows of settings.def, so that new settings are tested too. */
#include "jose_fixture.h"

#include <stdlib.h>
#include <strings.h>

#include "httpd/config/settings.h"

/* Test values: two that differ from each other and from the default, and the default. */
enum {
    FIRST,
    SECOND,
    DEFAULT
};

/* NOLINTBEGIN(bugprone-macro-parentheses): row is the name of the variable that the loop declares. */
#define ROWS_OF(row, condition)                                                                                        \
    for (const clerk_settings_row *row = clerk_settings_table; row < clerk_settings_table + CLERK_SETTINGS_COUNT;      \
         row++)                                                                                                        \
        if (condition)
/* NOLINTEND(bugprone-macro-parentheses) */

static int is_pointer(const clerk_settings_row *row)
{
    return row->kind == CLERK_SETTINGS_TEXT || row->kind == CLERK_SETTINGS_SECRET || row->kind == CLERK_SETTINGS_LIST
           || row->kind == CLERK_SETTINGS_POINTER;
}

static int is_of_section(const clerk_settings_row *row)
{
    return row->group == CLERK_SETTINGS_ADMIN || row->group == CLERK_SETTINGS_SECTION
           || row->group == CLERK_SETTINGS_POLICY;
}

static apr_size_t size_of(const clerk_settings_row *row)
{
    return is_pointer(row)                                                            ? sizeof(void *)
           : row->kind == CLERK_SETTINGS_DURATION || row->kind == CLERK_SETTINGS_SIZE ? sizeof(apr_int64_t)
                                                                                      : sizeof(int);
}

static void *member(void *conf, const clerk_settings_row *row)
{
    return (char *)conf + row->offset;
}

/* The value of an integer setting, or the address in a pointer. */
static apr_int64_t value_of(const void *conf, const clerk_settings_row *row)
{
    const char *at = (const char *)conf + row->offset;
    apr_int64_t number;
    void *pointer;
    int small;

    if (is_pointer(row)) {
        memcpy(&pointer, at, sizeof(pointer));
        return (apr_int64_t)(apr_uintptr_t)pointer;
    }
    if (size_of(row) == sizeof(number)) {
        memcpy(&number, at, sizeof(number));
        return number;
    }
    memcpy(&small, at, sizeof(small));
    return small;
}

static apr_int64_t unset_value(const clerk_settings_row *row)
{
    return is_pointer(row) || row->kind == CLERK_SETTINGS_WORDS ? 0 : CLERK_UNSET;
}

/* The first or second word that is not the default; the first one if there is no second. */
static int word_value(const clerk_settings_row *row, int which)
{
    int found = -1;

    for (int value = 0; value < row->word_count; value++) {
        if (row->words[value] && value != row->fallback && (found < 0 || which == SECOND)) {
            found = value;
        }
    }
    return found;
}

static apr_int64_t integer_value(const clerk_settings_row *row, int which)
{
    if (which == DEFAULT) {
        return row->fallback;
    }
    if (row->kind == CLERK_SETTINGS_FLAG) {
        return !row->fallback;
    }
    return row->words ? word_value(row, which) : row->fallback + 1 + which;
}

/* Set a setting. The first value of a pointer has the same text each time. */
static void say(void *conf, const clerk_settings_row *row, int which, apr_pool_t *pool)
{
    apr_int64_t number = is_pointer(row) ? 0 : integer_value(row, which);
    const char *text = apr_psprintf(pool, "%s-%d", row->directive, which);
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(const char *));
    int small = (int)number;

    APR_ARRAY_PUSH(list, const char *) = text;
    memcpy(member(conf, row),
           row->kind == CLERK_SETTINGS_LIST ? (void *)&list
           : is_pointer(row)                ? (void *)&text
           : size_of(row) == sizeof(number) ? (void *)&number
                                            : (void *)&small,
           size_of(row));
}

static void assert_value(const void *conf, const clerk_settings_row *row, apr_int64_t expected, const char *when)
{
    if (value_of(conf, row) != expected) {
        fail_msg("%s %s: %" APR_INT64_T_FMT " instead of %" APR_INT64_T_FMT, row->directive, when, value_of(conf, row),
                 expected);
    }
}

static void rows_are_complete(void **state)
{
    (void)state;
    ROWS_OF(row, 1)
    {
        assert_memory_equal(row->directive, "Clerk", 5);
        assert_true(*row->help);
        assert_int_equal(row->words != NULL, row->kind == CLERK_SETTINGS_WORD || row->kind == CLERK_SETTINGS_WORDS);
        assert_int_equal(row->most != 0, row->kind == CLERK_SETTINGS_DURATION || row->kind == CLERK_SETTINGS_SIZE);
        assert_true(row->kind != CLERK_SETTINGS_DURATION || (row->least <= row->fallback && row->fallback <= row->most)
                    || row->fallback == 0);
        assert_true(row->kind != CLERK_SETTINGS_WORD || row->words[row->fallback]);
        assert_ptr_equal(clerk_settings_find(row->directive), row);
    }
    assert_ptr_equal(clerk_settings_find("CLERKISSUER"), &clerk_settings_table[CLERK_SETTINGS_AT_issuers]);
    assert_null(clerk_settings_find("ClerkIssue"));
    assert_null(clerk_settings_find("<ClerkInstance"));
}

/* A duration as text: "5m", "24h", "5s", "Off". */
static const char *duration_text(apr_interval_time_t time, apr_pool_t *pool)
{
    int seconds = (int)apr_time_sec(time);

    return seconds == 0          ? "Off"
           : seconds % 3600 == 0 ? apr_psprintf(pool, "%dh", seconds / 3600)
           : seconds % 60 == 0   ? apr_psprintf(pool, "%dm", seconds / 60)
                                 : apr_psprintf(pool, "%ds", seconds);
}

static void the_help_says_the_default(void **state)
{
    ROWS_OF(row, 1)
    {
        const char *told = row->kind == CLERK_SETTINGS_FLAG ? (row->fallback ? "Off: " : "On: ")
                           : row->kind == CLERK_SETTINGS_WORD
                               ? apr_pstrcat(*state, row->words[row->fallback], " (default)", NULL)
                           : row->kind == CLERK_SETTINGS_DURATION
                               ? apr_pstrcat(*state, ", default ", duration_text(row->fallback, *state), NULL)
                               : "";
        const char *found = strstr(row->help, told);

        if (!found || (row->kind == CLERK_SETTINGS_FLAG && found != row->help)) {
            fail_msg("%s: no '%s' in '%s'", row->directive, told, row->help);
        }
    }
}

static void nothing_is_said_at_first(void **state)
{
    clerk_server_config server;
    clerk_dir_config dir;

    (void)state;
    memset(&server, 0x55, sizeof(server));
    memset(&dir, 0x55, sizeof(dir));
    clerk_settings_clear_server(&server);
    clerk_settings_clear_dir(&dir);
    ROWS_OF(row, 1)
    {
        const void *conf = is_of_section(row) ? (const void *)&dir : (const void *)&server;

        assert_value(clerk_settings_is_of_instance(row) ? &server.own : conf, row, unset_value(row), "cleared");
    }
    assert_null(server.named);
    assert_null(server.runtime);
}

/* Instances */

static const char *fingerprint_with(const clerk_settings_row *row, int which, apr_pool_t *pool)
{
    clerk_instance_config instance;

    clerk_settings_clear_instance(&instance, NULL);
    if (row) {
        say(&instance, row, which, pool);
    }
    return clerk_settings_fingerprint(&instance, pool);
}

static void instances_that_differ_in_one_setting_are_different(void **state)
{
    const char *nothing = fingerprint_with(NULL, 0, *state);

    ROWS_OF(row, clerk_settings_is_of_instance(row))
    {
        const char *first = fingerprint_with(row, FIRST, *state);

        if (!strcmp(first, nothing)) {
            fail_msg("%s is not in the fingerprint", row->directive);
        }
        assert_string_equal(first, fingerprint_with(row, FIRST, *state));
        if (row->kind != CLERK_SETTINGS_FLAG) {
            assert_string_not_equal(first, fingerprint_with(row, SECOND, *state));
        }
        ROWS_OF(other, other != row && clerk_settings_is_of_instance(other))
        {
            assert_string_not_equal(first, fingerprint_with(other, FIRST, *state));
        }
    }
}

static apr_array_header_t *list_of(apr_pool_t *pool, const char *first, const char *second)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));

    APR_ARRAY_PUSH(list, const char *) = first;
    if (second) {
        APR_ARRAY_PUSH(list, const char *) = second;
    }
    return list;
}

static void texts_of_an_instance_do_not_run_into_each_other(void **state)
{
    static const char *const separators[] = {"", "+", "-", " ", "\n", "\n+", "1:", ","};
    clerk_instance_config rows[] = {
        {.publishable_key = "a", .secret_key = "b"},
        {.publishable_key = "a1:b"},
        {.publishable_key = "a-", .secret_key = "b"},
        {.publishable_key = "", .secret_key = "b"},
        {.secret_key = "b"},
        {.secret_key = "b", .issuers = list_of(*state, "", NULL)},
        {.secret_key = "b", .issuers = list_of(*state, "c", "d")},
        {.secret_key = "b", .issuers = list_of(*state, "c d", NULL)},
        {.secret_key = "b", .issuers = list_of(*state, "cd", NULL)},
        {.secret_key = "b", .issuers = list_of(*state, "c1:d", NULL)},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(clerk_settings_fingerprint(&rows[i], *state),
                                    clerk_settings_fingerprint(&rows[k], *state));
        }
    }
    for (size_t i = 0; i < COUNT(separators); i++) {
        clerk_instance_config one = {.publishable_key = apr_pstrcat(*state, "a", separators[i], "b", NULL)};
        clerk_instance_config other = {.secret_key = apr_pstrcat(*state, "b", separators[i], "c", NULL)};

        one.secret_key = "c";
        other.publishable_key = "a";
        assert_string_not_equal(clerk_settings_fingerprint(&one, *state), clerk_settings_fingerprint(&other, *state));
    }
}

static void defaults_fill_what_was_not_said(void **state)
{
    ROWS_OF(row, clerk_settings_is_of_instance(row))
    {
        clerk_instance_config instance;

        clerk_settings_clear_instance(&instance, NULL);
        clerk_settings_fill_defaults(&instance);
        assert_value(&instance, row, row->fallback, "by default");
        say(&instance, row, FIRST, *state);
        apr_int64_t said = value_of(&instance, row);
        clerk_settings_fill_defaults(&instance);
        assert_value(&instance, row, said, "said");
    }
}

static void named_instances_inherit_how_they_are_reached(void **state)
{
    ROWS_OF(row, clerk_settings_is_of_instance(row))
    {
        clerk_instance_config server, named;
        apr_int64_t own;

        clerk_settings_clear_instance(&server, NULL);
        clerk_settings_clear_instance(&named, "named");
        say(&server, row, FIRST, *state);
        clerk_settings_inherit_transport(&named, &server);
        assert_value(&named, row, row->group == CLERK_SETTINGS_TRANSPORT ? value_of(&server, row) : unset_value(row),
                     "of a server");
        say(&named, row, DEFAULT, *state);
        own = value_of(&named, row);
        clerk_settings_inherit_transport(&named, &server);
        assert_value(&named, row, own, "of its own");
        assert_string_equal(named.name, "named");
    }
}

/* Servers */

static void *conf_in(clerk_server_config *server, const clerk_settings_row *row)
{
    return clerk_settings_is_of_instance(row) ? (void *)&server->own : (void *)server;
}

static void virtual_hosts_inherit_and_override(void **state)
{
    ROWS_OF(row, !is_of_section(row) && row != &clerk_settings_table[CLERK_SETTINGS_AT_publishable_key])
    {
        clerk_server_config main_server, host, merged;

        clerk_settings_clear_server(&main_server);
        clerk_settings_clear_server(&host);
        say(conf_in(&main_server, row), row, FIRST, *state);
        merged = *clerk_settings_merge_server(*state, &main_server, &host);
        assert_value(conf_in(&merged, row), row, value_of(conf_in(&main_server, row), row), "inherited");
        if (row->group == CLERK_SETTINGS_MAIN) {
            continue;
        }
        say(conf_in(&host, row), row, DEFAULT, *state);
        merged = *clerk_settings_merge_server(*state, &main_server, &host);
        assert_value(conf_in(&merged, row), row, value_of(conf_in(&host, row), row), "reset by the virtual host");
        clerk_settings_clear_server(&main_server);
        merged = *clerk_settings_merge_server(*state, &main_server, &host);
        assert_value(conf_in(&merged, row), row, value_of(conf_in(&host, row), row), "of the virtual host alone");
    }
}

static void an_instance_of_another_key_inherits_no_identity(void **state)
{
    static const struct {
        const char *environment, *main_server, *host;
        int inherits;
    } rows[] = {
        {NULL, "pk_a", NULL, 1}, {NULL, "pk_a", "pk_a", 1}, {NULL, "pk_a", "pk_b", 0},
        {"pk_a", NULL, NULL, 1}, {"pk_a", NULL, "pk_a", 1}, {"pk_a", NULL, "pk_b", 0},
        {NULL, NULL, "pk_b", 1}, {"", NULL, "pk_b", 1},     {"pk_b", "pk_a", "pk_b", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        ROWS_OF(row,
                clerk_settings_is_of_instance(row) && row != &clerk_settings_table[CLERK_SETTINGS_AT_publishable_key])
        {
            clerk_server_config main_server, host, merged;
            int inherits = rows[i].inherits || row->group == CLERK_SETTINGS_TRANSPORT;

            clerk_settings_clear_server(&main_server);
            clerk_settings_clear_server(&host);
            say(&main_server.own, row, FIRST, *state);
            main_server.own.publishable_key = rows[i].main_server;
            host.own.publishable_key = rows[i].host;
            rows[i].environment ? setenv(CLERK_ENV_PUBLISHABLE_KEY, rows[i].environment, 1)
                                : unsetenv(CLERK_ENV_PUBLISHABLE_KEY);
            merged = *clerk_settings_merge_server(*state, &main_server, &host);
            unsetenv(CLERK_ENV_PUBLISHABLE_KEY);
            assert_value(&merged.own, row, inherits ? value_of(&main_server.own, row) : unset_value(row),
                         inherits ? "of the same instance" : "of another instance");
            assert_ptr_equal(merged.own.publishable_key, rows[i].host ? rows[i].host : rows[i].main_server);
        }
    }
}

static void named_instances_of_a_server_add_up(void **state)
{
    static const char *const names[] = {"main's", "both's", "host's"};
    clerk_server_config main_server, host, merged;

    clerk_settings_clear_server(&main_server);
    clerk_settings_clear_server(&host);
    main_server.named = apr_hash_make(*state);
    apr_hash_set(main_server.named, names[0], APR_HASH_KEY_STRING, "main");
    apr_hash_set(main_server.named, names[1], APR_HASH_KEY_STRING, "main");
    merged = *clerk_settings_merge_server(*state, &main_server, &host);
    assert_int_equal(apr_hash_count(merged.named), 2);
    host.named = apr_hash_make(*state);
    apr_hash_set(host.named, names[1], APR_HASH_KEY_STRING, "host");
    apr_hash_set(host.named, names[2], APR_HASH_KEY_STRING, "host");
    merged = *clerk_settings_merge_server(*state, &main_server, &host);
    assert_int_equal(apr_hash_count(merged.named), 3);
    assert_string_equal(apr_hash_get(merged.named, names[1], APR_HASH_KEY_STRING), "host");
    main_server.named = NULL;
    merged = *clerk_settings_merge_server(*state, &main_server, &host);
    assert_int_equal(apr_hash_count(merged.named), 2);
}

/* Sections */

static const struct {
    clerk_settings_index at;
    apr_size_t offset, size;
} policy_members[] = {
#define POLICY_SETTING(member, kind)                                                                                   \
    {CLERK_SETTINGS_AT_##member, offsetof(clerk_policy, member), sizeof(((clerk_policy *)0)->member)},
#include "httpd/config/settings.def"
};

static void assert_policy(const clerk_dir_config *dir, const char *when)
{
    for (size_t i = 0; i < COUNT(policy_members); i++) {
        const clerk_settings_row *row = &clerk_settings_table[policy_members[i].at];
        const char *at = (const char *)&dir->policy + policy_members[i].offset;
        apr_int64_t said = value_of(dir, row), expected = said == unset_value(row) ? row->fallback : said;
        int small = (int)expected;

        assert_int_equal(row->group, CLERK_SETTINGS_POLICY);
        assert_int_equal(policy_members[i].size, size_of(row));
        if (memcmp(at, size_of(row) == sizeof(small) ? (void *)&small : (void *)&expected, size_of(row))) {
            fail_msg("%s %s is not in the policy", row->directive, when);
        }
    }
}

static void places_inherit_and_override(void **state)
{
    clerk_dir_config nothing;

    clerk_settings_clear_dir(&nothing);
    assert_policy(&nothing, "not said");
    ROWS_OF(row, is_of_section(row))
    {
        clerk_dir_config outer, inner, back, once, twice, merged;

        clerk_settings_clear_dir(&outer);
        clerk_settings_clear_dir(&inner);
        clerk_settings_clear_dir(&back);
        say(&outer, row, FIRST, *state);
        say(&inner, row, SECOND, *state);
        say(&back, row, DEFAULT, *state);
        once = *clerk_settings_merge_dir(*state, &nothing, &outer);
        assert_value(&once, row, value_of(&outer, row), "said in a section of a server");
        assert_policy(&once, "said in a section of a server");
        twice = *clerk_settings_merge_dir(*state, &once, &nothing);
        assert_value(&twice, row, value_of(&outer, row), "inherited over two sections");
        assert_policy(&twice, "inherited over two sections");
        merged = *clerk_settings_merge_dir(*state, &twice, &inner);
        assert_value(&merged, row, value_of(&inner, row), "changed by an inner section");
        assert_policy(&merged, "changed by an inner section");
        merged = *clerk_settings_merge_dir(*state, &twice, &back);
        assert_value(&merged, row, value_of(&back, row), "reset by an inner section");
        assert_policy(&merged, "reset by an inner section");
        ROWS_OF(other, is_of_section(other) && other != row)
        {
            assert_value(&twice, other, unset_value(other), "beside another setting");
        }
    }
}

static void the_two_ways_to_know_the_origin_exclude_each_other(void **state)
{
    static const char *const outer = "https://outer.test", *const inner = "https://inner.test";
    const struct {
        const char *outer_origin;
        int outer_trust;
        const char *inner_origin;
        int inner_trust;
        const char *origin;
        int trust;
    } rows[] = {
        {outer, CLERK_UNSET, NULL, CLERK_UNSET, outer, 0},
        {outer, CLERK_UNSET, inner, CLERK_UNSET, inner, 0},
        {outer, CLERK_UNSET, NULL, 1, NULL, 1},
        {outer, CLERK_UNSET, NULL, 0, outer, 0},
        {outer, 0, NULL, 1, NULL, 1},
        {NULL, 1, NULL, CLERK_UNSET, NULL, 1},
        {NULL, 1, inner, CLERK_UNSET, inner, 0},
        {NULL, 1, inner, 0, inner, 0},
        {NULL, 1, NULL, 0, NULL, 0},
        {NULL, CLERK_UNSET, NULL, CLERK_UNSET, NULL, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_dir_config base, add, merged;

        clerk_settings_clear_dir(&base);
        clerk_settings_clear_dir(&add);
        base.public_origin = rows[i].outer_origin;
        base.trust_forwarded = rows[i].outer_trust;
        add.public_origin = rows[i].inner_origin;
        add.trust_forwarded = rows[i].inner_trust;
        merged = *clerk_settings_merge_dir(*state, &base, &add);
        assert_ptr_equal(merged.public_origin, rows[i].origin);
        assert_int_equal(CLERK_SETTINGS_VALUE(&merged, trust_forwarded), rows[i].trust);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),
        fixture_test(the_help_says_the_default),
        cmocka_unit_test(nothing_is_said_at_first),
        fixture_test(instances_that_differ_in_one_setting_are_different),
        fixture_test(texts_of_an_instance_do_not_run_into_each_other),
        fixture_test(defaults_fill_what_was_not_said),
        fixture_test(named_instances_inherit_how_they_are_reached),
        fixture_test(virtual_hosts_inherit_and_override),
        fixture_test(an_instance_of_another_key_inherits_no_identity),
        fixture_test(named_instances_of_a_server_add_up),
        fixture_test(places_inherit_and_override),
        fixture_test(the_two_ways_to_know_the_origin_exclude_each_other),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
