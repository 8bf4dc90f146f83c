/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/url/path_pattern.h"

/* "id X", "slug X", "personal", or "none". */
static const char *target_of(const char *a, const char *b, const char *personal, const char *path, apr_pool_t *pool)
{
    clerk_organization_sync *sync;
    clerk_organization_target target;
    const char *problem = clerk_organization_sync_compile(&sync, a ? list_of(pool, a, b) : NULL,
                                                          personal ? list_of(pool, personal, NULL) : NULL, pool);

    if (problem) {
        fail_msg("%s", problem);
    }
    target = clerk_organization_sync_match(sync, path, pool);
    if (!target.wanted) {
        assert_null(target.id);
        assert_null(target.slug);
        return "none";
    }
    if (target.id) {
        return apr_pstrcat(pool, "id ", target.id, NULL);
    }
    return target.slug ? apr_pstrcat(pool, "slug ", target.slug, NULL) : "personal";
}

static void urls_name_their_organization(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        const char *personal;
        const char *path;
        const char *target;
    } rows[] = {
        {"/orgs/:slug", "/orgs/:slug/(.*)", NULL, "/orgs/acme", "slug acme"},
        {"/orgs/:slug", "/orgs/:slug/(.*)", NULL, "/orgs/acme/", "slug acme"},
        {"/orgs/:slug", "/orgs/:slug/(.*)", NULL, "/orgs/acme/a/b", "slug acme"},
        {"/orgs/:slug", NULL, NULL, "/orgs/acme/a", "none"},
        {"/orgs/:slug", NULL, NULL, "/ORGS/Acme", "slug Acme"},
        {"/ORGS/:slug", NULL, NULL, "/orgs/Acme", "slug Acme"},
        {"/orgs/:slug", NULL, NULL, "/orgs/a%2Fb", "slug a%2Fb"},
        {"/orgs/:id", "/orgs/:slug", NULL, "/orgs/x", "id x"},
        {"/orgs/:slug", "/orgs/:id", NULL, "/orgs/x", "slug x"},
        {"/orgs/:slug/:id", NULL, NULL, "/orgs/x/y", "id y"},
        {"/orgs/:slug", NULL, NULL, "//orgs/x", "none"},
        {"/orgs/:slug", NULL, NULL, "/orgs/", "none"},
        {"/orgs/:slug", NULL, NULL, "/orgs/x//", "none"},
        {"orgs/:slug", NULL, NULL, "/orgs/x", "none"},
        {"/orgs/:other", "/orgs/:slug", NULL, "/orgs/x", "none"},
        {"/orgs/:other", NULL, "/orgs/(.*)", "/orgs/x", "personal"},
        {NULL, NULL, "/personal/(.*)", "/personal", "none"},
        {NULL, NULL, "/personal/(.*)", "/personal/", "personal"},
        {NULL, NULL, "/personal/(.*)", "/personal/x/y", "personal"},
        {"/:slug", NULL, "/me", "/me", "slug me"},
        {NULL, NULL, NULL, "/x", "none"},
        /* Modifiers and groups. */
        {"/orgs/:slug?", NULL, NULL, "/orgs", "none"},
        {"/orgs/:slug?", NULL, NULL, "/orgs/x", "slug x"},
        {"/:rest*/org/:slug", NULL, NULL, "/a/b/org/x", "slug x"},
        {"/:rest*/org/:slug", NULL, NULL, "/org/x", "slug x"},
        {"/:rest+/org/:slug", NULL, NULL, "/org/x", "none"},
        {"/:rest+/org/:slug", NULL, NULL, "/a/org/x", "slug x"},
        {"{/:lang}?/orgs/:slug", NULL, NULL, "/en/orgs/x", "slug x"},
        {"{/:lang}?/orgs/:slug", NULL, NULL, "/orgs/x", "slug x"},
        {"/orgs{/x}*/:slug", NULL, NULL, "/orgs/x/x/x/y", "slug y"},
        {"/orgs{-:slug-}?/end", NULL, NULL, "/orgs-acme-/end", "slug acme"},
        {"/orgs{-:slug-}?/end", NULL, NULL, "/orgs/end", "none"},
        {"/files/:slug.json", NULL, NULL, "/files/a.b.json", "slug a.b"},
        {"/:a-:slug", NULL, NULL, "/x-y-z", "slug z"},
        {"/:a.:slug", NULL, NULL, "/x.y.z", "slug z"},
        {"/x:slug", NULL, NULL, "/xy", "slug y"},
        {"/@:slug", NULL, NULL, "/@acme", "slug acme"},
        {"/\\:slug/:slug", NULL, NULL, "/:slug/x", "slug x"},
        {"/a\\{b", NULL, "/a\\{b", "/a{b", "personal"},
        /* The text before a parameter may not begin inside it again. */
        {"ab:slug", NULL, NULL, "abc", "slug c"},
        {"ab:slug", NULL, NULL, "abcabd", "none"},
        {"ab:slug", NULL, NULL, "abcabd/", "none"},
        {"a/b:slug", NULL, NULL, "a/bca/bd", "none"},
        /* Regular expressions. */
        {"/orgs/:id(org_[a-z0-9]+)", "/orgs/:slug", NULL, "/orgs/org_1X", "id org_1X"},
        {"/orgs/:id(org_[a-z0-9]+)", "/orgs/:slug", NULL, "/orgs/acme", "slug acme"},
        {"/:id(\\d+)", NULL, NULL, "/123", "id 123"},
        {"/:id(\\d+)", NULL, NULL, "/12a", "none"},
        {"/:id(\\w{2,3})", NULL, NULL, "/ab", "id ab"},
        {"/:id(\\w{2,3})", NULL, NULL, "/abcd", "none"},
        {"/:id(\\w{2})", NULL, NULL, "/a", "none"},
        {"/:id(\\w{2,})", NULL, NULL, "/abcdef", "id abcdef"},
        {"/:id([^/]+)", NULL, NULL, "/a.b", "id a.b"},
        {"/:id(.+)", NULL, NULL, "/a/b/c/", "id a/b/c/"},
        {"/:id(.+?)", NULL, NULL, "/a/b/c/", "id a/b/c"},
        {"/:id(.*?)x", NULL, NULL, "/x", "none"},
        {"/:id(a?\?)b", NULL, NULL, "/ab", "id a"},
        {"/:id((?:foo|bar)-\\d)", NULL, NULL, "/BAR-7", "id BAR-7"},
        {"/:id(foo|)x", NULL, NULL, "/x", "none"},
        {"/:id(en|de|fr)", NULL, NULL, "/de", "id de"},
        {"/:id([\\d\\-_a-c.]+)", NULL, NULL, "/1-_b.", "id 1-_b."},
        {"/:id([-a])", NULL, NULL, "/-", "id -"},
        {"/:id([a-])", NULL, NULL, "/-", "id -"},
        {"/:id([^\\d])", NULL, NULL, "/5", "none"},
        {"/:id([\\D])", NULL, NULL, "/x", "id x"},
        {"/:id(\\W)", NULL, NULL, "/-", "id -"},
        {"/:id(\\S\\/\\.)", NULL, NULL, "/x/.", "id x/."},
        {"/:id(\\s)", NULL, NULL, "/x", "none"},
        {"/:id((?:(?:a*)*)*)b", NULL, NULL, "/aaaab", "id aaaa"},
        {"/:id(x{0}y)", NULL, NULL, "/y", "id y"},
        {"/:id(])", NULL, NULL, "/]", "id ]"},
        {"/(\\d+)-(.*)", NULL, "/(\\d+)-(.*)", "/12-x", "personal"},
        {"/:id(^x|y$)", NULL, NULL, "/x", "none"},
        {"/:id(^x|y$)", NULL, NULL, "/y", "id y"},
        {"/:id(^x|y$)", NULL, NULL, "/y/", "none"},
        {"/:id(.*)", NULL, NULL, "/x\n", "none"},
        {"/:id([^]*$)", NULL, NULL, "/x\n", "id x\n"},
        {"/:id(x$)", NULL, NULL, "/x\n", "none"},
        {"/:id(x[]{0,2})", NULL, NULL, "/x", "id x"},
        {"/:id(x[]?)", NULL, NULL, "/x]", "none"},
        {"/:id([[:alpha:]])", NULL, NULL, "/h]", "id h]"},
        {"/:id([\\d-z]+)", NULL, NULL, "/1-z", "id 1-z"},
        {"/:id([\\d-z]+)", NULL, NULL, "/a", "none"},
        {"/:id((?!me$|all$)[^/]+)", NULL, NULL, "/me", "none"},
        {"/:id((?!me$|all$)[^/]+)", NULL, NULL, "/men", "id men"},
        {"/:id(a(?=b)[^/]*)", NULL, NULL, "/abc", "id abc"},
        {"/:id([^/]+(?<=-eu)).:slug", NULL, NULL, "/a-eu.b", "id a-eu"},
        {"/:id([^/]+(?<!-eu))", NULL, NULL, "/a-eu", "none"},
        {"/:id(\\bx\\B.)", NULL, NULL, "/xy", "id xy"},
        {"/:id(a{101})", NULL, NULL, "/a", "none"},
        {"/:id(a{1,101})", NULL, NULL, "/aaa", "id aaa"},
        {"/(a{99}b{99}c{99}d{99}e{99}f{99}g{99}h{99}i{99}j{99}k{99})", NULL, NULL, "/a", "none"},
        /* Repetitions that can be empty: JavaScript takes text where it can. */
        {"/:id((?:a|b?)*)(.*)", NULL, NULL, "/abac", "id aba"},
        {"/:id((?:a?){2,3})(.*)", NULL, NULL, "/aaaa", "id aaa"},
        {"/:id((?:a?\?){2})(.*)", NULL, NULL, "/aaaa", "none"},
        {"/:id((?:a{0}b?)+)(.*)", NULL, NULL, "/bbc", "id bb"},
        /* Of two parameters with one name the later one counts, if it took part. */
        {"/:id{-:id}?", NULL, NULL, "/a-b", "id b"},
        {"/:id{-:id}?", NULL, NULL, "/a", "id a"},
        {"/:id-:id(.*)", "/:slug", NULL, "/a-", "none"},
        /* Nothing in a pattern's text is syntax of PCRE2. */
        {NULL, NULL, "/[a]\\(\\*ACCEPT)", "/[a](*ACCEPT)", "personal"},
        {"/x|^y$.#:slug", NULL, NULL, "/x|^y$.#z", "slug z"},
        {"/\\Qa:slug", NULL, NULL, "/Qab", "slug b"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *pattern = rows[i].a ? rows[i].a : rows[i].personal ? rows[i].personal : "";

        assert_case(apr_pstrcat(f->pool, pattern, " on ", rows[i].path, NULL),
                    target_of(rows[i].a, rows[i].b, rows[i].personal, rows[i].path, f->pool), rows[i].target);
    }
}

