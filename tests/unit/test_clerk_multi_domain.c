/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_decision.h"

#include "clerk/outcome.h"

static void foreign_referrers_ask_for_the_newest_state(void **state)
{
#define SYNC "handshake primary-domain-cross-origin-sync"
#define SIGNED_IN_COOKIES "__session=<S>; __client_uat=1"
    static const struct {
        const char *referer;
        int foreign;
    } referrers[] = {
        {"https://evil.test/", 1},
        {"http://app.example.com/", 1},
        {"https://app.example.com:8443/", 1},
        {"https://accounts.attacker.com/", 1},
        {"https://x.accounts.dev/", 1},
        {"https://accounts.x.lcl.dev/", 1},
        {"http://accounts.example.com/", 1},
        {"https://accounts.example.com:99/", 1},
        {"about:blank", 1},
        {"data:text/html,x", 1},
        {"android-app://com.example/", 1},
        /* A20: as the URL standard reads it */
        {"http:\\\\other\\", 1},
        {"https:/other.test", 1},
        {"HTTPS:other.test/", 1},
        {"https:////other.test/", 1},
        {"https:\\/app.example.com/", 0},
        {"https:APP.example.com", 0},
        {"http:app.example.com", 1},
        {"http:\\\\", 0},
        {"HTTP://[", 0},
        {"+a:x", 0},
        {"https://app.example.com/other", 0},
        {"https://APP.example.com:443/", 0},
        {"https://user@app.example.com/", 0},
        {"https://clerk.example.com/", 0},
        {"https://clerk.example.com:99/", 0},
        {"http://clerk.example.com/", 0},
        {"https://accounts.example.com/x", 0},
        {"nonsense", 0},
        {"/x", 0},
        {":x", 0},
        {"1a:x", 0},
        {"https://", 0},
        {NULL, 0},
    };
    static const row rows[] = {
        {.name = "iframe",
         .cookie = SIGNED_IN_COOKIES,
         .referer = "https://evil.test/",
         .sec_fetch_dest = "iframe",
         .expected = "signed-in"},
        {.name = "POST",
         .cookie = SIGNED_IN_COOKIES,
         .referer = "https://evil.test/",
         .method = "POST",
         .expected = "signed-in"},
        {.name = "no fetch metadata",
         .cookie = SIGNED_IN_COOKIES,
         .referer = "https://evil.test/",
         .sec_fetch_dest = "",
         .accept = "text/html",
         .expected = "signed-in"},
        {.name = "a pending session too",
         .cookie = "__session=<pending>; __client_uat=1",
         .referer = "https://evil.test/",
         .expected = SYNC,
         .location = HANDSHAKE},
        {.name = "another page is back from its handshake",
         .cookie = SIGNED_IN_COOKIES "; __clerk_redirect_count_6e7f84f2=1; __clerk_redirect_count=1",
         .target = "/q",
         .referer = "https://evil.test/",
         .expected = SYNC,
         .location = HANDSHAKE},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    clerk_instance_options proxied = {.publishable_key = LIVE_KEY, .proxy_url = "https://proxy.test/__clerk"};
    clerk_instance_options local = {.publishable_key = LIVE_KEY, .proxy_url = "/__clerk"};
    row r = {.cookie = SIGNED_IN_COOKIES};

    for (size_t i = 0; i < COUNT(referrers); i++) {
        r.referer = referrers[i].referer;
        assert_case(r.referer, verdict(decide_row(f, instance, &r), f->pool),
                    referrers[i].foreign ? SYNC : "signed-in");
    }
    run(f, instance, rows, COUNT(rows));
    /* Back from its handshake. */
    assert_string_equal(verdict(decide_row(f, instance,
                                           &(row){.cookie = SIGNED_IN_COOKIES "; __clerk_redirect_count_6e7f84f2=1",
                                                  .referer = "https://evil.test/"}),
                                f->pool),
                        "signed-in");
    r.referer = "https://proxy.test/";
    assert_string_equal(verdict(decide_row(f, clerk_fixture_instance(f, &proxied), &r), f->pool), "signed-in");
    assert_string_equal(verdict(decide_row(f, instance, &r), f->pool), SYNC);
    r.referer = "http://app.example.com/";
    assert_string_equal(verdict(decide_row(f, clerk_fixture_instance(f, &local), &r), f->pool), "signed-in");
    /* With a proxy URL the Account Portal is not recognized, as in the SDK (protocol.md 9.5). */
    r.referer = "https://accounts.example.com/";
    assert_string_equal(verdict(decide_row(f, clerk_fixture_instance(f, &proxied), &r), f->pool), SYNC);
    r.referer = "https://evil.test/";
    f->policy.cross_origin_sync = 0;
    assert_string_equal(verdict(decide_row(f, instance, &r), f->pool), "signed-in");
}

static void development_portals_are_clerks_own_in_development(void **state)
{
    static const struct {
        const char *referer;
        int foreign;
    } rows[] = {
        {"https://x.accounts.dev/", 0},
        {"https://x.accountsstage.dev/", 0},
        {"https://x.accounts.lclclerk.com/", 0},
        {"https://accounts.foo.lcl.dev/", 0},
        {"https://accounts.foo.lclstage.dev/", 0},
        {"https://accounts.foo.dev.lclclerk.com/", 0},
        {"https://x.clerk.accounts.dev/", 1},
        {"https://x.clerk.accountsstage.dev/", 1},
        {"https://foo.lcl.dev/", 1},
        {"https://accounts.evil.test/", 1},
        {"https://happy-hippo-1.clerk.accounts.dev/", 0},
    };
    fixture *f = *state;
    row r = {.cookie = "__session=<dev>; __client_uat=1; __clerk_db_jwt=d"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        r.referer = rows[i].referer;
        assert_case(r.referer, verdict(decide_row(f, test_instance(f), &r), f->pool),
                    rows[i].foreign ? SYNC : "signed-in");
    }
}

static void which_cookies_count(void **state)
{
#define S_S "__session_" LIVE_SUFFIX
#define S_U "__client_uat_" LIVE_SUFFIX
    static const row rows[] = {
        {.name = "only U", .cookie = "__session=<S>; __client_uat=1", .expected = "signed-in"},
        {.name = "only S", .cookie = S_S "=<S>; " S_U "=1", .expected = "signed-in"},
        {.name = "only S session", .cookie = S_S "=<S>", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "only S uat", .cookie = S_U "=5", .expected = "handshake " REASON_NO_SESSION, .location = HANDSHAKE},
        {.name = "U of another instance",
         .cookie = "__session=<foreign>; __client_uat=1",
         .expected = "signed-out session-token-and-uat-missing"},
        {.name = "U of another instance, S valid",
         .cookie = "__session=<foreign>; __client_uat=1; " S_S "=<S>; " S_U "=1",
         .expected = "signed-in"},
        {.name = "U without iss",
         .cookie = "__session=<no-iss>; __client_uat=1; " S_S "=<S>; " S_U "=1",
         .expected = "signed-out token-invalid-issuer"},
        {.name = "U garbage",
         .cookie = "__session=garbage; __client_uat=1; " S_S "=<S>; " S_U "=1",
         .expected = "signed-out token-invalid"},
        {.name = "S uat 0, U uat 1",
         .cookie = "__session=<S>; __client_uat=1; " S_S "=<newer>; " S_U "=0",
         .expected = "signed-in"},
        {.name = "S uat 0, U uat absent",
         .cookie = "__session=<S>; " S_S "=<S>; " S_U "=0",
         .expected = "handshake " REASON_NO_UAT,
         .location = HANDSHAKE},
        {.name = "both uat 0",
         .cookie = "__session=<S>; __client_uat=0; " S_S "=<S>; " S_U "=0",
         .expected = "handshake " REASON_NO_UAT,
         .location = HANDSHAKE},
        {.name = "S expired, U uat 0",
         .cookie = "__client_uat=0; " S_S "=<X>; " S_U "=1",
         .expected = "handshake " NO_REFRESH,
         .location = HANDSHAKE},
    };
    fixture *f = *state;
    clerk_instance_options any = {.publishable_key = LIVE_KEY};
    const row newer_u = {.cookie = "__session=<newer>; __client_uat=1; " S_S "=<S>; " S_U "=1"};
    const row newer_s = {.cookie = "__session=<S>; __client_uat=1; " S_S "=<newer>; " S_U "=1"};
    const row signed_out_u = {.cookie = "__session=<newer>; __client_uat=0; " S_S "=<S>; " S_U "=1"};
    const row no_s_uat = {.cookie = "__session=<S>; __client_uat=1; " S_S "=<newer>"};
    const row no_iss = {.cookie = "__session=<no-iss>; __client_uat=1; " S_S "=<S>; " S_U "=1"};

    run(f, live_instance(f), rows, COUNT(rows));
    assert_string_equal(decide_row(f, live_instance(f), &newer_u)->identity->user_id, "user_newer");
    assert_string_equal(decide_row(f, live_instance(f), &newer_s)->identity->user_id, "user_newer");
    assert_string_equal(decide_row(f, live_instance(f), &signed_out_u)->identity->user_id, "user_1");
    assert_string_equal(decide_row(f, live_instance(f), &no_s_uat)->identity->user_id, "user_1");
    any.issuers = list_of(f->pool, "any", NULL);
    assert_string_equal(decide_row(f, clerk_fixture_instance(f, &any), &no_iss)->identity->user_id, "user_noiss");
}

static void development_instances(void **state)
{
#define DEV_COOKIES "__session=<dev>; __client_uat=1; __clerk_db_jwt=d"
    static const row rows[] = {
        {.name = "nothing", .expected = "handshake dev-browser-missing", .location = DEV_HANDSHAKE},
        {.name = "nothing, no page", .sec_fetch_dest = "empty", .expected = "signed-out dev-browser-missing"},
        {.name = "signed in", .cookie = DEV_COOKIES, .expected = "signed-in"},
        {.name = "no dev browser",
         .cookie = "__session=<dev>; __client_uat=1",
         .expected = "handshake dev-browser-missing",
         .location = DEV_HANDSHAKE},
        {.name = "only the dev browser",
         .cookie = "__clerk_db_jwt=d",
         .expected = "signed-out session-token-and-uat-missing"},
        {.name = "dev browser in the query",
         .cookie = DEV_COOKIES,
         .target = "/p?__clerk_db_jwt=v%2F&__dev_session=x&a",
         .expected = "handshake dev-browser-sync",
         .location = "https://happy-hippo-1.clerk.accounts.dev/v1/client/handshake?redirect_url="
                     "https%3A%2F%2Fapp.example.com%2Fp%3Fa%3D&__clerk_api_version=2026-05-12&suffixed_cookies=false&"
                     "__clerk_hs_reason=dev-browser-sync&format=nonce&__session=..."},
        {.name = "an empty dev browser in the query",
         .cookie = DEV_COOKIES,
         .target = "/p?__clerk_db_jwt=",
         .expected = "handshake dev-browser-sync",
         .location = DEV_HANDSHAKE},
        {.name = "no page",
         .cookie = DEV_COOKIES,
         .target = "/p?__clerk_db_jwt=v",
         .sec_fetch_dest = "empty",
         .expected = "signed-out dev-browser-sync"},
        {.name = "a satellite asks",
         .cookie = DEV_COOKIES,
         .target = "/?__clerk_redirect_url=https%3A%2F%2Fsat.dev%2Fx%3F__clerk_synced%3Dfalse%26y",
         .expected = "handshake primary-responds-to-syncing",
         .location = "https://sat.dev/x?__clerk_synced=true&y=&__clerk_db_jwt=d"},
        {.name = "a satellite asks without a parameter",
         .target = "/?__clerk_redirect_url=https://sat.dev",
         .expected = "handshake primary-responds-to-syncing",
         .location = "https://sat.dev/?__clerk_synced=true"},
        {.name = "a satellite asks, no page",
         .cookie = DEV_COOKIES,
         .sec_fetch_dest = "empty",
         .target = "/?__clerk_redirect_url=https://sat.dev",
         .expected = "signed-out primary-responds-to-syncing"},
        {.name = "both parameters",
         .cookie = DEV_COOKIES,
         .target = "/?__clerk_redirect_url=https://sat.dev&__clerk_db_jwt=v",
         .expected = "handshake primary-responds-to-syncing",
         .location = "https://sat.dev/?__clerk_db_jwt=v&__clerk_synced=true"},
        {.name = "not a URL", .cookie = DEV_COOKIES, .target = "/?__clerk_redirect_url=/x", .expected = "signed-in"},
        {.name = "another scheme",
         .cookie = DEV_COOKIES,
         .target = "/?__clerk_redirect_url=javascript:alert(1)//",
         .expected = "signed-in"},
        {.name = "credentials",
         .cookie = DEV_COOKIES,
         .target = "/?__clerk_redirect_url=https://a:b@sat.dev/",
         .expected = "signed-in"},
        {.name = "empty", .cookie = DEV_COOKIES, .target = "/?__clerk_redirect_url=", .expected = "signed-in"},
        {.name = "S expired, U signed out",
         .cookie
         = "__clerk_db_jwt=d; __client_uat=0; __session_" TEST_SUFFIX "=<dev-expired>; __client_uat_" TEST_SUFFIX "=1",
         .expected = "signed-out session-token-and-uat-missing"},
    };
    fixture *f = *state;
    const clerk_instance *instance = test_instance(f);
    const row asks = {.cookie = DEV_COOKIES, .target = "/?__clerk_redirect_url=https://sat.dev/"};
    const clerk_outcome *outcome;

    run(f, instance, rows, COUNT(rows));
    outcome = decide_row(f, instance, &rows[2]);
    assert_string_equal(outcome->dev_browser, "d");
    outcome = decide_row(f, instance, &rows[5]);
    assert_string_equal(outcome->dev_browser, "v/");
    assert_non_null(strstr(outcome->location, "&__clerk_db_jwt=v%2F"));

    /* With ClerkAuthorizedParties, only these origins get the dev browser token. */
    f->policy.authorized_parties = list_of(f->pool, "https://app.example.com", NULL);
    assert_string_equal(decide_row(f, instance, &asks)->reason_text, "token-invalid-authorized-parties");
    f->policy.authorized_parties = list_of(f->pool, "https://app.example.com", "https://sat.dev");
    assert_string_equal(decide_row(f, instance, &asks)->reason_text, "primary-responds-to-syncing");
    f->policy.authorized_parties = list_of(f->pool, NULL, NULL);
    assert_string_equal(decide_row(f, instance, &asks)->reason_text, "primary-responds-to-syncing");
}

static void satellites_in_production(void **state)
{
#define SAT "https://clerk.sat.dev/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F..."
    static const row rows[] = {
        {.name = "nothing", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "asked to",
         .target = "/?__clerk_synced=false",
         .expected = "handshake satellite-needs-syncing",
         .location = "https://clerk.sat.dev/v1/client/handshake?redirect_url="
                     "https%3A%2F%2Fapp.example.com%2F%3F__clerk_synced%3Dfalse&..."},
        {.name = "asked to, with cookies",
         .cookie = "__session=<sat>; __client_uat=1",
         .target = "/?__clerk_synced=false",
         .expected = "handshake satellite-needs-syncing",
         .location = SAT},
        {.name = "done", .target = "/?__clerk_synced=true", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "with cookies", .cookie = "__session=<sat>; __client_uat=1", .expected = "signed-in"},
        {.name = "foreign referrer",
         .cookie = "__session=<sat>; __client_uat=1",
         .referer = "https://evil.test/",
         .expected = "signed-in"},
        {.name = "POST",
         .target = "/?__clerk_synced=false",
         .method = "POST",
         .expected = "signed-out session-token-and-uat-missing"},
        {.name = "iframe",
         .target = "/?__clerk_synced=false",
         .sec_fetch_dest = "iframe",
         .expected = "signed-out session-token-and-uat-missing"},
        {.name = "no fetch metadata",
         .target = "/?__clerk_synced=false",
         .sec_fetch_dest = "",
         .accept = "text/html",
         .expected = "signed-out session-token-and-uat-missing"},
        {.name = "loop",
         .target = "/?__clerk_synced=false",
         .cookie = "__clerk_redirect_count=3",
         .expected = "signed-out satellite-needs-syncing"},
        {.name = "1 means nothing",
         .target = "/?__clerk_synced=1",
         .expected = "signed-out session-token-and-uat-missing"},
    };
    static const row auto_rows[] = {
        {.name = "nothing", .expected = "handshake satellite-needs-syncing", .location = SAT},
        {.name = "1 means nothing",
         .target = "/?__clerk_synced=1",
         .expected = "handshake satellite-needs-syncing",
         .location = SAT},
        {.name = "done", .target = "/?__clerk_synced=true", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "with cookies", .cookie = "__session=<sat>; __client_uat=1", .expected = "signed-in"},
    };
    fixture *f = *state;
    clerk_instance_options options = {.publishable_key = LIVE_KEY, .domain = "sat.dev", .satellite = 1};

    run(f, clerk_fixture_instance(f, &options), rows, COUNT(rows));
    options.satellite_auto_sync = 1;
    run(f, clerk_fixture_instance(f, &options), auto_rows, COUNT(auto_rows));
}

static void satellites_in_development(void **state)
{
#define PRIMARY "https://primary.dev/sign-in?a=1&__clerk_redirect_url=https%3A%2F%2Fapp.example.com"
    static const row rows[] = {
        {.name = "nothing", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "asked to",
         .target = "/x?__clerk_synced=false&a=b%20c",
         .expected = "handshake satellite-needs-syncing",
         .location = PRIMARY "%2Fx%3F__clerk_synced%3Dfalse%26a%3Db%2520c"},
        {.name = "asked to, no page",
         .target = "/x?__clerk_synced=false",
         .sec_fetch_dest = "empty",
         .expected = "signed-out dev-browser-missing"},
        {.name = "answered",
         .target = "/x?__clerk_synced=true&__clerk_db_jwt=dv",
         .expected = "handshake dev-browser-sync",
         .location = DEV_HANDSHAKE},
        {.name = "it never answers itself",
         .target = "/?__clerk_synced=true&__clerk_redirect_url=https://evil.test/",
         .expected = "handshake dev-browser-missing",
         .location = DEV_HANDSHAKE},
    };
    static const row unknown[] = {{.name = "no sign-in URL",
                                   .target = "/?__clerk_synced=false",
                                   .expected = "signed-out satellite-needs-syncing"}};
    fixture *f = *state;
    clerk_instance_options options
        = {.publishable_key = TEST_KEY, .secret_key = "sk_test_x", .domain = "sat.dev", .satellite = 1};

    f->policy.sign_in_url = "https://primary.dev/sign-in?a=1";
    run(f, clerk_fixture_instance(f, &options), rows, COUNT(rows));
    f->policy.sign_in_url = "/sign-in";
    run(f, clerk_fixture_instance(f, &options), unknown, COUNT(unknown));
    f->policy.sign_in_url = NULL;
    run(f, clerk_fixture_instance(f, &options), unknown, COUNT(unknown));
}

static void organizations_in_the_url(void **state)
{
#define MISMATCH "handshake active-organization-mismatch"
    static const struct {
        const char *name;
        const char *target;
        const char *session;
        const char *expected;
        const char *organization; /* NULL: no handshake */
    } rows[] = {
        {"the slug", "/orgs/acme", "<org>", "signed-in", NULL},
        {"another slug", "/orgs/ac%20me/x", "<org>", MISMATCH, "&organization_id=ac%2520me"},
        {"no organization, a slug", "/orgs/acme", "<S>", MISMATCH, "&organization_id=acme"},
        {"the id", "/by-id/org_1", "<org>", "signed-in", NULL},
        {"another id", "/by-id/org_2", "<org>", MISMATCH, "&organization_id=org_2"},
        {"personal", "/me", "<org>", MISMATCH, "&organization_id="},
        {"personal already", "/me", "<S>", "signed-in", NULL},
        {"nothing asked for", "/x", "<org>", "signed-in", NULL},
        {"another reason", "/orgs/acme", "<X>", "handshake " NO_REFRESH, "&organization_id=acme"},
        {"pending", "/orgs/acme", "<pending>", "signed-out session-pending", NULL},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    apr_array_header_t *patterns = list_of(f->pool, "/orgs/:slug{/(.*)}?", "/by-id/:id");
    clerk_organization_sync *sync;
    const clerk_outcome *outcome;
    row r = {0};

    assert_null(clerk_organization_sync_compile(&sync, patterns, list_of(f->pool, "/me", NULL), f->pool));
    f->policy.organization_sync = sync;
    for (size_t i = 0; i < COUNT(rows); i++) {
        r.target = rows[i].target;
        r.cookie = apr_pstrcat(f->pool, "__client_uat=1; __session=", rows[i].session, NULL);
        outcome = decide_row(f, instance, &r);
        assert_case(rows[i].name, verdict(outcome, f->pool), rows[i].expected);
        assert_case(rows[i].name, outcome->location ? strstr(outcome->location, "&organization_id=") : NULL,
                    rows[i].organization);
    }
    /* If no handshake is possible, the session is accepted as it is. */
    r.target = "/orgs/other";
    r.cookie = "__client_uat=1; __session=<org>";
    r.sec_fetch_dest = "empty";
    assert_string_equal(verdict(decide_row(f, instance, &r), f->pool), "signed-in");
    r.sec_fetch_dest = NULL;
    r.cookie = "__client_uat=1; __session=<org>; __clerk_redirect_count=3";
    outcome = decide_row(f, instance, &r);
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_int_equal(outcome->loop, 1);
    f->policy.pending_sessions = CLERK_PENDING_ALLOW;
    r.cookie = "__client_uat=1; __session=<pending>";
    assert_string_equal(verdict(decide_row(f, instance, &r), f->pool), "signed-in");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(foreign_referrers_ask_for_the_newest_state),
        fixture_test(development_portals_are_clerks_own_in_development),
        fixture_test(which_cookies_count),
        fixture_test(development_instances),
        fixture_test(satellites_in_production),
        fixture_test(satellites_in_development),
        fixture_test(organizations_in_the_url),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
