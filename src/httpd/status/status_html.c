/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/status/status.h"

#include <stdlib.h>

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_time.h>

#include "clerk/outcome.h"
#include "httpd/site/site_content.h"
#include "httpd/status/metrics.h"

/* Where conf/auth-clerk-doc.conf has the documentation. */
#define DOCUMENTATION "/auth-clerk-doc/index.html"
/* The most servers that are listed; the others are counted. */
#define LISTED_SERVERS 8

static const char head[] = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                           "<meta name=\"robots\" content=\"noindex\">\n<title>Clerk status</title>\n<style>\n";

static const char *escape(request_rec *r, const char *text)
{
    return ap_escape_html2(r->pool, text, 1);
}

/* "3 s", "2 min 5 s", "1 h 3 min", "4 d 2 h". */
static const char *interval_text(apr_interval_time_t interval, apr_pool_t *pool)
{
    apr_int64_t s = interval > 0 ? interval / APR_USEC_PER_SEC : 0;

    if (s < 60) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " s", s);
    }
    if (s < 3600) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " min %" APR_INT64_T_FMT " s", s / 60, s % 60);
    }
    if (s < 86400) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " h %" APR_INT64_T_FMT " min", s / 3600, s / 60 % 60);
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT " d %" APR_INT64_T_FMT " h", s / 86400, s / 3600 % 24);
}

static const char *date_text(apr_time_t when, apr_pool_t *pool)
{
    return ap_ht_time(pool, when, "%Y-%m-%d %H:%M:%S UTC", 1);
}

static void badge(request_rec *r, const char *kind, const char *text)
{
    ap_rvputs(r, "<span class=\"badge ", kind, "\">", text, "</span>", NULL);
}

static void health_badge(request_rec *r, clerk_report_health health)
{
    static const struct {
        const char *kind, *text;
    } badges[] = {[CLERK_HEALTH_OK] = {"ok", "keys fresh"},
                  [CLERK_HEALTH_FIXED] = {"ok", "fixed key"},
                  [CLERK_HEALTH_IDLE] = {"", "no keys fetched yet"},
                  [CLERK_HEALTH_FAILING] = {"warn", "last good keys in use"},
                  [CLERK_HEALTH_DOWN] = {"bad", "no usable keys"}};

    badge(r, badges[health].kind, badges[health].text);
}

static void servers(request_rec *r, const apr_array_header_t *used_by)
{
    ap_rputs("used by ", r);
    for (int i = 0; i < used_by->nelts && i < LISTED_SERVERS; i++) {
        ap_rvputs(r, i ? ", " : "", escape(r, APR_ARRAY_IDX(used_by, i, const char *)), NULL);
    }
    if (used_by->nelts > LISTED_SERVERS) {
        ap_rprintf(r, " and %d more", used_by->nelts - LISTED_SERVERS);
    }
    if (!used_by->nelts) {
        ap_rputs("no server", r);
    }
}

static void alerts(request_rec *r, const clerk_report_instance *entry, const clerk_report *report)
{
    const clerk_keystore_stats *stats = &entry->stats;

    if (stats->failing_since) {
        ap_rvputs(r, "<p class=\"alert ", entry->health == CLERK_HEALTH_DOWN ? "bad" : "warn",
                  "\">Keys cannot be fetched since ", date_text(stats->failing_since, r->pool), " (",
                  interval_text(report->now - stats->failing_since, r->pool), "): ", escape(r, stats->last_error),
                  "</p>\n", NULL);
    }
    if (entry->backend.open_until) {
        ap_rvputs(r, "<p class=\"alert warn\">The Backend API fails and is not called for another ",
                  interval_text(entry->backend.open_until - report->now, r->pool),
                  "; sessions are renewed by redirects meanwhile.</p>\n", NULL);
    }
}

