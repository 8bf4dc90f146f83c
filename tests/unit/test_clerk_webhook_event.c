/* SPDX-License-Identifier: Apache-2.0 */
/* What an event of Clerk revokes, and since when; and which tokens that concerns. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "clerk/webhook/event.h"
#include "clerk/webhook/webhook_counts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SENT apr_time_from_sec(1800000000)
#define SETS 16

static apr_pool_t *pool;
static _Alignas(64) unsigned char memory[64 + SETS * 64];
static clerk_revocations table;
static const unsigned char key[CLERK_REVOKED_KEY] = "instance one", other_key[CLERK_REVOKED_KEY] = "instance two";

static int set_up(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    clerk_revocations_use(&table, memory, SETS);
    return apr_pool_create(&pool, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static const char *read_text(clerk_event *event, const char *text)
{
    const jose_slice body = {text, strlen(text)};

    return clerk_event_read(event, body, SENT, pool);
}

/* An event as one text: its type, what it revokes, and whose profile changes. */
static const char *summary(const clerk_event *event)
{
    static const char *const kinds[] = {[CLERK_REVOKED_SESSION] = "session",
                                        [CLERK_REVOKED_USER] = "user",
                                        [CLERK_REVOKED_MEMBERSHIP] = "membership",
                                        [CLERK_REVOKED_ORGANIZATION] = "organization"};
    const clerk_revoked_who *who = &event->who;
    const char *revokes
        = event->revokes
              ? apr_psprintf(pool, " revokes %s %s %s %s", kinds[who->kind], who->user_id ? who->user_id : "-",
                             who->session_id ? who->session_id : "-", who->org_id ? who->org_id : "-")
              : "";

    return apr_pstrcat(pool, clerk_event_type_text(event->type), revokes, event->changed_user ? " profile " : "",
                       event->changed_user ? event->changed_user : "", NULL);
}

#define SESSION "\"data\":{\"id\":\"sess_1\",\"user_id\":\"user_1\",\"status\":\"ended\"}"
#define MEMBERSHIP                                                                                                     \
    "\"data\":{\"id\":\"orgmem_1\",\"organization\":{\"id\":\"org_1\"},\"public_user_data\":{\"user_id\":\"user_1\"}," \
    "\"role\":\"org:member\"}"

static const struct {
    const char *event;
    const char *summary;
} events[] = {
    {"{\"type\":\"session.ended\"," SESSION "}", "session.ended revokes session user_1 sess_1 -"},
    {"{\"type\":\"session.removed\"," SESSION "}", "session.removed revokes session user_1 sess_1 -"},
    {"{\"type\":\"session.revoked\"," SESSION "}", "session.revoked revokes session user_1 sess_1 -"},
    {"{\"type\":\"session.created\"," SESSION "}", "other"},
    {"{\"type\":\"user.deleted\",\"data\":{\"id\":\"user_1\",\"deleted\":true}}",
     "user.deleted revokes user user_1 - - profile user_1"},
    {"{\"type\":\"user.updated\",\"data\":{\"id\":\"user_1\",\"banned\":false,\"locked\":false}}",
     "user.updated profile user_1"},
    {"{\"type\":\"user.updated\",\"data\":{\"id\":\"user_1\",\"banned\":true}}",
     "user.updated revokes user user_1 - - profile user_1"},
    {"{\"type\":\"user.updated\",\"data\":{\"id\":\"user_1\",\"banned\":\"true\",\"locked\":true}}",
     "user.updated revokes user user_1 - - profile user_1"},
    {"{\"type\":\"user.created\",\"data\":{\"id\":\"user_1\"}}", "other"},
    {"{\"type\":\"organizationMembership.updated\"," MEMBERSHIP "}",
     "organizationMembership.updated revokes membership user_1 - org_1"},
    {"{\"type\":\"organizationMembership.deleted\"," MEMBERSHIP "}",
     "organizationMembership.deleted revokes membership user_1 - org_1"},
    {"{\"type\":\"organizationMembership.created\"," MEMBERSHIP "}", "other"},
    {"{\"type\":\"organization.deleted\",\"data\":{\"id\":\"org_1\",\"deleted\":true}}",
     "organization.deleted revokes organization - - org_1"},
    {"{\"type\":\"organization.updated\",\"data\":{\"id\":\"org_1\"}}", "other"},
    {"{\"type\":\"email.created\"}", "other"},
    {"{\"type\":\"\"}", "other"},
    {"", "its body is no JSON object"},
    {"[]", "its body is no JSON object"},
    {"{\"type\":\"session.ended\",\"type\":\"email.created\"}", "its body is no JSON object"},
    {"{}", "it has no type"},
    {"{\"type\":7}", "it has no type"},
    {"{\"type\":\"session.ended\"}", "it names no session and user"},
    {"{\"type\":\"session.ended\",\"data\":{\"id\":\"sess_1\"}}", "it names no session and user"},
    {"{\"type\":\"session.ended\",\"data\":{\"id\":\"\",\"user_id\":\"user_1\"}}", "it names no session and user"},
    {"{\"type\":\"session.ended\",\"data\":{\"id\":7,\"user_id\":\"user_1\"}}", "it names no session and user"},
    {"{\"type\":\"user.deleted\",\"data\":{}}", "it names no user"},
    {"{\"type\":\"user.updated\",\"data\":[]}", "it names no user"},
    {"{\"type\":\"organizationMembership.deleted\",\"data\":{\"organization\":{\"id\":\"org_1\"}}}",
     "it names no user and organization"},
    {"{\"type\":\"organization.deleted\",\"data\":{\"deleted\":true}}", "it names no organization"},
};