static void broken_patterns_are_refused_with_a_reason(void **state)
{
    static const char *const patterns[] = {
        "/:",
        "/:-x",
        "/(",
        "/(a",
        "/()",
        "/(?:a)",
        "/x)?(",
        "/{a",
        "/a}",
        "/a*",
        "*",
        "/{a}{",
        "/:slug*",
        "/{/:id}+",
        "/x(a)*",
        "/:a:b",
        "/:a{:b}",
        "{/:slug:x}?",
        "/(a)(b)*",
        "/a\\",
        "/{:a(b)}*",
        "/(a(b))",
        "/(a(?<n>b))",
        "/(\\1)",
        "/(\\u0041)",
        "/([a)",
        "/([z-a])",
        "/([a-\\d])",
        "/([\\q])",
        "/(*)",
        "/(+)",
        "/(a|?)",
        "/({2})",
        "/(a{)",
        "/(a{x})",
        "/(a{2,1})",
        "/(a{2)",
        "/((?:)",
        "/(a\\)",
        "/((?:(?:(?:(?:(?:(?:(?:a)))))))",
        "/((?:(?:a{100}){100}){100})",
        /* What JavaScript does not have. */
        "/(*ACCEPT)",
        "/((?:*ACCEPT))",
        "/(*UTF)",
        "/(a(*FAIL))",
        "/(x(?R))",
        "/(x(?0))",
        "/(x(?1))",
        "/(x(?&n))",
        "/(x(?P<n>a))",
        "/(x(?>a))",
        "/(x(?|a))",
        "/(x(?#a))",
        "/(x(?i)a)",
        "/(x(?i:a))",
        "/(x(?(1)a))",
        "/(x(?C1))",
        "/(a++)",
        "/(a*+)",
        "/(a?+)",
        "/(a{2}+)",
        "/(a**)",
        "/(a\\K)",
        "/(\\Aa)",
        "/(a\\z)",
        "/(a\\Z)",
        "/(\\Ga)",
        "/(\\Q*\\E)",
        "/(\\R)",
        "/(\\h)",
        "/(\\N)",
        "/(\\X)",
        "/(\\C)",
        "/(\\p{L})",
        "/(\\g1)",
        "/(\\x41)",
        "/(a{,3})",
        /* What JavaScript has, but path-to-regexp or PCRE2 has not, or with another meaning. */
        "/([(])",
        "/([(a)])",
        "/(\\k<n>)",
        "/(\\0)",
        "/(\\cA)",
        "/([\\b])",
        "/(^*)",
        "/(\\b+)",
        "/(x(?=a)*)",
        "/((?<=a+)b)",
        "/(a{65536})",
        "/((?:|a)*)",
        "/((?:a*?)*)",
        "/((?:a?\?){1,2})",
        "/((?:^|a)+)",
        "x(a*)?",
        "/orgs/caf\303\251",
        "/([^\303\251])",
    };
    fixture *f = *state;
    char longest[2000];
    clerk_organization_sync *sync;

    for (size_t i = 0; i < COUNT(patterns); i++) {
        const char *problem
            = clerk_organization_sync_compile(&sync, list_of(f->pool, patterns[i], NULL), NULL, f->pool);

        if (!problem || !strstr(problem, patterns[i]) || sync) {
            fail_msg("'%s': %s", patterns[i], problem ? problem : "accepted");
        }
    }
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_non_null(clerk_organization_sync_compile(&sync, NULL, list_of(f->pool, "/x", longest), f->pool));
    assert_null(sync);
}

