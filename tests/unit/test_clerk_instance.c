/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/instance/publishable_key.h"

static void publishable_keys_are_read_as_the_table_says(void **state)
{
    static const struct {
        const char *key;
        const char *host; /* NULL: not a key */
        clerk_instance_type type;
    } rows[] = {
        {LIVE_KEY, "clerk.example.com", CLERK_INSTANCE_PRODUCTION},
        {TEST_KEY, "happy-hippo-1.clerk.accounts.dev", CLERK_INSTANCE_DEVELOPMENT},
        {"pk_live_Y2xlcmsuY2xlcmsuZGV2JA", "clerk.clerk.dev", CLERK_INSTANCE_PRODUCTION},
        {"pk_live_Y2xlcmsuY2xlcmsuZGV2JA==", "clerk.clerk.dev", CLERK_INSTANCE_PRODUCTION},
        {"pk_live_Y2xlcmsu Y2xlcmsuZGV2JA", "clerk.clerk.dev", CLERK_INSTANCE_PRODUCTION},
        {"pk_test_MTI3LjAuMC4xOjgwODAk", "127.0.0.1:8080", CLERK_INSTANCE_DEVELOPMENT},
        {"", NULL, 0},
        {"pk_live_", NULL, 0},
        {"PK_LIVE_Y2xlcmsuY2xlcmsuZGV2JA", NULL, 0},
        {"pk_prod_Y2xlcmsuY2xlcmsuZGV2JA", NULL, 0},
        {"sk_live_Y2xlcmsuY2xlcmsuZGV2JA", NULL, 0},
        {"pk_live_Y2xlcmsuY2xlcmsuZGV2JA_x", NULL, 0},
        {"pk_live_Y2xlcmsu-2xlcmsuZGV2JA", NULL, 0},
        {"pk_live_Y2xlcmsuY2xlcmsuZGV2JA=", NULL, 0}, /* half a padding */
        {"pk_live_Y2xlcmsuY2xlcmsuZGV2", NULL, 0},    /* no $ */
        {"pk_live_Y2xlcmsuJGRldiQ=", NULL, 0},        /* clerk.$dev$ */
        {"pk_live_bG9jYWxob3N0JA==", NULL, 0},        /* localhost$ */
        {"pk_live_YS9iLmM/ZCQ=", NULL, 0},            /* a/b.c?d$ */
        {"pk_live_LiQ=", NULL, 0},                    /* .$ */
        {"pk_live_JA==", NULL, 0},                    /* $ */
        {"pk_live_YS5iOjk5OTk5JA==", NULL, 0},        /* a.b:99999$ */
        {"pk_live_YQBiLmMk", NULL, 0},                /* a NUL b.c$ */
        {"pk_live_A", NULL, 0},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_instance_type type = CLERK_INSTANCE_PRODUCTION;
        const char *host = NULL;
        const char *problem = clerk_publishable_key_parse(&type, &host, rows[i].key, f->pool);

        assert_case(rows[i].key, problem ? NULL : host, rows[i].host);
        if (rows[i].host) {
            assert_int_equal(type, rows[i].type);
        }
    }
}

