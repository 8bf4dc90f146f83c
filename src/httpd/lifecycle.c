/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/lifecycle.h"

#include <apr_shm.h>
#include <apr_strings.h>
#include <ap_mpm.h>
#include <http_config.h>
#include <http_core.h>
#include <mod_watchdog.h>
#include <mpm_common.h>

#include "httpd/application/user_profile.h"
#include "httpd/config/config.h"
#include "httpd/config/instances.h"
#include "httpd/config/open_sections.h"
#include "httpd/config_check/check.h"
#include "httpd/process/audit_log.h"
#include "httpd/process/background.h"
#include "httpd/process/hints.h"
#include "httpd/process/log.h"
#include "httpd/process/process.h"
#include "httpd/process/secret_environment.h"
#include "httpd/process/session_checks.h"
#include "httpd/process/state_dir.h"
#include "httpd/site/site.h"
#include "jose/json.h"

#define WATCHDOG_NAME "_clerk_keys_"
/* Threads of their own: a store that hangs, or an API that is slow, must not keep keys from being refreshed. */
#define FLEET_WATCHDOG_NAME "_clerk_revocations_"
#define CHECKS_WATCHDOG_NAME "_clerk_sessions_"
/* Webhook messages that are remembered: as many as come in ten minutes at seven a second. 32 KB. */
#define WEBHOOKS_SEEN 4096
#define WEBHOOKS_RETAINED "mod_auth_clerk-webhooks-seen-2"
/* 2 MB, of which only what is used is resident: 229,376 places. */
#define REVOCATION_SETS 32768
#define REVOCATIONS_RETAINED "mod_auth_clerk-revocations-4"
#define WATCHDOG_LONGEST apr_time_from_sec(10)
/* How often the watchdog looks whether a profile is to be refreshed, and how many may wait for that: a request that
 * finds no place leaves it to a later one. */
#define PROFILES_EVERY apr_time_from_msec(300)
#define PROFILES_DUE 256
#define PROFILES_ASKED 4096
/* How many sessions may wait until Clerk is asked for them, and how many are remembered as asked for. 512 KB. */
#define SESSIONS_DUE 256
#define SESSIONS_ASKED 65536
/* The size of the token cache without ClerkSharedMemory: the tokens of 30,000 people who are active in one minute. */
#define TOKEN_CACHE_SIZE ((apr_size_t)64 * 1024 * 1024)
/* A cache line: each part of the segment begins with one, so that writes to one part do not slow down another. */
#define LINE 64

static apr_status_t restore_jansson(void *unused)
{
    (void)unused;
    jose_json_restore_memory();
    return APR_SUCCESS;
}

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    clerk_process *process = clerk_process_get();

    (void)ptemp;
    clerk_httpd_log_reset_warnings(pconf);
    /* The functions are in this module, which is unloaded when the pool is cleared. */
    jose_json_end_without_memory();
    apr_pool_cleanup_register(pconf, NULL, restore_jansson, apr_pool_cleanup_null);
    memset(process, 0, sizeof(*process));
    clerk_httpd_log_attach(NULL);
    clerk_secret_environment_reset(pconf);
    clerk_open_sections_reset();
    clerk_hints_reset();
    return clerk_socache_register(pconf, plog);
}

static int takes_webhooks(const clerk_runtime *runtime)
{
    return runtime->webhook_keys != NULL;
}

static int checks_sessions(const clerk_runtime *runtime)
{
    return runtime->check_interval != 0;
}

static int any_instance(int (*does)(const clerk_runtime *runtime))
{
    const apr_array_header_t *runtimes = clerk_process_get()->runtimes;

    for (int i = 0; i < runtimes->nelts; i++) {
        if (does(APR_ARRAY_IDX(runtimes, i, clerk_runtime *))) {
            return 1;
        }
    }
    return 0;
}

/* Whether anything can be revoked. */
static int has_revocations(void)
{
    return any_instance(takes_webhooks) || any_instance(checks_sessions);
}

/*
 * Create the cache of ClerkSOCache, if any instance has a secret key, or it is configured where revocations come:
 * without that nothing is stored.
 * Without its module, only what is configured to need it is an error.
 */
