/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_STATUS_METRICS_H
#define HTTPD_STATUS_METRICS_H

#include "httpd/status/report.h"

/*
 * The metrics of an instance, and some of the whole server, for all formats of the status page. The counters of
 * decisions by status and reason are not among them (clerk/verdicts.h), nor those of webhook messages by type.
 */

/** The group of a metric: its object in JSON, and the instances that have it. "keys" has further members. */
typedef enum clerk_metric_group {
    CLERK_METRICS_KEYS,        /**< "keys": all instances */
    CLERK_METRICS_FETCHES,     /**< "keys": instances whose keys are fetched */
    CLERK_METRICS_BACKEND,     /**< "backend_api": instances with a secret key, or a machine's */
    CLERK_METRICS_CACHE,       /**< "token_cache": all instances */
    CLERK_METRICS_CREDENTIALS, /**< "credentials": all instances */
    CLERK_METRICS_SESSIONS,    /**< "sessions": all instances */
    CLERK_METRICS_PROFILES,    /**< "user_profiles": instances with a secret key */
    CLERK_METRICS_CHECKS,      /**< "session_checks": instances with ClerkRevocationCheck */
    CLERK_METRICS_WEBHOOKS,    /**< "webhooks": instances with ClerkWebhookSecret */
    CLERK_METRICS_REVOCATIONS  /**< "revocations": of the server, for all its instances; get() is not given one */
} clerk_metric_group;

/** The kind of the value, and the member of clerk_metric_value that it is in. */
typedef enum clerk_metric_kind {
    CLERK_METRIC_TEXT,    /**< `text`; NULL or "": none */
    CLERK_METRIC_COUNTER, /**< `count`, since the start of the server: it only grows */
    CLERK_METRIC_GAUGE,   /**< `count`, now */
    CLERK_METRIC_TIME,    /**< `time`; 0: none */
    CLERK_METRIC_AGE,     /**< `time`, shown as how long ago it was; 0: none */
    CLERK_METRIC_PERCENT  /**< `percent`, computed from other metrics */
} clerk_metric_kind;

typedef union clerk_metric_value {
    const char *text;
    apr_uint64_t count;
    apr_time_t time;
    double percent;
} clerk_metric_value;

typedef struct clerk_metric {
    clerk_metric_group group;
    const char *name; /**< of the member in JSON; NULL: on the HTML page only */
    clerk_metric_kind kind;
    clerk_metric_value (*get)(const clerk_report_instance *instance);
    const char *help; /**< its meaning, in a sentence */

    /* For Prometheus: */

    /** The name after "clerk_", with the unit and "_total" or "_info"; NULL: left out, because Prometheus computes it
     * from others. A time is in seconds. */
    const char *series;
    /** Of a text: all its values, and NULL; each has a sample that is 0 or 1. Else the text is a label of its own. */
    const char *const *states;

    /* On the HTML page: */

    const char *label;  /**< NULL: shown as a note, in another form, or not at all */
    const char *note;   /**< of a counter without a label: shown in small letters after the value of the metric before
                           it, followed by this word */
    const char *none;   /**< shown if there is no time; NULL: the metric is left out then */
    const char *past;   /**< shown if the time is over */
    const char *future; /**< shown before the interval until the time */
} clerk_metric;

/** All metrics, sorted by group. The entry at the end has no get(). */
extern const clerk_metric clerk_metrics[];

/** The name of a group's object in JSON. */
const char *clerk_metrics_object(clerk_metric_group group);

/** Whether an instance has the metrics of a group. @param instance NULL: the server itself */
int clerk_metrics_apply(clerk_metric_group group, const clerk_report_instance *instance);

#endif