static void each_type_says_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(events); i++) {
        clerk_event event;
        const char *problem = read_text(&event, events[i].event);

        assert_string_equal(problem ? problem : summary(&event), events[i].summary);
    }
}

static const struct {
    const char *timestamp;
    apr_time_t at;
} times[] = {
    {"\"timestamp\":1799999000123,", apr_time_from_sec(1799999000) + 123000},
    {"\"timestamp\":1800000000000,", SENT},
    {"\"timestamp\":1800000000999,", SENT + 999000},
    {"\"timestamp\":1800000001000,", SENT},
    {"\"timestamp\":1e300,", SENT},
    {"\"timestamp\":-5,", SENT},
    {"\"timestamp\":0,", SENT},
    {"\"timestamp\":\"1799999000123\",", SENT},
    {"\"timestamp\":null,", SENT},
    {"", SENT},
};

static void it_happened_when_it_says_but_not_in_the_future(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        clerk_event event;

        assert_null(read_text(
            &event, apr_pstrcat(pool, "{", times[i].timestamp, "\"type\":\"session.ended\"," SESSION "}", NULL)));
        assert_int_equal(event.at, times[i].at);
    }
}

/* A token of alice in session s1, with an active organization or without. */
static clerk_identity identity(const char *user, const char *session, const char *org)
{
    clerk_identity result = {.subject = user, .user_id = user, .session_id = session, .org_id = org};

    return result;
}

static void mark(clerk_revoked_kind kind, const char *user, const char *session, const char *org)
{
    const clerk_revoked_who who = {kind, user, session, org};
    clerk_revocation revocation;

    assert_true(clerk_revoked_make(&revocation, key, &who, 1000));
    clerk_revocations_add(&table, &revocation);
}

static int is_revoked(const char *user, const char *session, const char *org)
{
    const clerk_identity who = identity(user, session, org);

    assert_false(clerk_revoked_is(&table, key, &who, 1001));
    assert_false(clerk_revoked_is(&table, other_key, &who, 1000));
    assert_int_equal(clerk_revoked_is(&table, key, &who, 1000), clerk_revoked_is(&table, key, &who, 1));
    return clerk_revoked_is(&table, key, &who, 1000);
}