static int create_socache(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    const clerk_server_config *conf = clerk_config_server(s);
    clerk_process *process = clerk_process_get();
    const char *error;

    if (!clerk_process_has_secret_key() && !(conf->socache && has_revocations())) {
        return OK;
    }
    process->has_socache_key = conf->socache_key != NULL;
    error = clerk_socache_create(&process->socache, conf->socache, conf->socache_key, pconf, ptemp);
    if (error && (conf->socache || conf->socache_key || clerk_check_needs_profiles())) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     CLERK_LOGNO(3201) "user profiles (ClerkUserProfile, user:FIELD) need a cache: %s", error);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

/* Whether this server exchanges revocations with others: through a store that they can share, with a key that they can
 * have. */
static int is_fleet(void)
{
    const clerk_process *process = clerk_process_get();

    return has_revocations() && process->socache && process->has_socache_key
           && clerk_socache_is_network(process->socache);
}

static int check_fleet(server_rec *s)
{
    if (clerk_config_server(s)->revocation_failure == CLERK_REVOCATION_FAILURE_CLOSED && !is_fleet()) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, s,
            CLERK_LOGNO(3286) "ClerkRevocationFailure closed is about servers that exchange revocations; write "
                      "ClerkWebhookSecret or ClerkRevocationCheck, ClerkSOCache redis:host:port or memcache:host:port, "
                      "and ClerkSOCacheKey");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    clerk_process *process = clerk_process_get();
    int rc;

    (void)plog;
    clerk_httpd_log_attach(s);
    clerk_site_configure(s);
    rc = clerk_instances_resolve(&process->runtimes, s, pconf);
    if (rc == OK) {
        rc = clerk_check_configuration(s, ptemp);
    }
    if (rc == OK) {
        rc = create_socache(s, pconf, ptemp);
    }
    if (rc == OK) {
        rc = check_fleet(s);
    }
    /* httpd starts piped logs and other processes after this. */
    if (rc == OK && process->runtimes->nelts) {
        clerk_secret_environment_hide(pconf);
    }
    return rc;
}

static int open_logs(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    return clerk_audit_log_open(clerk_config_server(s)->audit_log, s, pconf) == APR_SUCCESS
               ? OK
               : HTTP_INTERNAL_SERVER_ERROR;
}

/* Give each runtime without a PEM key a slot of the key store. Equal sources share a slot. */
static apr_array_header_t *assign_slots(apr_pool_t *pool)
{
    clerk_process *process = clerk_process_get();
    apr_array_header_t *sources = apr_array_make(pool, 4, sizeof(const clerk_key_source *));

    for (int i = 0; i < process->runtimes->nelts; i++) {
        clerk_runtime *runtime = APR_ARRAY_IDX(process->runtimes, i, clerk_runtime *);

        if (runtime->static_keys) {
            continue;
        }
        runtime->slot = sources->nelts;
        for (int slot = 0; slot < sources->nelts; slot++) {
            if (!memcmp(APR_ARRAY_IDX(sources, slot, const clerk_key_source *)->id, runtime->source.id,
                        sizeof(runtime->source.id))) {
                runtime->slot = slot;
                break;
            }
        }
        if (runtime->slot == sources->nelts) {
            APR_ARRAY_PUSH(sources, const clerk_key_source *) = &runtime->source;
        }
    }
    return sources;
}

/* What is due now and then. @return when to come again at the latest, from now */
static apr_interval_time_t maintain(apr_pool_t *scratch)
{
    clerk_process *process = clerk_process_get();
    apr_interval_time_t next = WATCHDOG_LONGEST;

    if (process->backend_limits) {
        clerk_single_flight_wipe(clerk_backend_limits_single_flight(process->backend_limits), apr_time_now());
    }
    if (process->keystore) {
        next = clerk_keystore_tick(process->keystore, scratch);
    }
    if (process->profiles_due.count) {
        clerk_user_profile_refresh(scratch);
        next = next < PROFILES_EVERY ? next : PROFILES_EVERY;
    }
    return next;
}

static apr_interval_time_t tick_fleet(apr_pool_t *scratch)
{
    return clerk_fleet_tick(&clerk_process_get()->fleet, scratch);
}

/* Background work: what is due each time, which says when to come again, from now, at the latest. */
typedef struct background_task {
    ap_watchdog_t *watchdog;
    apr_interval_time_t (*tick)(apr_pool_t *scratch);
} background_task;