/* So many groups within each other. */
static const char *nested(int depth, apr_pool_t *pool)
{
    const char *text = "a";

    while (depth-- > 0) {
        text = apr_pstrcat(pool, "(?:", text, ")", NULL);
    }
    return apr_pstrcat(pool, "/:id(", text, ")", NULL);
}

static void groups_may_be_nested_to_a_depth(void **state)
{
    fixture *f = *state;
    clerk_organization_sync *sync;

    assert_string_equal(target_of(nested(50, f->pool), NULL, NULL, "/a", f->pool), "id a");
    assert_non_null(
        clerk_organization_sync_compile(&sync, list_of(f->pool, nested(251, f->pool), NULL), NULL, f->pool));
}

static void hostile_paths_cost_no_more_than_their_length(void **state)
{
    fixture *f = *state;
    char path[CLERK_PATH_MAX + 2];

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[CLERK_PATH_MAX - 1] = '!';
    path[CLERK_PATH_MAX] = '\0';
    assert_string_equal(target_of("/((?:a*)*b)", "/((?:a|a)*(?:a|aa)*(?:a?){50}b)", NULL, path, f->pool), "none");
    assert_int_equal(strncmp(target_of("/:slug", NULL, NULL, path, f->pool), "slug aaaa", 9), 0);
    path[CLERK_PATH_MAX] = 'a';
    path[CLERK_PATH_MAX + 1] = '\0';
    assert_string_equal(target_of("/:slug", NULL, "/(.*)", path, f->pool), "none");
}

