/* SPDX-License-Identifier: Apache-2.0 */
/* The user object of the Backend API: what an application may learn of it, and how that is kept. */
#include "jose_fixture.h"

#include "clerk/session/profile.h"

#define USER "\"object\":\"user\",\"id\":\"user_1\""
#define ADDRESS(id, address, verification)                                                                             \
    "{\"id\":\"" id "\",\"email_address\":\"" address "\",\"verification\":" verification "}"
#define VERIFIED "{\"status\":\"verified\",\"strategy\":\"email_code\"}"
#define EMAILS(...) "{" USER ",\"primary_email_address_id\":\"e1\",\"email_addresses\":[" __VA_ARGS__ "]}"

static clerk_profile *parsed(const char *json, apr_pool_t *pool)
{
    return clerk_profile_parse(json, strlen(json), "user_1", pool);
}

/* The value of a field, after the profile was packed and unpacked. */
static const char *field_of(const char *json, const char *field, apr_pool_t *pool)
{
    clerk_profile *profile = parsed(json, pool), *again;
    apr_size_t size;
    void *block;

    if (!profile) {
        fail_msg("not a profile: %s", json);
    }
    block = clerk_profile_pack(&size, profile, pool);
    assert_true(size <= CLERK_PROFILE_PACKED_MAX);
    again = clerk_profile_unpack(block, size, pool);
    assert_non_null(again);
    return clerk_profile_get(again, field, pool);
}

typedef struct row {
    const char *json;
    const char *field;
    const char *value; /* NULL: none */
} row;

static void assert_rows(const row *rows, size_t count, apr_pool_t *pool)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = field_of(rows[i].json, rows[i].field, pool);

        if (!rows[i].value != !value || (value && strcmp(value, rows[i].value))) {
            fail_msg("%s of %s: %s", rows[i].field, rows[i].json, value ? value : "(none)");
        }
    }
}

static void only_the_verified_primary_address_is_an_email(void **state)
{
    static const row rows[] = {
        {EMAILS(ADDRESS("e1", "a@x.test", VERIFIED)), "email", "a@x.test"},
        {EMAILS(ADDRESS("e0", "other@x.test", VERIFIED) "," ADDRESS("e1", "a@x.test", VERIFIED)), "email", "a@x.test"},
        {EMAILS(ADDRESS("e0", "other@x.test", VERIFIED)), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "{\"status\":\"unverified\"}")), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "{\"status\":\"transferable\"}")), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "{\"status\":\"expired\"}")), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "{\"status\":\"Verified\"}")), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "{\"status\":true}")), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "{}")), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "null")), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test", "\"verified\"")), "email", NULL},
        /* The first of that id counts. */
        {EMAILS(ADDRESS("e1", "a@x.test", "null") "," ADDRESS("e1", "b@x.test", VERIFIED)), "email", NULL},
        {EMAILS("{\"id\":\"e1\",\"verification\":" VERIFIED "}"), "email", NULL},
        {EMAILS("{\"id\":\"e1\",\"email_address\":7,\"verification\":" VERIFIED "}"), "email", NULL},
        {EMAILS(ADDRESS("e1", "a@x.test\\nX: y", VERIFIED)), "email", NULL},
        {EMAILS(ADDRESS("e1", "", VERIFIED)), "email", NULL},
        {EMAILS("null,7,\"e1\",[]"), "email", NULL},
        {EMAILS(""), "email", NULL},
        {"{" USER ",\"primary_email_address_id\":null,\"email_addresses\":[" ADDRESS("e1", "a@x.test", VERIFIED) "]}",
         "email", NULL},
        {"{" USER ",\"primary_email_address_id\":\"e1\",\"email_addresses\":{}}", "email", NULL},
        {"{" USER ",\"email\":\"a@x.test\"}", "email", NULL},
    };

    assert_rows(rows, COUNT(rows), *state);
}