static apr_status_t watch(int state, void *data, apr_pool_t *scratch)
{
    const background_task *task = data;

    /* mod_watchdog never calls again after any result but APR_SUCCESS. */
    if (state == AP_WATCHDOG_STATE_RUNNING && clerk_background_begin()) {
        APR_OPTIONAL_FN_TYPE(ap_watchdog_set_callback_interval) *set_interval
            = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_set_callback_interval);
        set_interval(task->watchdog, task->tick(scratch), data, watch);
        clerk_background_end();
    }
    return APR_SUCCESS;
}

/* Have a function called now and then, by a thread of its own in one child at a time. */
static apr_status_t start_task(const char *name, apr_interval_time_t (*tick)(apr_pool_t *scratch), apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *register_callback
        = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    background_task *task = apr_palloc(pconf, sizeof(*task));
    apr_status_t rv = APR_ENOTIMPL;

    task->tick = tick;
    if (get_instance && register_callback) {
        rv = get_instance(&task->watchdog, name, 0, 1, pconf);
        if (rv == APR_SUCCESS) {
            rv = register_callback(task->watchdog, AP_WD_TM_SLICE, task, watch);
        }
    }
    return rv;
}

/* Nothing but this thread reads what other servers have revoked. */
static int start_fleet(server_rec *s, apr_pool_t *pconf)
{
    clerk_process *process = clerk_process_get();
    apr_status_t rv = process->fleet.memory ? start_task(FLEET_WATCHDOG_NAME, tick_fleet, pconf) : APR_SUCCESS;

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, process->fleet.closed ? APLOG_ERR : APLOG_WARNING, rv, s,
                     CLERK_LOGNO(3285) "mod_watchdog is not loaded: no revocations are exchanged with the other "
                                       "servers that share ClerkSOCache; load mod_watchdog");
    }
    return rv == APR_SUCCESS || !process->fleet.closed ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/* Nothing but this thread asks Clerk whether sessions go on. */
static int start_checks(server_rec *s, apr_pool_t *pconf)
{
    apr_status_t rv = clerk_process_sessions_due().count
                          ? start_task(CHECKS_WATCHDOG_NAME, clerk_session_checks_tick, pconf)
                          : APR_SUCCESS;

    if (rv != APR_SUCCESS) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, rv, s,
            CLERK_LOGNO(3295) "mod_watchdog is not loaded: ClerkRevocationCheck cannot ask Clerk for sessions; "
                              "load mod_watchdog");
    }
    return rv == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static void start_maintenance(server_rec *s, apr_pool_t *pconf)
{
    clerk_process *process = clerk_process_get();
    apr_status_t rv = start_task(WATCHDOG_NAME, maintain, pconf);

    process->has_watchdog = rv == APR_SUCCESS;
    if (rv != APR_SUCCESS && process->keystore) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s,
                     CLERK_LOGNO(3032) "mod_watchdog is not loaded: keys are refreshed by "
                                       "requests, some of which have to wait for Clerk; load mod_watchdog");
    }
}

/* Create a segment of zeroed memory that all children share. It begins with a line. */
static apr_status_t make_memory(char **pmemory, apr_size_t size, server_rec *s, apr_pool_t *pconf)
{
    apr_shm_t *shm;
    /* One line more: the memory may begin at any address. */
    apr_status_t rv = apr_shm_create(&shm, size + LINE, NULL, pconf);

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     CLERK_LOGNO(3034) "cannot create a shared memory segment of %" APR_SIZE_T_FMT " bytes", size);
        return rv;
    }
    /* Anonymous memory is zeroed already; clearing it would only make all of it resident. */
    *pmemory = apr_shm_baseaddr_get(shm);
    *pmemory += (LINE - (apr_uintptr_t)*pmemory % LINE) % LINE;
    return APR_SUCCESS;
}

/* How many requests the server handles at the same time. */
static unsigned int worker_count(void)
{
    int daemons = 1, threads = 1;

    (void)ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &daemons);
    (void)ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    return (unsigned int)((daemons > 0 ? daemons : 1) * (threads > 0 ? threads : 1));
}

/* Create the limits of what calls of the Backend API take, in a segment of their own: they grow with the server's
 * workers, whatever ClerkSharedMemory says. */