static void cookie_suffixes_are_those_of_the_key_as_written(void **state)
{
    static const char *const rows[][2] = {
        {LIVE_KEY, "naoXFJnI"},
        {TEST_KEY, "MWTw9P_R"},
        {"pk_live_Y2xlcmsuY2xlcmsuZGV2JA", "1Z8AzTQD"},
        {"pk_test_Y2xlcmsuY2xlcmsuZGV2JA", "QvfNY2dr"},
        {"pk_live_Y2xlcmsuY2xlcmsuZGV2JA==", "FhpB_dEi"},
        {"pk_live_Y2xlcmsuaW5zcGlyZWQucHVtYS03NC5sY2wuZGV2JA", "MqCvchyS"},
        {"pk_test_ZW5vdWdoLWFscGFjYS04Mi5jbGVyay5hY2NvdW50cy5sY2xjbGVyay5jb20k", "jtYvyt_H"},
        {"pk_test_aGFwcHktZW11LTQyLmNsZXJrLmFjY291bnRzLmRldiQ=", "SE8uaCrr"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char suffix[9];

        clerk_publishable_key_suffix(suffix, rows[i][0]);
        assert_case(rows[i][0], suffix, rows[i][1]);
    }
}

static void account_portals_follow_from_the_host(void **state)
{
    static const char *const rows[][2] = {
        {"clerk.example.com", "https://accounts.example.com"},
        {"happy-hippo-1.clerk.accounts.dev", "https://happy-hippo-1.accounts.dev"},
        {"foo-bar-13.clerk.accountsstage.dev", "https://foo-bar-13.accountsstage.dev"},
        {"clerk.foo.bar-13.lcl.dev", "https://accounts.foo.bar-13.lcl.dev"},
        {"example.accounts.dev", "https://example.accounts.dev"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(rows[i][0], clerk_publishable_key_account_portal(rows[i][0], f->pool), rows[i][1]);
    }
}

/* A list as one text. */
static const char *joined(const apr_array_header_t *list, apr_pool_t *pool)
{
    const char *text = "";

    if (!list) {
        return "any";
    }
    for (int i = 0; i < list->nelts; i++) {
        text = apr_pstrcat(pool, text, i > 0 ? " " : "", APR_ARRAY_IDX(list, i, const char *), NULL);
    }
    return text;
}

static void derived_values(void **state)
{
    static const struct {
        const char *name;
        clerk_instance_options options;
        const char *frontend_url;
        const char *proxy_url;
        const char *account_portal;
        const char *jwks_url;
        int needs_secret;
        const char *issuers;
        int warns;
    } rows[] = {
        {"a live key",
         {.publishable_key = "  " LIVE_KEY "\n"},
         "https://clerk.example.com",
         NULL,
         "https://accounts.example.com",
         "https://clerk.example.com/.well-known/jwks.json",
         0,
         "https://clerk.example.com",
         0},
        {"a test key with its secret key",
         {.publishable_key = TEST_KEY, .secret_key = "sk_test_x\n"},
         "https://happy-hippo-1.clerk.accounts.dev",
         NULL,
         "https://happy-hippo-1.accounts.dev",
         "https://api.clerk.com/v1/jwks",
         1,
         "https://happy-hippo-1.clerk.accounts.dev",
         0},
        {"another API and a legacy secret key",
         {.publishable_key = LIVE_KEY, .secret_key = "live_x", .api_url = "https://API.clerk.test/base//"},
         "https://clerk.example.com",
         NULL,
         "https://accounts.example.com",
         "https://api.clerk.test/base/v1/jwks",
         1,
         "https://clerk.example.com",
         0},
        {"another frontend API: a host",
         {.publishable_key = LIVE_KEY, .frontend_api = "clerk.test:8443"},
         "https://clerk.test:8443",
         NULL,
         "https://accounts.example.com",
         "https://clerk.test:8443/.well-known/jwks.json",
         0,
         "https://clerk.test:8443 https://clerk.example.com",
         0},
        {"another frontend API: a loopback URL with a path",
         {.publishable_key = LIVE_KEY, .frontend_api = "http://127.0.0.1:9000/x"},
         "http://127.0.0.1:9000",
         NULL,
         "https://accounts.example.com",
         "http://127.0.0.1:9000/.well-known/jwks.json",
         0,
         "https://127.0.0.1:9000 http://127.0.0.1:9000 https://clerk.example.com",
         0},
        {"a proxy",
         {.publishable_key = LIVE_KEY, .proxy_url = "https://app.example.com/__clerk//"},
         "https://clerk.example.com",
         "https://app.example.com/__clerk",
         "https://accounts.example.com",
         "https://clerk.example.com/.well-known/jwks.json",
         0,
         "https://clerk.example.com https://app.example.com/__clerk https://app.example.com/__clerk/",
         0},
        {"a proxy on the own site",
         {.publishable_key = LIVE_KEY, .proxy_url = "/__clerk/"},
         "https://clerk.example.com",
         "/__clerk",
         "https://accounts.example.com",
         "https://clerk.example.com/.well-known/jwks.json",
         0,
         "https://clerk.example.com",
         0},
        {"a production satellite",
         {.publishable_key = LIVE_KEY, .domain = "sat.dev", .satellite = 1},
         "https://clerk.sat.dev",
         NULL,
         "https://accounts.example.com",
         "https://clerk.sat.dev/.well-known/jwks.json",
         0,
         "https://clerk.sat.dev https://clerk.example.com",
         0},
        {"a satellite behind a proxy",
         {.publishable_key = LIVE_KEY, .proxy_url = "https://sat.dev/__clerk", .satellite = 1},
         "https://clerk.example.com",
         "https://sat.dev/__clerk",
         "https://accounts.example.com",
         "https://clerk.example.com/.well-known/jwks.json",
         0,
         "https://clerk.example.com https://sat.dev/__clerk https://sat.dev/__clerk/",
         0},
        {"a development satellite",
         {.publishable_key = TEST_KEY, .domain = "sat.dev", .satellite = 1},
         "https://happy-hippo-1.clerk.accounts.dev",
         NULL,
         "https://happy-hippo-1.accounts.dev",
         "https://happy-hippo-1.clerk.accounts.dev/.well-known/jwks.json",
         0,
         "https://happy-hippo-1.clerk.accounts.dev https://clerk.sat.dev",
         0},
        {"a domain without satellite",
         {.publishable_key = LIVE_KEY, .domain = "sat.dev"},
         "https://clerk.example.com",
         NULL,
         "https://accounts.example.com",
         "https://clerk.example.com/.well-known/jwks.json",
         0,
         "https://clerk.example.com",
         1},
        {"only a secret key",
         {.secret_key = "sk_live_x"},
         NULL,
         NULL,
         NULL,
         "https://api.clerk.com/v1/jwks",
         1,
         "any",
         1},
        {"only a JWKS URL",
         {.jwks_url = "https://keys.test/jwks?x=1"},
         NULL,
         NULL,
         NULL,
         "https://keys.test/jwks?x=1",
         0,
         "any",
         1},
        {"nothing", {.publishable_key = " "}, NULL, NULL, NULL, NULL, 0, "any", 1},
        {"a frontend API without a key",
         {.frontend_api = "clerk.test"},
         "https://clerk.test",
         NULL,
         NULL,
         "https://clerk.test/.well-known/jwks.json",
         0,
         "https://clerk.test",
         0},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_instance *instance = clerk_fixture_instance(f, &rows[i].options);

        assert_case(rows[i].name, instance->frontend_url, rows[i].frontend_url);
        assert_case(rows[i].name, instance->proxy_url, rows[i].proxy_url);
        assert_case(rows[i].name, instance->account_portal, rows[i].account_portal);
        assert_case(rows[i].name, instance->jwks_url, rows[i].jwks_url);
        assert_int_equal(instance->jwks_needs_secret, rows[i].needs_secret);
        assert_case(rows[i].name, joined(instance->issuers, f->pool), rows[i].issuers);
        assert_case(rows[i].name, instance->warning ? "warns" : "", rows[i].warns ? "warns" : "");
    }
}

static void issuers_can_be_given(void **state)
{
    fixture *f = *state;
    clerk_instance_options options = {.publishable_key = LIVE_KEY};

    options.issuers = list_of(f->pool, "https://a.test", "https://b.test/");
    assert_string_equal(joined(clerk_fixture_instance(f, &options)->issuers, f->pool),
                        "https://a.test https://b.test/");
    options.issuers = list_of(f->pool, "any", NULL);
    assert_null(clerk_fixture_instance(f, &options)->issuers);
    assert_non_null(clerk_fixture_instance(f, &options)->warning);
    options.issuers = list_of(f->pool, "auto", NULL);
    assert_string_equal(joined(clerk_fixture_instance(f, &options)->issuers, f->pool), "https://clerk.example.com");
    options.issuers = list_of(f->pool, NULL, NULL);
    assert_string_equal(joined(clerk_fixture_instance(f, &options)->issuers, f->pool), "https://clerk.example.com");
}

static void what_cannot_work_is_refused_with_a_text_that_names_the_directive(void **state)
{
    static const struct {
        clerk_instance_options options;
        const char *begins;
    } rows[] = {
        {{.publishable_key = "nonsense"}, "ClerkPublishableKey:"},
        {{.publishable_key = LIVE_KEY, .secret_key = "sk_test_x"}, "ClerkPublishableKey and ClerkSecretKey"},
        {{.publishable_key = TEST_KEY, .secret_key = "sk_live_x"}, "ClerkPublishableKey and ClerkSecretKey"},
        {{.publishable_key = TEST_KEY, .secret_key = "live_x"}, "ClerkPublishableKey and ClerkSecretKey"},
        {{.secret_key = "sk_live_x\nsk_live_y"}, "ClerkSecretKey:"},
        {{.secret_key = LIVE_KEY}, "ClerkSecretKey:"},
        {{.secret_key = "abc"}, "ClerkSecretKey: this is no secret key"},
        {{.secret_key = "CLERK_SECRET_KEY=sk_live_x"}, "ClerkSecretKey: the file or variable"},
        {{.secret_key = "\"sk_live_x\""}, "ClerkSecretKey: the file or variable"},
        {{.publishable_key = LIVE_KEY, .frontend_api = "a/b"}, "ClerkFrontendAPI:"},
        {{.publishable_key = LIVE_KEY, .frontend_api = "http://clerk.example.com"}, "ClerkFrontendAPI:"},
        {{.publishable_key = LIVE_KEY, .frontend_api = "ftp://clerk.example.com"}, "ClerkFrontendAPI:"},
        {{.publishable_key = LIVE_KEY, .proxy_url = "https://clerk.example.com/?x"}, "ClerkProxyURL:"},
        {{.publishable_key = LIVE_KEY, .proxy_url = "http://clerk.example.com/"}, "ClerkProxyURL:"},
        {{.publishable_key = LIVE_KEY, .proxy_url = "//evil.test/"}, "ClerkProxyURL:"},
        {{.publishable_key = LIVE_KEY, .proxy_url = "/"}, "ClerkProxyURL:"},
        {{.publishable_key = LIVE_KEY, .proxy_url = "/a?b"}, "ClerkProxyURL:"},
        {{.publishable_key = LIVE_KEY, .proxy_url = "/a b"}, "ClerkProxyURL:"},
        {{.publishable_key = LIVE_KEY, .proxy_url = "https://clerk.example.com/a b"}, "ClerkProxyURL:"},
        {{.publishable_key = LIVE_KEY, .domain = "a b"}, "ClerkDomain:"},
        {{.publishable_key = LIVE_KEY, .domain = "a.b:port"}, "ClerkDomain:"},
        {{.publishable_key = LIVE_KEY, .satellite = 1}, "ClerkSatellite On:"},
        {{.publishable_key = LIVE_KEY, .api_url = "http://api.clerk.com"}, "ClerkAPIURL:"},
        {{.publishable_key = LIVE_KEY, .api_url = "https://api.clerk.com/?x"}, "ClerkAPIURL:"},
        {{.publishable_key = LIVE_KEY, .jwks_url = "http://api.clerk.com"}, "ClerkJWKSURL:"},
    };
    fixture *f = *state;
    static const char *const issuers[] = {"", "a b", "any", "auto"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_instance *instance;
        const char *problem = clerk_instance_create(&instance, &rows[i].options, f->pool);

        assert_case(rows[i].begins, problem ? apr_pstrndup(f->pool, problem, strlen(rows[i].begins)) : NULL,
                    rows[i].begins);
        assert_null(instance);
        assert_null(strstr(problem, "sk_test_x"));
        assert_null(strstr(problem, "sk_live_x"));
    }
    for (size_t i = 0; i < COUNT(issuers); i++) {
        clerk_instance_options options = {.publishable_key = LIVE_KEY};
        clerk_instance *instance;

        options.issuers = list_of(f->pool, "https://a.test", issuers[i]);
        assert_non_null(clerk_instance_create(&instance, &options, f->pool));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(publishable_keys_are_read_as_the_table_says),
        fixture_test(cookie_suffixes_are_those_of_the_key_as_written),
        fixture_test(account_portals_follow_from_the_host),
        fixture_test(derived_values),
        fixture_test(issuers_can_be_given),
        fixture_test(what_cannot_work_is_refused_with_a_text_that_names_the_directive),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