static void reads_the_other_texts(void **state)
{
    static const row rows[] = {
        {"{" USER ",\"username\":\"al\"}", "username", "al"},
        {"{" USER ",\"username\":null}", "username", NULL},
        {"{" USER ",\"username\":\"\"}", "username", NULL},
        {"{" USER ",\"username\":7}", "username", NULL},
        {"{" USER ",\"username\":\"a\\u0007l\"}", "username", NULL},
        {"{" USER "}", "username", NULL},
        {"{" USER ",\"image_url\":\"https://img.x.test/1\"}", "image_url", "https://img.x.test/1"},
        {"{" USER ",\"external_id\":\"4711\"}", "external_id", "4711"},
        {"{" USER ",\"external_id\":4711}", "external_id", NULL},
        {"{" USER ",\"first_name\":\"Zo\\u00eb\",\"last_name\":\"Q\"}", "name", "Zo\xc3\xab Q"},
        {"{" USER ",\"first_name\":\"Al\",\"last_name\":\"Li\"}", "first_name", "Al"},
        {"{" USER ",\"first_name\":\"Al\",\"last_name\":\"Li\"}", "last_name", "Li"},
        {"{" USER ",\"first_name\":\"Al\",\"last_name\":null}", "name", "Al"},
        {"{" USER ",\"first_name\":null,\"last_name\":\"Li\"}", "name", "Li"},
        {"{" USER ",\"first_name\":\"\",\"last_name\":\"Li\"}", "name", "Li"},
        {"{" USER "}", "name", NULL},
        /* A part of a name is no name. */
        {"{" USER ",\"first_name\":\"A\\nl\",\"last_name\":\"Li\"}", "name", NULL},
        {"{" USER ",\"first_name\":\"A\\nl\",\"last_name\":\"Li\"}", "last_name", "Li"},
        {"{" USER ",\"name\":\"Al Li\"}", "name", NULL},
        {"{" USER ",\"username\":\"al\"}", "nothing", NULL},
    };

    assert_rows(rows, COUNT(rows), *state);
}

static void reads_metadata_by_path(void **state)
{
#define METADATA(json) "{" USER ",\"public_metadata\":" json ",\"private_metadata\":{\"a\":\"secret\"}}"
    static const row rows[] = {
        {METADATA("{\"a\":\"x\"}"), "public_metadata.a", "x"},
        {METADATA("{\"a\":{\"b\":[1,\"two\"]}}"), "public_metadata.a.b", "1,two"},
        {METADATA("{\"a\":7}"), "public_metadata.a", "7"},
        {METADATA("{\"a\":\"x\\ny\"}"), "public_metadata.a", NULL},
        {METADATA("{\"a\":\"x\"}"), "public_metadata.b", NULL},
        {METADATA("{}"), "public_metadata.a", NULL},
        {METADATA("null"), "public_metadata.a", NULL},
        {METADATA("[\"a\"]"), "public_metadata.a", NULL},
        {METADATA("\"a\""), "public_metadata.a", NULL},
        {METADATA("{\"a\":\"x\"}"), "private_metadata.a", NULL},
        {METADATA("{\"a\":\"x\"}"), "public_metadata", NULL},
    };

    assert_rows(rows, COUNT(rows), *state);
}

static void what_is_too_long_is_left_out(void **state)
{
    apr_pool_t *pool = *state;

    for (int more = 0; more <= 1; more++) {
        char *text = apr_pcalloc(pool, CLERK_PROFILE_TEXT_MAX + 2), *metadata = apr_pcalloc(pool, 10000);
        const char *json;

        memset(text, 'x', (size_t)CLERK_PROFILE_TEXT_MAX + (size_t)more);
        memset(metadata, 'y', (size_t)CLERK_PROFILE_METADATA_MAX - strlen("{\"a\":\"\"}") + (size_t)more);
        json = apr_psprintf(pool,
                            "{" USER ",\"username\":\"%s\",\"first_name\":\"%s\",\"public_metadata\":{\"a\":\"%s\"}}",
                            text, text, metadata);
        assert_int_equal(field_of(json, "username", pool) != NULL, !more);
        assert_int_equal(field_of(json, "name", pool) != NULL, !more);
        /* The text itself is longer than what is given to applications. */
        assert_int_equal(parsed(json, pool)->public_metadata != NULL, !more);
        json = apr_psprintf(pool, "{" USER ",\"first_name\":\"%s\",\"last_name\":\"y\"}", text);
        assert_null(field_of(json, "name", pool));
    }
}