static apr_status_t make_backend_limits(server_rec *s, apr_pool_t *pconf)
{
    clerk_process *process = clerk_process_get();
    unsigned int workers = worker_count();
    apr_status_t rv;
    char *memory;

    if (!clerk_process_has_secret_key()) {
        return APR_SUCCESS;
    }
    rv = make_memory(&memory, clerk_backend_limits_size(workers), s, pconf);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = clerk_backend_limits_create(&process->backend_limits, memory, workers, pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, CLERK_LOGNO(3130) "cannot set up the limits of outbound calls");
    }
    for (int i = 0; i < process->runtimes->nelts; i++) {
        APR_ARRAY_IDX(process->runtimes, i, clerk_runtime *)->backend.limits = process->backend_limits;
    }
    return rv;
}

/* What it takes to refresh users' profiles in the background. */
static apr_status_t make_profiles_due(server_rec *s, apr_pool_t *pconf)
{
    clerk_process *process = clerk_process_get();
    apr_size_t asked_size = PROFILES_ASKED * sizeof(*process->profiles_asked.words);
    apr_status_t rv;
    char *memory;

    if (!process->socache) {
        return APR_SUCCESS;
    }
    rv = make_memory(&memory, asked_size + PROFILES_DUE * sizeof(*process->profiles_due.slots), s, pconf);
    if (rv == APR_SUCCESS) {
        process->profiles_asked.words = (_Atomic apr_uint64_t *)(void *)memory;
        process->profiles_asked.count = PROFILES_ASKED;
        process->profiles_due.slots = (clerk_due_slot *)(void *)(memory + asked_size);
        process->profiles_due.count = PROFILES_DUE;
    }
    return rv;
}

/* What it takes to ask Clerk for sessions. */
static apr_status_t make_session_checks(server_rec *s, apr_pool_t *pconf)
{
    clerk_process *process = clerk_process_get();
    apr_size_t asked_size = SESSIONS_ASKED * sizeof(*process->sessions_asked.words);
    apr_status_t rv;
    char *memory;

    if (!any_instance(checks_sessions)) {
        return APR_SUCCESS;
    }
    rv = make_memory(&memory, asked_size + SESSIONS_DUE * sizeof(*process->sessions_due.slots), s, pconf);
    if (rv == APR_SUCCESS) {
        process->sessions_asked = (clerk_recent_set){(_Atomic apr_uint64_t *)(void *)memory, SESSIONS_ASKED};
        process->sessions_due = (clerk_due_queue){(clerk_due_slot *)(void *)(memory + asked_size), SESSIONS_DUE};
    }
    return rv;
}

static apr_status_t open_fleet(void *memory, server_rec *s)
{
    const clerk_server_config *conf = clerk_config_server(s);
    clerk_process *process = clerk_process_get();

    process->fleet.memory = memory;
    process->fleet.cache = process->socache;
    process->fleet.revocations = &process->revocations;
    process->fleet.server = s;
    process->fleet.poll = (apr_interval_time_t)CLERK_SETTINGS_VALUE(conf, revocation_poll);
    process->fleet.closed = CLERK_SETTINGS_VALUE(conf, revocation_failure) == CLERK_REVOCATION_FAILURE_CLOSED;
    return clerk_fleet_open(&process->fleet);
}

/* Memory that outlives the configuration, and that the processes of the generation before, which finish their requests,
 * share. */
typedef struct retained_memory {
    char *memory;
} retained_memory;

/* Find the memory of this name that the generation before had, or create it, zeroed, in a segment of its own. */
static apr_status_t retain_memory(char **pmemory, const char *name, apr_size_t size, server_rec *s)
{
    retained_memory *retained = ap_retained_data_get(name);

    if (!retained) {
        retained = ap_retained_data_create(name, sizeof(*retained));
    }
    if (!retained->memory) {
        apr_status_t rv = make_memory(&retained->memory, size, s, s->process->pool);

        if (rv != APR_SUCCESS) {
            retained->memory = NULL;
            return rv;
        }
    }
    *pmemory = retained->memory;
    return APR_SUCCESS;
}

/*
 * Set up the memory of the messages that were received. A restart must not forget them, nor what was revoked: log
 * rotation makes one every day, and each would make the messages of the last minutes good once more.
 */
