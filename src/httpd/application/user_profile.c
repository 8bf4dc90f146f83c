/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/user_profile.h"

#include <apr_strings.h>

#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/process/process.h"
#include "httpd/request/request_state.h"

/* How long a profile is kept for the time when Clerk does not answer, and how long it is known that there is none. */
#define KEPT apr_time_from_sec(24 * 3600)
#define NONE_KEPT apr_time_from_sec(30)
/* Clocks of the servers of a fleet may differ by so much. */
#define SKEW apr_time_from_sec(60)
#define RETRY_AFTER 5
/* After so long in one go, background work lets the refresh of keys have its turn. */
#define REFRESHING apr_time_from_sec(1)
#define HTTP_OK_STATUS 200
#define HTTP_NOT_FOUND_STATUS 404
#define HTTP_UNAUTHORIZED_STATUS 401

/* What is stored of a user, and what one thread tells the others: when Clerk said it, and a packed profile, which is
 * empty if there is no such user. */
typedef struct entry_head {
    apr_time_t fetched_at;
} entry_head;

_Static_assert(sizeof(entry_head) + CLERK_PROFILE_PACKED_MAX <= CLERK_BACKEND_CONDENSED_MAX
                   && CLERK_BACKEND_CONDENSED_MAX <= CLERK_SOCACHE_VALUE_MAX,
               "a profile does not fit into a cache entry");

/* An entry, as it is used. */
typedef struct entry {
    apr_time_t fetched_at;
    const clerk_profile *profile; /* NULL: there is no such user */
} entry;

/* A profile that was looked up, kept until the client's request ends. */
typedef struct kept_profile {
    const clerk_runtime *runtime;
    const char *user_id;
    clerk_user_profile result;
} kept_profile;

static int read_entry(entry *e, const void *bytes, apr_size_t size, apr_pool_t *pool)
{
    entry_head head;

    if (size < sizeof(head)) {
        return 0;
    }
    memcpy(&head, bytes, sizeof(head));
    e->fetched_at = head.fetched_at;
    e->profile = NULL;
    if (size > sizeof(head)) {
        e->profile = clerk_profile_unpack((const char *)bytes + sizeof(head), size - sizeof(head), pool);
        return e->profile != NULL;
    }
    return 1;
}

/* Reduce Clerk's answer to an entry: of 200 the profile, of 404 that there is none; of any other, and of what is no
 * profile, nothing. */
static void condense(clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    entry_head head = {apr_time_now()};
    const clerk_profile *profile = NULL;
    const void *packed = "";
    apr_size_t size = 0;
    char *bytes;

    if (reply->status == HTTP_OK_STATUS) {
        profile = clerk_profile_parse(reply->body, reply->body_len, call->user_id, pool);
        if (profile) {
            packed = clerk_profile_pack(&size, profile, pool);
        }
    }
    if (!profile && reply->status != HTTP_NOT_FOUND_STATUS) {
        reply->body = "";
        reply->body_len = 0;
        return;
    }
    bytes = apr_palloc(pool, sizeof(head) + size);
    memcpy(bytes, &head, sizeof(head));
    memcpy(bytes + sizeof(head), packed, size);
    reply->body = bytes;
    reply->body_len = sizeof(head) + size;
}

static const char *why_not(const clerk_backend_reply *reply, apr_pool_t *pool)
{
    if (reply->held_back) {
        return "the Backend API is not asked at the moment";
    }
    if (reply->status == HTTP_OK_STATUS) {
        return "the Backend API's answer is no object of this user";
    }
    if (reply->status == HTTP_UNAUTHORIZED_STATUS) {
        return "the Backend API does not accept ClerkSecretKey";
    }
    return reply->status ? apr_psprintf(pool, "the Backend API answers %d", reply->status)
                         : "the Backend API does not answer";
}

static void use(clerk_user_profile *result, const entry *e)
{
    result->state = e->profile ? CLERK_USER_PROFILE_FOUND : CLERK_USER_PROFILE_NONE;
    result->profile = e->profile;
}

