/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/status/status.h"

#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_main.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "httpd/status/metrics.h"
#include "text/text.h"

/*
 * The block in the page of mod_status: HTML without tables or styles of its own, or one line for each value where a
 * program asks (?auto), called as mod_proxy calls its own: "Clerk[0]KeysFetches: 3".
 */

/* A text in a line: what could begin another one is replaced. */
static const char *in_line(const char *text, apr_pool_t *pool)
{
    char *line = apr_pstrdup(pool, text ? text : "");

    for (char *c = line; *c; c++) {
        *c = (char)(clerk_text_is_control(*c) ? ' ' : *c);
    }
    return line;
}

/* "keys_fetches" as "KeysFetches". */
static const char *camel(const char *name, apr_pool_t *pool)
{
    char *camel = apr_palloc(pool, strlen(name) + 1), *out = camel;
    int begins = 1;

    for (; *name; name++) {
        if (*name == '_') {
            begins = 1;
        } else {
            *out++ = (char)(begins && *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
            begins = 0;
        }
    }
    *out = '\0';
    return camel;
}

/* The value of a metric; a time in seconds since 1970. NULL: there is none. */
static const char *value_text(const clerk_metric *metric, const clerk_report_instance *entry, apr_time_t now,
                              apr_pool_t *pool)
{
    clerk_metric_value value = metric->get(entry);

    switch (metric->kind) {
    case CLERK_METRIC_TEXT:
        return value.text && *value.text ? in_line(value.text, pool) : NULL;
    case CLERK_METRIC_TIME:
        return value.time ? apr_psprintf(pool, "%" APR_TIME_T_FMT, apr_time_sec(value.time)) : NULL;
    case CLERK_METRIC_AGE:
        return value.time ? apr_psprintf(pool, "%" APR_TIME_T_FMT, apr_time_sec(now - value.time)) : NULL;
    case CLERK_METRIC_PERCENT:
        return value.percent < 0 ? NULL : apr_psprintf(pool, "%.1f", value.percent);
    default:
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT, value.count);
    }
}

typedef void value_writer(request_rec *r, int number, const char *name, const char *value);

static void write_line(request_rec *r, int number, const char *name, const char *value)
{
    if (number < 0) {
        ap_rprintf(r, "Clerk%s: %s\n", camel(name, r->pool), value);
    } else {
        ap_rprintf(r, "Clerk[%d]%s: %s\n", number, camel(name, r->pool), value);
    }
}

static void write_item(request_rec *r, int number, const char *name, const char *value)
{
    char *words = apr_pstrdup(r->pool, name);

    (void)number;
    for (char *c = words; *c; c++) {
        *c = (char)(*c == '_' ? ' ' : *c);
    }
    ap_rvputs(r, "<dt>", words, ": ", ap_escape_html2(r->pool, value, 1), "</dt>\n", NULL);
}

static apr_uint64_t total(const clerk_verdicts *verdicts, clerk_status status)
{
    apr_uint64_t sum = 0;

    for (int reason = 0; reason < CLERK_REASON_COUNT; reason++) {
        sum += clerk_verdicts_get(verdicts, status, (clerk_reason)reason);
    }
    return sum;
}

/* The metrics of an instance. @param entry NULL: of the server; then the number is -1 */
static void write_metrics(request_rec *r, const clerk_report_instance *entry, int number, apr_time_t now,
                          value_writer *write)
{
    for (const clerk_metric *metric = clerk_metrics; metric->get; metric++) {
        const char *value = metric->name && clerk_metrics_apply(metric->group, entry)
                                ? value_text(metric, entry, now, r->pool)
                                : NULL;

        if (value) {
            write(r, number, apr_pstrcat(r->pool, clerk_metrics_object(metric->group), "_", metric->name, NULL), value);
        }
    }
}

/* All values of an instance: its metrics, and its decisions by outcome. */
static void write_instance(request_rec *r, const clerk_report_instance *entry, int number, apr_time_t now,
                           value_writer *write)
{
    const clerk_verdicts *verdicts = entry->runtime->verdicts;

    write_metrics(r, entry, number, now, write);
    for (int status = 0; status < CLERK_STATUS_COUNT; status++) {
        write(r, number, apr_pstrcat(r->pool, "requests_", clerk_verdicts_name((clerk_status)status), NULL),
              apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, total(verdicts, (clerk_status)status)));
    }
    write(r, number, "requests_forbidden",
          apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, atomic_load(&verdicts->forbidden)));
}

static int status_hook(request_rec *r, int flags)
{
    const clerk_report *report = clerk_report_make(ap_server_conf, r->pool);

    if (!report->instances->nelts) {
        return DECLINED;
    }
    if (flags & AP_STATUS_SHORT) {
        ap_rprintf(r, "ClerkVersion: " CLERK_VERSION "\nClerkInstances: %d\nClerkBackgroundRefresh: %d\n",
                   report->instances->nelts, report->background_refresh);
        write_metrics(r, NULL, -1, report->now, write_line);
    } else {
        ap_rputs("<hr />\n<h2>Clerk</h2>\n<dl><dt>mod_auth_clerk " CLERK_VERSION "</dt>\n", r);
        ap_rprintf(r, "<dt>background refresh: %s</dt>\n", report->background_refresh ? "yes" : "no");
        write_metrics(r, NULL, -1, report->now, write_item);
        ap_rputs("</dl>\n", r);
    }
    for (int i = 0; i < report->instances->nelts; i++) {
        const clerk_report_instance *entry = &APR_ARRAY_IDX(report->instances, i, clerk_report_instance);
        const char *name = in_line(entry->runtime->instance->name, r->pool);

        if (flags & AP_STATUS_SHORT) {
            write_line(r, i, "name", name);
            write_instance(r, entry, i, report->now, write_line);
        } else {
            ap_rvputs(r, "<h3>Instance ", ap_escape_html2(r->pool, name, 1), "</h3>\n<dl>\n", NULL);
            write_instance(r, entry, i, report->now, write_item);
            ap_rputs("</dl>\n", r);
        }
    }
    return OK;
}

void clerk_status_block_register(void)
{
    /* By name, so that this module does not need mod_status. */
    APR_OPTIONAL_HOOK(ap, status_hook, status_hook, NULL, NULL, APR_HOOK_MIDDLE);
}