static apr_status_t make_webhook_memory(server_rec *s)
{
    clerk_process *process = clerk_process_get();
    apr_status_t rv;
    char *memory;

    process->webhooks_seen = (clerk_recent_set){NULL, 0};
    if (!any_instance(takes_webhooks)) {
        return APR_SUCCESS;
    }
    rv = retain_memory(&memory, WEBHOOKS_RETAINED, WEBHOOKS_SEEN * sizeof(*process->webhooks_seen.words), s);
    if (rv == APR_SUCCESS) {
        process->webhooks_seen = (clerk_recent_set){(_Atomic apr_uint64_t *)(void *)memory, WEBHOOKS_SEEN};
    }
    return rv;
}

/* Set up the memory of what was revoked, and of the fleet. */
static apr_status_t make_revocations(server_rec *s)
{
    const apr_size_t revocations_size = clerk_revocations_size(REVOCATION_SETS);
    clerk_process *process = clerk_process_get();
    apr_status_t rv;
    char *memory;

    if (!has_revocations()) {
        return APR_SUCCESS;
    }
    rv = retain_memory(&memory, REVOCATIONS_RETAINED, revocations_size + sizeof(clerk_fleet_memory), s);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    clerk_revocations_use(&process->revocations, memory, REVOCATION_SETS);
    return is_fleet() ? open_fleet(memory + revocations_size, s) : APR_SUCCESS;
}

/*
 * Create the shared memory segment and lay it out: key sets, verdict counters, the state of Backend APIs, hints that
 * were given, and in the rest the token cache.
 * @param pkeys the memory for the key sets, @a keys_size bytes
 */
static apr_status_t make_segment(void **pkeys, apr_size_t keys_size, server_rec *s, apr_pool_t *pconf)
{
    clerk_process *process = clerk_process_get();
    apr_size_t wanted = (apr_size_t)CLERK_SETTINGS_VALUE(clerk_config_server(s), shared_memory);
    apr_size_t runtimes = (apr_size_t)process->runtimes->nelts;
    apr_size_t counters_size = APR_ALIGN(
        runtimes * (sizeof(clerk_verdicts) + sizeof(clerk_backend_state) + sizeof(clerk_webhook_counts)), LINE);
    apr_size_t hints_size = APR_ALIGN(clerk_hints_size(), LINE);
    apr_size_t fixed = keys_size + counters_size + hints_size;
    apr_size_t least = fixed + CLERK_TOKEN_CACHE_SIZE_MIN;
    apr_size_t size = wanted ? wanted : fixed + TOKEN_CACHE_SIZE;
    clerk_webhook_counts *webhooks;
    clerk_backend_state *states;
    clerk_verdicts *verdicts;
    apr_status_t rv;
    char *memory;

    if (size < least) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     CLERK_LOGNO(3033) "ClerkSharedMemory is too small: %" APR_SIZE_T_FMT
                                       " instances need at least %" APR_SIZE_T_FMT "K",
                                 runtimes, least / 1024 + 1);
        return APR_ENOSPC;
    }
    rv = make_memory(&memory, size, s, pconf);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pkeys = memory;
    verdicts = (clerk_verdicts *)(memory + keys_size);
    states = (clerk_backend_state *)(verdicts + runtimes);
    webhooks = (clerk_webhook_counts *)(states + runtimes);
    for (apr_size_t i = 0; i < runtimes; i++) {
        clerk_runtime *runtime = APR_ARRAY_IDX(process->runtimes, i, clerk_runtime *);

        runtime->verdicts = &verdicts[i];
        runtime->backend.state = &states[i];
        runtime->webhook_counts = &webhooks[i];
    }
    clerk_hints_share(memory + fixed - hints_size);
    rv = clerk_token_cache_create(&process->token_cache, memory + fixed, size - fixed, pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, CLERK_LOGNO(3037) "cannot set up the token cache");
    }
    return rv;
}