static void a_pattern_that_takes_too_long_is_given_up_and_named(void **state)
{
    static const char *const patterns[] = {
        "/((?:a*)*b)!",
        "/((?:a|a)*(?:a|aa)*(?:a?){50}(?:a*)*b)!",
        "/((?:(?=[^]*)a|(?=[^]*)a)*(?:a*)*b)!",
    };
    fixture *f = *state;
    char path[CLERK_PATH_MAX + 1];

    /* The path has all that the patterns ask for, only not in the right place. */
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    memcpy(path + CLERK_PATH_MAX - 3, "!b!", 4);
    for (size_t i = 0; i < COUNT(patterns); i++) {
        clerk_organization_target target;
        clerk_organization_sync *sync;

        /* The ones behind it are tried all the same. */
        assert_null(clerk_organization_sync_compile(&sync, list_of(f->pool, patterns[i], "/aaa:slug"),
                                                    list_of(f->pool, "/me", NULL), f->pool));
        target = clerk_organization_sync_match(sync, path, f->pool);
        assert_string_equal(target.given_up, patterns[i]);
        assert_string_equal(target.slug, path + 4);
        target = clerk_organization_sync_match(sync, "/me", f->pool);
        assert_null(target.given_up);
        assert_true(target.wanted);
    }
}

/* A pool that is gone afterwards has to take all memory with it: the sanitizers watch. */
static void matching_leaves_nothing_behind(void **state)
{
    fixture *f = *state;
    clerk_organization_sync *sync;

    assert_null(clerk_organization_sync_compile(&sync, list_of(f->pool, "/orgs/:slug", "/orgs/:slug/((?:a|b)*)"), NULL,
                                                f->pool));
    for (int i = 0; i < 100; i++) {
        apr_pool_t *request;

        assert_int_equal(apr_pool_create(&request, f->pool), APR_SUCCESS);
        assert_true(clerk_organization_sync_match(sync, "/orgs/acme/abbaabbaabba", request).wanted);
        apr_pool_destroy(request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(urls_name_their_organization),
        fixture_test(broken_patterns_are_refused_with_a_reason),
        fixture_test(groups_may_be_nested_to_a_depth),
        fixture_test(hostile_paths_cost_no_more_than_their_length),
        fixture_test(a_pattern_that_takes_too_long_is_given_up_and_named),
        fixture_test(matching_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
