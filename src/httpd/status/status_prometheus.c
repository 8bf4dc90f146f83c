/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/status/status.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/status/metrics.h"
#include "text/utf8.h"

/*
 * The text format of Prometheus (prometheus.io, "Exposition formats"): all samples of a series together, after its HELP
 * and TYPE. Prometheus adds a label "instance" of its own, so that of a Clerk instance is called `clerk_instance`.
 */

#define REPLACEMENT "\xef\xbf\xbd"

/* A label's value: backslash, quote and line feed are escaped, and bytes that are no UTF-8 replaced. */
static const char *label(const char *text, apr_pool_t *pool)
{
    char *escaped = apr_palloc(pool, 3 * strlen(text) + 1), *out = escaped;

    while (*text) {
        apr_size_t len = clerk_utf8_length(text);

        if (!len) {
            memcpy(out, REPLACEMENT, strlen(REPLACEMENT));
            out += strlen(REPLACEMENT);
            len = 1;
        } else {
            if (*text == '\\' || *text == '"' || *text == '\n') {
                *out++ = '\\';
            }
            memcpy(out, *text == '\n' ? "n" : text, len);
            out += len;
        }
        text += len;
    }
    *out = '\0';
    return escaped;
}

/* A series: its name after "clerk_". Without a sample nothing of it is written. */
typedef struct series {
    request_rec *r;
    const char *name, *type, *help;
    int begun;
} series;

static void begin(series *to)
{
    if (!to->begun) {
        ap_rvputs(to->r, "# HELP clerk_", to->name, " ", to->help, "\n# TYPE clerk_", to->name, " ", to->type, "\n",
                  NULL);
        to->begun = 1;
    }
}

/* A sample. @param entry NULL: of the server. @param labels further ones, as written: ",name=\"value\"" each */
static void sample_text(series *to, const clerk_report_instance *entry, const char *labels, const char *value)
{
    begin(to);
    if (!entry) {
        ap_rvputs(to->r, "clerk_", to->name, *labels ? "{" : "", *labels ? labels + 1 : "", *labels ? "} " : " ", value,
                  "\n", NULL);
        return;
    }
    ap_rvputs(to->r, "clerk_", to->name, "{clerk_instance=\"", label(entry->runtime->instance->name, to->r->pool), "\"",
              labels, "} ", value, "\n", NULL);
}

static void sample(series *to, const clerk_report_instance *entry, const char *labels, apr_uint64_t value)
{
    sample_text(to, entry, labels, apr_psprintf(to->r->pool, "%" APR_UINT64_T_FMT, value));
}

static const char *time_text(apr_time_t when, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_TIME_T_FMT ".%06" APR_TIME_T_FMT, apr_time_sec(when), apr_time_usec(when));
}

static void text_samples(series *to, const clerk_metric *metric, const clerk_report_instance *entry, const char *text)
{
    apr_pool_t *pool = to->r->pool;

    if (!metric->states) {
        sample(to, entry, apr_pstrcat(pool, ",", metric->name, "=\"", label(text, pool), "\"", NULL), 1);
    }
    for (const char *const *state = metric->states; state && *state; state++) {
        sample(to, entry, apr_pstrcat(pool, ",state=\"", *state, "\"", NULL), !strcmp(*state, text));
    }
}

/* A text or a time that is not there has no sample. */
static void metric_samples(series *to, const clerk_metric *metric, const clerk_report_instance *entry)
{
    clerk_metric_value value = metric->get(entry);

    switch (metric->kind) {
    case CLERK_METRIC_TEXT:
        if (value.text && *value.text) {
            text_samples(to, metric, entry, value.text);
        }
        break;
    case CLERK_METRIC_TIME:
        if (value.time) {
            sample_text(to, entry, "", time_text(value.time, to->r->pool));
        }
        break;
    default:
        sample(to, entry, "", value.count);
    }
}

static void info_labels(series *to, const clerk_report_instance *entry)
{
    const clerk_instance *instance = entry->runtime->instance;

    sample(to, entry,
           apr_pstrcat(to->r->pool, ",type=\"",
                       instance->type == CLERK_INSTANCE_DEVELOPMENT ? "development" : "production",
                       "\",frontend_api=\"", label(instance->frontend_host ? instance->frontend_host : "", to->r->pool),
                       "\"", NULL),
           1);
}

static void server_labels(series *to, const clerk_report_instance *entry)
{
    for (int i = 0; i < entry->used_by->nelts; i++) {
        sample(to, entry,
               apr_psprintf(to->r->pool, ",server=\"%s\",position=\"%d\"",
                            label(APR_ARRAY_IDX(entry->used_by, i, const char *), to->r->pool), i),
               1);
    }
}