static void it_concerns_these_tokens_and_no_others(void **state)
{
    (void)state;
    mark(CLERK_REVOKED_SESSION, "alice", "s1", NULL);
    assert_true(is_revoked("alice", "s1", NULL));
    assert_true(is_revoked("alice", "s1", "acme"));
    assert_false(is_revoked("alice", "s2", "acme"));
    assert_false(is_revoked("bob", "s3", NULL));
    mark(CLERK_REVOKED_USER, "bob", NULL, NULL);
    assert_true(is_revoked("bob", "s3", NULL));
    assert_true(is_revoked("bob", "s4", "acme"));
    assert_false(is_revoked("alice", "s2", NULL));
    mark(CLERK_REVOKED_MEMBERSHIP, "carol", NULL, "acme");
    assert_true(is_revoked("carol", "s5", "acme"));
    assert_false(is_revoked("carol", "s5", "globex"));
    assert_false(is_revoked("carol", "s5", NULL));
    assert_false(is_revoked("dave", "s6", "acme"));
    mark(CLERK_REVOKED_ORGANIZATION, NULL, NULL, "globex");
    assert_true(is_revoked("dave", "s6", "globex"));
    assert_true(is_revoked("carol", "s5", "globex"));
    assert_false(is_revoked("dave", "s6", "acme"));
    assert_false(is_revoked("dave", "s6", NULL));
}

static void an_id_that_is_too_long_is_never_good(void **state)
{
    char *longest = apr_palloc(pool, CLERK_REVOKED_ID_MAX + 2);
    clerk_revocation revocation;
    clerk_identity who;

    (void)state;
    memset(longest, 'x', CLERK_REVOKED_ID_MAX + 2);
    longest[CLERK_REVOKED_ID_MAX] = '\0';
    assert_true(clerk_revoked_make(&revocation, key, &(clerk_revoked_who){CLERK_REVOKED_USER, longest, NULL, NULL}, 5));
    longest[CLERK_REVOKED_ID_MAX] = 'x';
    longest[CLERK_REVOKED_ID_MAX + 1] = '\0';
    assert_false(
        clerk_revoked_make(&revocation, key, &(clerk_revoked_who){CLERK_REVOKED_USER, longest, NULL, NULL}, 5));
    assert_false(clerk_revoked_make(&revocation, key, &(clerk_revoked_who){CLERK_REVOKED_USER, "", NULL, NULL}, 5));
    assert_false(
        clerk_revoked_make(&revocation, key, &(clerk_revoked_who){CLERK_REVOKED_USER, "alice", NULL, NULL}, 0));
    who = identity("alice", longest, NULL);
    assert_false(clerk_revoked_is(&table, key, &who, 1000));
    mark(CLERK_REVOKED_USER, "bob", NULL, NULL);
    assert_true(clerk_revoked_is(&table, key, &who, 1000));
    assert_false(clerk_revoked_is(&table, key, &who, 1001));
}

static void the_last_message_is_known(void **state)
{
    static clerk_webhook_counts counts;
    clerk_webhook_last last;
    clerk_event event;

    (void)state;
    clerk_webhook_counts_last(&last, &counts);
    assert_int_equal(last.at, 0);
    assert_string_equal(clerk_webhook_counts_fate_text(last.fate), "none");
    assert_null(read_text(&event, "{\"type\":\"user.deleted\",\"timestamp\":1799999999500,\"data\":{\"id\":\"u\"}}"));
    clerk_webhook_counts_add(&counts, CLERK_WEBHOOK_APPLIED, &event, SENT);
    clerk_webhook_counts_last(&last, &counts);
    assert_true(SENT - last.at < 1024);
    assert_int_equal(last.type, CLERK_EVENT_USER_DELETED);
    assert_int_equal(last.fate, CLERK_WEBHOOK_APPLIED);
    assert_int_equal(last.lag, 500000);
    clerk_webhook_counts_add(&counts, CLERK_WEBHOOK_REFUSED, NULL, SENT + apr_time_from_sec(9));
    clerk_webhook_counts_last(&last, &counts);
    assert_int_equal(last.type, CLERK_EVENT_OTHER);
    assert_string_equal(clerk_webhook_counts_fate_text(last.fate), "refused");
    assert_int_equal(counts.applied[CLERK_EVENT_USER_DELETED], 1);
    assert_int_equal(counts.refused, 1);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(each_type_says_what_it_says),
        test(it_happened_when_it_says_but_not_in_the_future),
        test(it_concerns_these_tokens_and_no_others),
        test(an_id_that_is_too_long_is_never_good),
        test(the_last_message_is_known),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
