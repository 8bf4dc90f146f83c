/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/log.h"

#include <stdatomic.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <http_core.h>

#include "shared/log.h"

/* The message numbers of this layer: see shared/log.h. */
#define FIRST_NUMBER 3000
#define NUMBERS 1000
/* Of places in the configuration, the most that are warned about in one minute. */
#define PLACES 256

/* A warning to be written when the error log is open. */
typedef struct kept_warning {
    server_rec *server;
    const char *text;
} kept_warning;

/* Warnings about the configuration that is being read, in its pool. */
static apr_array_header_t *kept;

static const int ap_levels[] = {APLOG_ERR, APLOG_WARNING, APLOG_NOTICE, APLOG_INFO, APLOG_DEBUG};

static void sink(void *baton, clerk_log_level level, int number, const char *text)
{
    const server_rec *server = baton;

    ap_log_error(APLOG_MARK, ap_levels[level], 0, server, "AC%04d: %s", number, text);
}

void clerk_httpd_log_attach(server_rec *server)
{
    clerk_log_set_sink(server ? sink : NULL, server);
}

int clerk_httpd_log_message_level(int number)
{
    static _Atomic(apr_int64_t) warned_at[NUMBERS];
    _Atomic(apr_int64_t) *mine = &warned_at[(number - FIRST_NUMBER) % NUMBERS];
    apr_int64_t last = atomic_load(mine), now = apr_time_now();
    /* A time in the future is one from before the clock was set back. */
    int is_due = now - last > apr_time_from_sec(60) || now < last;

    return is_due && atomic_compare_exchange_strong(mine, &last, now) ? APLOG_WARNING : APLOG_INFO;
}

int clerk_httpd_log_place_is_due(const char *file, int line)
{
    /* The hash of a place and the minute when it was last warned about, in one number. */
    static _Atomic(apr_uint64_t) warned[PLACES];
    apr_uint32_t minute = (apr_uint32_t)(apr_time_sec(apr_time_now()) / 60);
    apr_uint32_t hash = (apr_uint32_t)line;
    apr_ssize_t len = APR_HASH_KEY_STRING;

    hash = hash * 33 + apr_hashfunc_default(file, &len);
    for (unsigned int i = 0; i < PLACES; i++) {
        _Atomic(apr_uint64_t) *at = &warned[(hash + i) % PLACES];
        apr_uint64_t last = atomic_load(at);

        if ((apr_uint32_t)last == minute && (apr_uint32_t)(last >> 32) != hash) {
            continue; /* another place's, in this minute */
        }
        return (apr_uint32_t)last != minute
               && atomic_compare_exchange_strong(at, &last, (apr_uint64_t)hash << 32 | minute);
    }
    return 0;
}

void clerk_httpd_log_reset_warnings(apr_pool_t *pconf)
{
    kept = apr_array_make(pconf, 4, sizeof(kept_warning));
}

void clerk_httpd_log_warn(server_rec *server, const char *format, ...)
{
    va_list args;
    const char *text;

    va_start(args, format);
    text = apr_pvsprintf(kept->pool, format, args);
    va_end(args);
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server, "%s", text);
        return;
    }
    kept_warning *warning = apr_array_push(kept);
    warning->server = server;
    warning->text = text;
}

void clerk_httpd_log_flush_warnings(void)
{
    for (int i = 0; i < kept->nelts; i++) {
        const kept_warning *warning = &APR_ARRAY_IDX(kept, i, kept_warning);

        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, warning->server, "%s", warning->text);
    }
    apr_array_clear(kept);
}