static void key_labels(series *to, const clerk_report_instance *entry)
{
    for (int i = 0; i < entry->keys->nelts; i++) {
        const clerk_report_key *key = &APR_ARRAY_IDX(entry->keys, i, clerk_report_key);

        sample(to, entry,
               apr_psprintf(to->r->pool, ",kid=\"%s\",description=\"%s\",position=\"%d\",usable=\"%s\"",
                            key->id ? label(key->id, to->r->pool) : "", label(key->description, to->r->pool), i,
                            key->usable ? "true" : "false"),
               1);
    }
}

static void request_samples(series *to, const clerk_report_instance *entry)
{
    const clerk_verdicts *verdicts = entry->runtime->verdicts;

    for (int status = 0; status < CLERK_STATUS_COUNT; status++) {
        apr_uint64_t total = 0;

        for (int reason = 0; reason < CLERK_REASON_COUNT; reason++) {
            total += clerk_verdicts_get(verdicts, (clerk_status)status, (clerk_reason)reason);
        }
        sample(to, entry, apr_pstrcat(to->r->pool, ",status=\"", clerk_verdicts_name((clerk_status)status), "\"", NULL),
               total);
    }
}

static void reason_samples(series *to, const clerk_report_instance *entry)
{
    for (int status = CLERK_SIGNED_IN + 1; status < CLERK_STATUS_COUNT; status++) {
        for (int reason = CLERK_REASON_NONE + 1; reason < CLERK_REASON_COUNT; reason++) {
            apr_uint64_t count
                = clerk_verdicts_get(entry->runtime->verdicts, (clerk_status)status, (clerk_reason)reason);

            if (count) {
                sample(to, entry,
                       apr_pstrcat(to->r->pool, ",status=\"", clerk_verdicts_name((clerk_status)status), "\",reason=\"",
                                   clerk_reason_text((clerk_reason)reason), "\"", NULL),
                       count);
            }
        }
    }
}

static void webhook_samples(series *to, const clerk_report_instance *entry)
{
    for (int type = 0; clerk_metrics_apply(CLERK_METRICS_WEBHOOKS, entry) && type < CLERK_EVENT_TYPES; type++) {
        sample(to, entry,
               apr_pstrcat(to->r->pool, ",type=\"", clerk_event_type_text((clerk_event_type)type), "\"", NULL),
               atomic_load(&entry->runtime->webhook_counts->applied[type]));
    }
}

static void forbidden_sample(series *to, const clerk_report_instance *entry)
{
    sample(to, entry, "", atomic_load(&entry->runtime->verdicts->forbidden));
}

/* What is on the page and not in the table of metrics. */
static const struct {
    const char *name, *type, *help;
    void (*write)(series *to, const clerk_report_instance *entry);
} others[] = {
    {"instance_info", "gauge", "A Clerk instance.", info_labels},
    {"instance_server_info", "gauge", "A server that uses the instance.", server_labels},
    {"key_info", "gauge", "A key that verifies tokens of the instance.", key_labels},
    {"requests_total", "counter", "Decisions about requests, by their outcome.", request_samples},
    {"verdicts_total", "counter", "Decisions about requests that are not signed in, by outcome and reason.",
     reason_samples},
    {"webhooks_applied_by_type_total", "counter", "Webhook messages that were applied, by the type of their event.",
     webhook_samples},
    {"forbidden_total", "counter", "Signed-in requests that a Require refused.", forbidden_sample},
};

void clerk_status_prometheus(request_rec *r, const clerk_report *report)
{
    series build = {r, "build_info", "gauge", "The version of mod_auth_clerk.", 0};
    series since = {r, "counters_start_timestamp_seconds", "gauge", "When all counters were 0.", 0};
    series refresh = {r, "background_refresh", "gauge", "Whether keys are refreshed in the background.", 0};

    begin(&build);
    ap_rputs("clerk_build_info{version=\"" CLERK_VERSION "\"} 1\n", r);
    if (report->since) {
        begin(&since);
        ap_rvputs(r, "clerk_", since.name, " ", time_text(report->since, r->pool), "\n", NULL);
    }
    begin(&refresh);
    ap_rprintf(r, "clerk_background_refresh %d\n", report->background_refresh);
    for (const clerk_metric *metric = clerk_metrics; metric->get; metric++) {
        series to = {r, metric->series, metric->kind == CLERK_METRIC_COUNTER ? "counter" : "gauge", metric->help, 0};

        if (metric->series && clerk_metrics_apply(metric->group, NULL)) {
            metric_samples(&to, metric, NULL);
        }
        for (int i = 0; metric->series && i < report->instances->nelts; i++) {
            const clerk_report_instance *entry = &APR_ARRAY_IDX(report->instances, i, clerk_report_instance);

            if (clerk_metrics_apply(metric->group, entry)) {
                metric_samples(&to, metric, entry);
            }
        }
    }
    for (apr_size_t n = 0; n < sizeof(others) / sizeof(others[0]); n++) {
        series to = {r, others[n].name, others[n].type, others[n].help, 0};

        for (int i = 0; i < report->instances->nelts; i++) {
            others[n].write(&to, &APR_ARRAY_IDX(report->instances, i, clerk_report_instance));
        }
    }
}
