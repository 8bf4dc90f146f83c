/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/status/status.h"

#include <http_config.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <jansson.h>

#include "httpd/status/metrics.h"

#define HANDLER "clerk-status"

static json_t *json_time(apr_time_t when)
{
    apr_time_exp_t exploded;
    char text[32];
    apr_size_t len;

    if (!when || apr_time_exp_gmt(&exploded, when) != APR_SUCCESS
        || apr_strftime(text, &len, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &exploded) != APR_SUCCESS) {
        return json_null();
    }
    return json_stringn(text, len);
}

/* A text of the configuration or an error may not be UTF-8: then it is null, because JSON must be UTF-8. */
static json_t *json_text(const char *text)
{
    json_t *value = text && *text ? json_string(text) : NULL;

    return value ? value : json_null();
}

static json_t *json_count(apr_uint64_t count)
{
    return json_integer((json_int_t)count);
}

static json_t *json_metric(const clerk_metric *metric, const clerk_report_instance *entry, apr_time_t now)
{
    clerk_metric_value value = metric->get(entry);

    switch (metric->kind) {
    case CLERK_METRIC_TEXT:
        return json_text(value.text);
    case CLERK_METRIC_TIME:
        return json_time(value.time);
    case CLERK_METRIC_AGE:
        return value.time ? json_integer((json_int_t)apr_time_sec(now - value.time)) : json_null();
    case CLERK_METRIC_PERCENT:
        return json_real(value.percent);
    default:
        return json_count(value.count);
    }
}

static void add_metrics(json_t *object, clerk_metric_group group, const clerk_report_instance *entry, apr_time_t now)
{
    for (const clerk_metric *metric = clerk_metrics; metric->get; metric++) {
        if (metric->group == group && metric->name) {
            json_object_set_new(object, metric->name, json_metric(metric, entry, now));
        }
    }
}

static json_t *json_keys(const clerk_report_instance *entry, apr_time_t now)
{
    json_t *keys = json_object(), *set = json_array();

    for (int i = 0; i < entry->keys->nelts; i++) {
        const clerk_report_key *key = &APR_ARRAY_IDX(entry->keys, i, clerk_report_key);
        json_t *one = json_object();

        json_object_set_new(one, "kid", json_text(key->id));
        json_object_set_new(one, "description", json_text(key->description));
        json_object_set_new(one, "usable", json_boolean(key->usable));
        json_array_append_new(set, one);
    }
    add_metrics(keys, CLERK_METRICS_KEYS, entry, now);
    add_metrics(keys, CLERK_METRICS_FETCHES, entry, now);
    json_object_set_new(keys, "set", set);
    return keys;
}

static json_t *json_group(clerk_metric_group group, const clerk_report_instance *entry, apr_time_t now)
{
    json_t *object;

    if (!clerk_metrics_apply(group, entry)) {
        return json_null();
    }
    object = json_object();
    add_metrics(object, group, entry, now);
    return object;
}

static json_t *json_webhooks(const clerk_report_instance *entry, apr_time_t now)
{
    json_t *object = json_group(CLERK_METRICS_WEBHOOKS, entry, now), *by_type = json_object();

    for (int type = 0; type < CLERK_EVENT_TYPES; type++) {
        apr_uint64_t count = atomic_load(&entry->runtime->webhook_counts->applied[type]);

        if (count) {
            json_object_set_new(by_type, clerk_event_type_text((clerk_event_type)type), json_count(count));
        }
    }
    /* Of null, nothing is a member. */
    json_object_set_new(object, "applied_by_type", by_type);
    return object;
}

static json_t *json_verdicts(const clerk_verdicts *verdicts)
{
    json_t *all = json_object();

    json_object_set_new(all, clerk_verdicts_name(CLERK_SIGNED_IN),
                        json_count(clerk_verdicts_get(verdicts, CLERK_SIGNED_IN, CLERK_REASON_NONE)));
    json_object_set_new(all, "forbidden", json_count(atomic_load(&verdicts->forbidden)));
    for (int status = CLERK_SIGNED_IN + 1; status < CLERK_STATUS_COUNT; status++) {
        json_t *by_reason = json_object();

        for (int reason = CLERK_REASON_NONE + 1; reason < CLERK_REASON_COUNT; reason++) {
            apr_uint64_t count = clerk_verdicts_get(verdicts, (clerk_status)status, (clerk_reason)reason);

            if (count) {
                json_object_set_new(by_reason, clerk_reason_text((clerk_reason)reason), json_count(count));
            }
        }
        json_object_set_new(all, clerk_verdicts_name((clerk_status)status), by_reason);
    }
    return all;
}