/* @return NULL if the metric is left out */
static const char *metric_text(const clerk_metric *metric, const clerk_report_instance *entry, apr_time_t now,
                               apr_pool_t *pool)
{
    clerk_metric_value value = metric->get(entry);

    switch (metric->kind) {
    case CLERK_METRIC_TEXT:
        return value.text;
    case CLERK_METRIC_TIME:
        if (!value.time || value.time <= now) {
            return value.time ? metric->past : metric->none;
        }
        return apr_pstrcat(pool, metric->future, interval_text(value.time - now, pool), NULL);
    case CLERK_METRIC_AGE:
        return value.time ? interval_text(now - value.time, pool) : metric->none;
    case CLERK_METRIC_PERCENT:
        return value.percent < 0 ? metric->none : apr_psprintf(pool, "%.1f %%", value.percent);
    default:
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT, value.count);
    }
}

static void metrics(request_rec *r, const clerk_report_instance *entry, apr_time_t now)
{
    ap_rputs("<dl>\n", r);
    for (const clerk_metric *metric = clerk_metrics; metric->get; metric++) {
        const clerk_metric *next = metric + 1;
        const char *text = metric->label && clerk_metrics_apply(metric->group, entry)
                               ? metric_text(metric, entry, now, r->pool)
                               : NULL;

        if (!text) {
            continue;
        }
        ap_rvputs(r, "<div><dt>", metric->label, "</dt><dd>", escape(r, text), NULL);
        if (next->note) {
            ap_rvputs(r, " <small>", escape(r, metric_text(next, entry, now, r->pool)), " ", next->note, "</small>",
                      NULL);
        }
        ap_rputs("</dd></div>\n", r);
    }
    ap_rputs("</dl>\n", r);
}

static void key_table(request_rec *r, const apr_array_header_t *keys)
{
    if (!keys->nelts) {
        return;
    }
    ap_rputs("<h3>Keys</h3>\n<table><tr><th>Key id</th><th>Type</th></tr>\n", r);
    for (int i = 0; i < keys->nelts; i++) {
        const clerk_report_key *key = &APR_ARRAY_IDX(keys, i, clerk_report_key);

        ap_rvputs(r, "<tr><td><code>", key->id ? escape(r, key->id) : "(any)", "</code></td><td>",
                  escape(r, key->description), NULL);
        if (!key->usable) {
            ap_rputs(" ", r);
            badge(r, "warn", "not usable");
        }
        ap_rputs("</td></tr>\n", r);
    }
    ap_rputs("</table>\n", r);
}

typedef struct verdict {
    clerk_status status;
    clerk_reason reason;
    apr_uint64_t count;
} verdict;

static int more_first(const void *a, const void *b)
{
    apr_uint64_t one = ((const verdict *)a)->count, other = ((const verdict *)b)->count;

    return one > other ? -1 : one < other;
}

static void verdict_table(request_rec *r, const clerk_verdicts *verdicts)
{
    static const char *const outcomes[CLERK_STATUS_COUNT] = {[CLERK_SIGNED_IN] = "signed in",
                                                             [CLERK_SIGNED_OUT] = "signed out",
                                                             [CLERK_HANDSHAKE] = "handshake",
                                                             [CLERK_UNAVAILABLE] = "could not be checked",
                                                             [CLERK_BAD_REQUEST] = "bad request"};
    verdict rows[CLERK_STATUS_COUNT * CLERK_REASON_COUNT];
    apr_uint64_t total = 0;
    int used = 0;

    for (int status = 0; status < CLERK_STATUS_COUNT; status++) {
        for (int reason = 0; reason < CLERK_REASON_COUNT; reason++) {
            apr_uint64_t count = clerk_verdicts_get(verdicts, (clerk_status)status, (clerk_reason)reason);

            if (count) {
                rows[used++] = (verdict){(clerk_status)status, (clerk_reason)reason, count};
                total += count;
            }
        }
    }
    qsort(rows, (size_t)used, sizeof(rows[0]), more_first);
    ap_rprintf(r,
               "<h3>Verdicts</h3>\n<p class=\"sub\">%" APR_UINT64_T_FMT " requests, %" APR_UINT64_T_FMT
               " signed-in ones refused by a Require</p>\n",
               total, atomic_load(&verdicts->forbidden));
    if (!used) {
        return;
    }
    ap_rputs("<table><tr><th>Outcome</th><th>Reason</th><th class=\"share\"></th><th class=\"n\">Count</th>"
             "<th class=\"n wide\">Share</th></tr>\n",
             r);
    for (int i = 0; i < used; i++) {
        double percent = 100.0 * (double)rows[i].count / (double)total;

        ap_rprintf(r,
                   "<tr><td>%s</td><td><code>%s</code></td><td class=\"share\"><i style=\"width:%.1f%%\"></i></td>"
                   "<td class=\"n\">%" APR_UINT64_T_FMT "</td><td class=\"n wide\">%.1f %%</td></tr>\n",
                   outcomes[rows[i].status], clerk_reason_text(rows[i].reason), percent, rows[i].count, percent);
    }
    ap_rputs("</table>\n", r);
}