static apr_status_t open_socache(server_rec *s, apr_pool_t *pconf)
{
    unsigned int workers = worker_count();
    char *memory;
    apr_status_t rv = make_memory(&memory, clerk_socache_size(workers), s, pconf);

    if (rv == APR_SUCCESS) {
        rv = clerk_socache_open(clerk_process_get()->socache, memory, workers, s, pconf);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, CLERK_LOGNO(3206) "cannot set up the cache of ClerkSOCache");
    }
    return rv;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    clerk_process *process = clerk_process_get();
    apr_array_header_t *sources;
    apr_size_t keys_size, waiting_size;
    apr_status_t rv;
    void *keys;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    clerk_httpd_log_flush_warnings();
    ap_add_version_component(pconf, "mod_auth_clerk/" CLERK_VERSION);
    if (!process->runtimes->nelts) {
        return OK;
    }
    clerk_httpd_log_attach(s);
    process->since = apr_time_now();
    sources = assign_slots(pconf);
    keys_size = sources->nelts ? APR_ALIGN(clerk_keystore_size((unsigned int)sources->nelts), LINE) : 0;
    waiting_size = sources->nelts ? APR_ALIGN(clerk_keystore_waiters(worker_count()) * sizeof(clerk_place), LINE) : 0;
    if (make_segment(&keys, keys_size + waiting_size, s, pconf) != APR_SUCCESS
        || make_backend_limits(s, pconf) != APR_SUCCESS || make_webhook_memory(s) != APR_SUCCESS
        || make_revocations(s) != APR_SUCCESS || make_profiles_due(s, pconf) != APR_SUCCESS
        || make_session_checks(s, pconf) != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (process->socache && open_socache(s, pconf) != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    /* If this fails, each child tries again and logs the error. */
    (void)clerk_http_curl_prepare(pconf);
    if (sources->nelts) {
        rv = clerk_keystore_create(&process->keystore, keys, keys_size, (const clerk_key_source *const *)sources->elts,
                                   (unsigned int)sources->nelts,
                                   clerk_state_dir_prepare(clerk_config_server(s)->state_dir, s, pconf), pconf);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, CLERK_LOGNO(3035) "cannot set up the shared key sets");
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        clerk_keystore_let_wait(process->keystore, (clerk_place *)(void *)((char *)keys + keys_size), worker_count());
    }
    if (process->keystore || process->backend_limits) {
        start_maintenance(s, pconf);
    }
    if (start_checks(s, pconf) != OK) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return start_fleet(s, pconf);
}

/* In every child, and in mod_cgid's daemon. */
static int drop_privileges(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    (void)s;
    clerk_secret_environment_forget();
    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    clerk_process *process = clerk_process_get();
    apr_status_t rv;

    /* A process model of others may leave out the hook for privileges. */
    clerk_secret_environment_forget();
    if (!process->runtimes || !process->runtimes->nelts) {
        return;
    }
    rv = clerk_http_curl_create(&process->http, "mod_auth_clerk/" CLERK_VERSION, pchild);
    if (rv == APR_SUCCESS) {
        clerk_background_init(pchild, process->http);
    }
    if (rv == APR_SUCCESS && process->keystore) {
        rv = clerk_keystore_child_init(process->keystore, process->http, pchild);
    }
    clerk_token_cache_child_init(process->token_cache);
    if (rv == APR_SUCCESS && process->socache) {
        rv = clerk_socache_child_init(process->socache, pchild);
    }
    for (int i = 0; rv == APR_SUCCESS && i < process->runtimes->nelts; i++) {
        APR_ARRAY_IDX(process->runtimes, i, clerk_runtime *)->backend.http = process->http;
    }
    if (rv != APR_SUCCESS) {
        /* The hook cannot fail. Requests that need keys will answer 503. */
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, CLERK_LOGNO(3036) "a child process cannot set up outbound calls");
    }
}

#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
static void child_stopping(apr_pool_t *pchild, int graceful)
{
    clerk_process *process = clerk_process_get();

    (void)pchild;
    /* A child that stops gracefully finishes its requests, and those may wait for an outbound call. */
    if (process->http && !graceful) {
        clerk_http_curl_abort(process->http);
    }
}
#endif

void clerk_lifecycle_register(apr_pool_t *pool)
{
    static const char *const before_watchdog[] = {"mod_watchdog.c", NULL};

    (void)pool;
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_open_logs(open_logs, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, before_watchdog, APR_HOOK_LAST);
    ap_hook_drop_privileges(drop_privileges, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
#endif
}
