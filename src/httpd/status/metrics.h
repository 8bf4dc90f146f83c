/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_STATUS_METRICS_H
#define HTTPD_STATUS_METRICS_H

#include "httpd/status/report.h"

/*
 * The numbers and texts that the status page has of an instance: one table, which the writer of each format walks.
 * Decisions are counted by status and reason, and are not in it (clerk/verdicts.h).
 */

/** What a metric is part of. */
typedef enum clerk_metric_group {
    CLERK_METRICS_KEYS,    /**< the keys, wherever they are from: "keys" in JSON */
    CLERK_METRICS_FETCHES, /**< where they are fetched: "keys" too */
    CLERK_METRICS_BACKEND, /**< where there is a secret key: "backend_api" */
    CLERK_METRICS_CACHE    /**< "token_cache" */
} clerk_metric_group;

/** What the value is, and so which member of clerk_metric_value. */
typedef enum clerk_metric_kind {
    CLERK_METRIC_TEXT,    /**< text; NULL or "": none */
    CLERK_METRIC_COUNTER, /**< count, since the start of the server: it only grows */
    CLERK_METRIC_GAUGE,   /**< count, now */
    CLERK_METRIC_TIME,    /**< time; 0: none */
    CLERK_METRIC_AGE,     /**< time, of which it is told how long ago it was; 0: none */
    CLERK_METRIC_PERCENT  /**< percent, worked out from other metrics */
} clerk_metric_kind;

typedef union clerk_metric_value {
    const char *text;
    apr_uint64_t count;
    apr_time_t time;
    double percent;
} clerk_metric_value;

typedef struct clerk_metric {
    clerk_metric_group group;
    const char *name; /**< of the JSON member; NULL: on the HTML page only */
    clerk_metric_kind kind;
    clerk_metric_value (*get)(const clerk_report_instance *instance);
    const char *help; /**< what it is, in a sentence */

    /* How the HTML page has it. */

    const char *label;  /**< NULL: as a note, in another form, or not at all */
    const char *note;   /**< a counter without a label: it stands in small letters behind the metric before it, with
                           this word */
    const char *none;   /**< what is said if there is no time; NULL: then the metric is left out */
    const char *past;   /**< what is said if the time is over */
    const char *future; /**< what is said before the interval until the time */
} clerk_metric;

/** All metrics, those of a group one after the other; the last one has no get(). */
extern const clerk_metric clerk_metrics[];

/** Whether the metrics of a group mean anything for an instance. */
int clerk_metrics_apply(clerk_metric_group group, const clerk_report_instance *instance);

#endif