static void instance_card(request_rec *r, const clerk_report_instance *entry, const clerk_report *report)
{
    const clerk_instance *instance = entry->runtime->instance;
    int development = instance->type == CLERK_INSTANCE_DEVELOPMENT;

    ap_rvputs(r, "<section class=\"card\">\n<h2>", escape(r, instance->name), " ", NULL);
    badge(r, development ? "warn" : "", development ? "development" : "production");
    health_badge(r, entry->health);
    ap_rputs("</h2>\n<p class=\"sub\">", r);
    if (instance->frontend_host) {
        ap_rvputs(r, escape(r, instance->frontend_host), " &middot; ", NULL);
    }
    servers(r, entry->used_by);
    ap_rputs("</p>\n", r);
    alerts(r, entry, report);
    metrics(r, entry, report->now);
    key_table(r, entry->keys);
    verdict_table(r, entry->runtime->verdicts);
    ap_rputs("</section>\n", r);
}

/* Whether httpd would give the reader of the page the file behind that URL. Only a question: where the answer is no,
   the log is not to say that somebody was denied something. */
static int is_readable(request_rec *r, const char *url)
{
    static const struct ap_logconf silence = {NULL, APLOG_EMERG};
    const struct ap_logconf *log = r->log;
    request_rec *file;
    int readable;

    r->log = &silence;
    file = ap_sub_req_lookup_uri(url, r, NULL);
    r->log = log;
    readable = file->status == HTTP_OK && file->finfo.filetype == APR_REG;
    ap_destroy_sub_req(file);
    return readable;
}

void clerk_status_html(request_rec *r, const clerk_report *report)
{
    ap_rvputs(r, head, clerk_site_status_css, "</style>\n</head>\n<body>\n", NULL);
    ap_rvputs(r, "<header><h1>Clerk status</h1><p>mod_auth_clerk " CLERK_VERSION, NULL);
    if (report->since) {
        ap_rvputs(r, " &middot; counting for ", interval_text(report->now - report->since, r->pool), NULL);
    }
    ap_rvputs(r, " &middot; ", date_text(report->now, r->pool),
              "</p><nav><a href=\"?\">Reload</a><a href=\"?json\">JSON</a><a "
              "href=\"?prometheus\">Prometheus</a>",
              is_readable(r, DOCUMENTATION) ? "<a href=\"" DOCUMENTATION "\">Documentation</a>" : "",
              "</nav></header>\n<main>\n", NULL);
    if (!report->background_refresh) {
        ap_rputs("<p class=\"card warn\">Keys are not refreshed in the background: mod_watchdog is not loaded.</p>\n",
                 r);
    }
    if (clerk_metrics_apply(CLERK_METRICS_REVOCATIONS, NULL)) {
        ap_rputs("<section class=\"card\">\n<h2>Revocations</h2>\n", r);
        metrics(r, NULL, report->now);
        ap_rputs("</section>\n", r);
    }
    for (int i = 0; i < report->instances->nelts; i++) {
        instance_card(r, &APR_ARRAY_IDX(report->instances, i, clerk_report_instance), report);
    }
    if (!report->instances->nelts) {
        ap_rputs("<p class=\"card\">No Clerk instance is configured.</p>\n", r);
    }
    ap_rputs("</main>\n</body>\n</html>\n", r);
}