/* Ask Clerk, or use what another thread gets. @return 0 if there is no answer; result has the reason */
static int fetch(entry *e, clerk_user_profile *result, clerk_runtime *runtime, const clerk_socache_name *name,
                 const char *user_id, apr_pool_t *pool)
{
    clerk_backend_call call = {.cause = CLERK_BACKEND_FOR_PROFILE,
                               .method = "GET",
                               .path = clerk_profile_path(user_id, pool),
                               .user_id = user_id,
                               .condense = condense};
    clerk_backend_reply reply;

    clerk_backend_api_call(&runtime->backend, &reply, &call, pool);
    if (!read_entry(e, reply.body, reply.body_len, pool)) {
        result->why = why_not(&reply, pool);
        result->retry_after = reply.retry_after > 0 ? reply.retry_after : RETRY_AFTER;
        return 0;
    }
    if (!reply.shared) {
        clerk_socache_put(clerk_process_socache(), name, reply.body, reply.body_len,
                          e->fetched_at + (e->profile ? KEPT : NONE_KEPT), pool);
    }
    return 1;
}

/* Whether an entry is as fresh as ClerkUserProfileTTL demands. */
static int is_fresh(const entry *e, const clerk_runtime *runtime, apr_time_t now)
{
    return now - e->fetched_at < runtime->profile_ttl && e->fetched_at < now + SKEW;
}

/* Whether it will not be for much longer. */
static int is_due(const entry *e, const clerk_runtime *runtime, apr_time_t now)
{
    return now - e->fetched_at >= runtime->profile_ttl / 5 * 4;
}

/*
 * Have a profile that is in use refreshed in the background, before a request has to wait for it. Once for each entry:
 * a refresh that fails is left to the request that comes when the time is over.
 */
static void ask_for_refresh(const clerk_runtime *runtime, const clerk_socache_name *name, const entry *e,
                            const char *user_id, apr_time_t now)
{
    apr_uint64_t digest;

    if (!clerk_process_has_watchdog() || !clerk_process_profiles_due().count) {
        return;
    }
    memcpy(&digest, name->bytes, sizeof(digest));
    digest ^= (apr_uint64_t)e->fetched_at * APR_UINT64_C(0x9e3779b97f4a7c15);
    if (clerk_recent_set_add(clerk_process_profiles_asked(), digest, now, KEPT)) {
        (void)clerk_due_queue_add(clerk_process_profiles_due(), runtime->number, user_id, now);
    }
}

static void look_up(clerk_user_profile *result, clerk_runtime *runtime, request_rec *r, const char *user_id)
{
    clerk_socache *cache = clerk_process_socache();
    apr_time_t now = apr_time_now();
    clerk_socache_name name;
    const void *stored;
    apr_size_t size = 0;
    entry e = {0, NULL};
    int found;

    result->retry_after = RETRY_AFTER;
    if (!runtime->instance->secret_key) {
        result->why = "this instance has no ClerkSecretKey in the server configuration";
        return;
    }
    if (!cache || !clerk_socache_make_name(&name, cache, CLERK_SOCACHE_PROFILE, runtime->scope, user_id)) {
        result->why = "there is no cache; load mod_socache_shmcb, or write ClerkSOCache in the server configuration";
        return;
    }
    stored = clerk_socache_get(&size, cache, &name, r->pool);
    found = stored && read_entry(&e, stored, size, r->pool);
    /* The end of an entry without a profile is in the store. */
    if (found && (!e.profile || is_fresh(&e, runtime, now))) {
        clerk_verdicts_tick(&runtime->verdicts->profile_hits);
        use(result, &e);
        if (e.profile && is_due(&e, runtime, now)) {
            ask_for_refresh(runtime, &name, &e, user_id, now);
        }
    } else {
        entry fetched;

        clerk_verdicts_tick(&runtime->verdicts->profile_misses);
        if (fetch(&fetched, result, runtime, &name, user_id, r->pool)) {
            use(result, &fetched);
            return;
        }
        clerk_verdicts_tick(&runtime->verdicts->profile_failures);
        if (found) {
            clerk_verdicts_tick(&runtime->verdicts->profile_kept);
            ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "the kept profile of user %s is used: %s", user_id,
                          result->why);
            use(result, &e);
        }
    }
}