static json_t *json_instance(const clerk_report_instance *entry, const clerk_report *report)
{
    const clerk_instance *instance = entry->runtime->instance;
    json_t *one = json_object(), *used_by = json_array();

    for (int i = 0; i < entry->used_by->nelts; i++) {
        json_array_append_new(used_by, json_text(APR_ARRAY_IDX(entry->used_by, i, const char *)));
    }
    json_object_set_new(one, "name", json_text(instance->name));
    json_object_set_new(one, "type",
                        json_string(instance->type == CLERK_INSTANCE_DEVELOPMENT ? "development" : "production"));
    json_object_set_new(one, "frontend_api", json_text(instance->frontend_host));
    json_object_set_new(one, "used_by", used_by);
    json_object_set_new(one, "keys", json_keys(entry, report->now));
    for (clerk_metric_group group = CLERK_METRICS_BACKEND; group <= CLERK_METRICS_CHECKS; group++) {
        json_object_set_new(one, clerk_metrics_object(group), json_group(group, entry, report->now));
    }
    json_object_set_new(one, clerk_metrics_object(CLERK_METRICS_WEBHOOKS), json_webhooks(entry, report->now));
    json_object_set_new(one, "verdicts", json_verdicts(entry->runtime->verdicts));
    return one;
}

static int write_piece(const char *piece, size_t len, void *baton)
{
    return ap_rwrite(piece, (int)len, baton) < 0 ? -1 : 0;
}

static void status_json(request_rec *r, const clerk_report *report)
{
    json_t *document = json_object(), *instances = json_array();

    json_object_set_new(document, "module", json_string("mod_auth_clerk"));
    json_object_set_new(document, "version", json_string(CLERK_VERSION));
    json_object_set_new(document, "now", json_time(report->now));
    json_object_set_new(document, "since", json_time(report->since));
    json_object_set_new(document, "background_refresh", json_boolean(report->background_refresh));
    json_object_set_new(document, clerk_metrics_object(CLERK_METRICS_REVOCATIONS),
                        json_group(CLERK_METRICS_REVOCATIONS, NULL, report->now));
    for (int i = 0; i < report->instances->nelts; i++) {
        json_array_append_new(instances,
                              json_instance(&APR_ARRAY_IDX(report->instances, i, clerk_report_instance), report));
    }
    json_object_set_new(document, "instances", instances);
    json_dump_callback(document, write_piece, r, JSON_INDENT(2));
    ap_rputs("\n", r);
    json_decref(document);
}

/* Prometheus writes a parameter without a value as "prometheus=". */
static int is_asked_for(const request_rec *r, const char *query)
{
    apr_size_t len = strlen(query);

    return r->args && !strncmp(r->args, query, len) && (!r->args[len] || !strcmp(r->args + len, "="));
}

static int answer(request_rec *r)
{
    static const struct {
        const char *query, *type;
        void (*write)(request_rec *r, const clerk_report *report);
    } formats[] = {{"json", "application/json", status_json},
                   {"prometheus", "text/plain; version=0.0.4; charset=utf-8", clerk_status_prometheus},
                   {NULL, "text/html; charset=utf-8", clerk_status_html}};
    apr_size_t i = 0;

    while (formats[i].query && !is_asked_for(r, formats[i].query)) {
        i++;
    }
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    ap_set_content_type(r, formats[i].type);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'");
    if (!r->header_only) {
        formats[i].write(r, clerk_report_make(ap_server_conf, r->pool));
    }
    return OK;
}

int clerk_status_handler(request_rec *r)
{
    return r->handler && !strcmp(r->handler, HANDLER) ? answer(r) : DECLINED;
}