static void another_object_is_no_profile(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{}",
        "{" USER,
        "{" USER "} x",
        "{\"object\":\"user\"}",
        "{\"id\":\"user_1\"}",
        "{\"object\":\"user\",\"id\":\"user_2\"}",
        "{\"object\":\"user\",\"id\":\"user_1x\"}",
        "{\"object\":\"session\",\"id\":\"user_1\"}",
        "{\"object\":\"user\",\"id\":1}",
        "{" USER ",\"username\":\"a\",\"username\":\"b\"}",
        "{" USER ",\"username\":\"a\\u0000b\"}",
        "{" USER ",\"username\":\"\xff\"}",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        if (parsed(texts[i], *state)) {
            fail_msg("taken for a profile: %s", texts[i]);
        }
    }
    assert_non_null(parsed("{" USER "}", *state));
}

static void only_a_packed_profile_is_unpacked(void **state)
{
    apr_pool_t *pool = *state;
    apr_size_t size;
    char *block = clerk_profile_pack(&size, parsed(EMAILS(ADDRESS("e1", "a@x.test", VERIFIED)), pool), pool);

    assert_non_null(clerk_profile_unpack(block, size, pool));
    for (apr_size_t shorter = 0; shorter < size; shorter++) {
        /* As a copy of this size, so that a sanitizer sees what is read behind it. */
        assert_null(clerk_profile_unpack(apr_pmemdup(pool, block, shorter), shorter, pool));
    }
    assert_null(clerk_profile_unpack(memcpy(apr_pcalloc(pool, size + 1), block, size), size + 1, pool));
    block[0]++;
    assert_null(clerk_profile_unpack(block, size, pool));
}

static void checks_ids_and_fields(void **state)
{
    static const char *const ids[] = {"user_2abcDEF", "u", "a-b_c9"};
    static const char *const no_ids[] = {"", "user/1", "user 1", "..", "user_1?x", "user%201", "user_\xc3\xab", "a\nb"};
    static const char *const fields[] = {"email",     "username",    "first_name",        "last_name",          "name",
                                         "image_url", "external_id", "public_metadata.a", "public_metadata.a.b"};
    static const char *const no_fields[] = {"",
                                            "Email",
                                            "phone",
                                            "public_metadata",
                                            "public_metadata.",
                                            "private_metadata.a",
                                            "unsafe_metadata.a",
                                            "public_metadata.a\n"};
    char longest[CLERK_PROFILE_USER_ID_MAX + 2] = {0};

    for (size_t i = 0; i < COUNT(ids); i++) {
        assert_true(clerk_profile_is_user_id(ids[i]));
    }
    for (size_t i = 0; i < COUNT(no_ids); i++) {
        assert_false(clerk_profile_is_user_id(no_ids[i]));
    }
    memset(longest, 'a', CLERK_PROFILE_USER_ID_MAX);
    assert_true(clerk_profile_is_user_id(longest));
    memset(longest, 'a', CLERK_PROFILE_USER_ID_MAX + 1);
    assert_false(clerk_profile_is_user_id(longest));
    assert_string_equal(clerk_profile_path("user_1", *state), "/v1/users/user_1");
    for (size_t i = 0; i < COUNT(fields); i++) {
        assert_null(clerk_profile_field_problem(fields[i]));
    }
    for (size_t i = 0; i < COUNT(no_fields); i++) {
        assert_non_null(clerk_profile_field_problem(no_fields[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(only_the_verified_primary_address_is_an_email),
        fixture_test(reads_the_other_texts),
        fixture_test(reads_metadata_by_path),
        fixture_test(what_is_too_long_is_left_out),
        fixture_test(another_object_is_no_profile),
        fixture_test(only_a_packed_profile_is_unpacked),
        fixture_test(checks_ids_and_fields),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