void clerk_user_profile_forget(request_rec *r, const char *user_id)
{
    const clerk_runtime *runtime = clerk_config_runtime(r);
    clerk_socache *cache = clerk_process_socache();
    clerk_socache_name name;

    if (cache && clerk_socache_make_name(&name, cache, CLERK_SOCACHE_PROFILE, runtime->scope, user_id)) {
        clerk_socache_remove(cache, &name, r->pool);
    }
}

/* Refresh a profile, unless another server of the fleet has done so already. */
static void refresh(clerk_runtime *runtime, const char *user_id, apr_pool_t *pool)
{
    clerk_socache *cache = clerk_process_socache();
    clerk_user_profile unused = {CLERK_USER_PROFILE_UNAVAILABLE, NULL, 0, NULL};
    clerk_socache_name name;
    const void *stored;
    apr_size_t size = 0;
    entry e;

    if (!runtime->instance->secret_key || !clerk_profile_is_user_id(user_id)
        || !clerk_socache_make_name(&name, cache, CLERK_SOCACHE_PROFILE, runtime->scope, user_id)) {
        return;
    }
    stored = clerk_socache_get(&size, cache, &name, pool);
    if (stored && read_entry(&e, stored, size, pool) && e.profile && is_due(&e, runtime, apr_time_now())) {
        (void)fetch(&e, &unused, runtime, &name, user_id, pool);
    }
}

void clerk_user_profile_refresh(apr_pool_t *scratch)
{
    const apr_array_header_t *runtimes = clerk_process_runtimes();
    apr_time_t begun = apr_time_now();
    clerk_due_item item;

    while (apr_time_now() - begun < REFRESHING
           && clerk_due_queue_take(&item, clerk_process_profiles_due(), apr_time_now())) {
        if (item.instance < (unsigned int)runtimes->nelts) {
            refresh(APR_ARRAY_IDX(runtimes, (int)item.instance, clerk_runtime *), item.text, scratch);
        }
    }
}

const clerk_user_profile *clerk_user_profile_get(request_rec *r, const clerk_identity *identity)
{
    static const clerk_user_profile none = {CLERK_USER_PROFILE_NONE, NULL, 0, NULL};
    clerk_runtime *runtime = clerk_config_runtime(r);
    request_rec *top = clerk_request_state_top(r);
    clerk_request_state *state = clerk_request_state_get(top);
    kept_profile *kept;

    if (!identity->user_id || !clerk_profile_is_user_id(identity->user_id)) {
        return &none;
    }
    if (!state->profiles) {
        state->profiles = apr_array_make(top->pool, 1, sizeof(kept_profile *));
    }
    for (int i = 0; i < state->profiles->nelts; i++) {
        kept = APR_ARRAY_IDX(state->profiles, i, kept_profile *);
        if (kept->runtime == runtime && !strcmp(kept->user_id, identity->user_id)) {
            return &kept->result;
        }
    }
    kept = apr_pcalloc(top->pool, sizeof(*kept));
    kept->runtime = runtime;
    kept->user_id = apr_pstrdup(top->pool, identity->user_id);
    kept->result.state = CLERK_USER_PROFILE_UNAVAILABLE;
    look_up(&kept->result, runtime, top, kept->user_id);
    if (kept->result.state == CLERK_USER_PROFILE_UNAVAILABLE) {
        int level = clerk_httpd_log_message_level(3202);

        ap_log_rerror(APLOG_MARK, level, 0, r,
                      CLERK_LOGNO(3202) "the profile of user %s cannot be had: %s", kept->user_id, kept->result.why);
    }
    APR_ARRAY_PUSH(state->profiles, kept_profile *) = kept;
    return &kept->result;
}
