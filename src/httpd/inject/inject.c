/* SPDX-License-Identifier: Apache-2.0 */
/* First, so that APR's ring macros use offsetof() and not their own, which clang refuses. */
#include <stddef.h>

#include "httpd/inject/inject.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "httpd/config/config.h"
#include "httpd/inject/inject_conditions.h"
#include "httpd/inject/inject_policy.h"
#include "httpd/inject/inject_tag.h"
#include "httpd/request/judge.h"
#include "httpd/site/site.h"
#include "text/html_head.h"

#define INJECT_FILTER "CLERK_INJECT"
#define POLICY_FILTER "CLERK_INJECT_POLICY"

typedef struct injection {
    const clerk_inject_tag *tag;
    clerk_html_head scan;
    clerk_html_head_verdict verdict;
    unsigned int started : 1; /**< the response is one to change */
    unsigned int changed : 1; /**< its header fields have been changed */
    apr_size_t held_len;      /**< bytes of the page that were read but not passed on, because they may come after
                                 the script */
    char held[CLERK_HTML_HEAD_HELD_MAX + 1];
} injection;

/* Pass on the bytes held, before a bucket. */
static void release_held(injection *at, apr_bucket *before)
{
    if (at->held_len) {
        APR_BUCKET_INSERT_BEFORE(before, apr_bucket_heap_create(at->held, at->held_len, NULL, before->list));
        at->held_len = 0;
    }
}

/* Hold the last bytes of a bucket that has been read. @return the bucket to go on with */
static apr_bucket *hold_end(injection *at, apr_bucket *bucket, const char *data, apr_size_t len)
{
    /* Those of earlier buckets are held still, or they have turned out to come before the script. */
    apr_size_t here = at->scan.held > len ? len : at->scan.held;
    apr_bucket *next = APR_BUCKET_NEXT(bucket);

    if (at->scan.held <= len) {
        release_held(at, bucket);
    }
    if (!here) {
        return next;
    }
    memcpy(at->held + at->held_len, data + len - here, here);
    at->held_len += here;
    if (here < len) {
        apr_bucket_split(bucket, len - here);
        bucket = APR_BUCKET_NEXT(bucket);
    }
    apr_bucket_delete(bucket);
    return next;
}

/* Insert the script. @param read the bytes of the bucket up to the verdict */
static void insert_tag(injection *at, request_rec *r, apr_bucket *bucket, apr_size_t read)
{
    const char *text = clerk_inject_tag_text(r, at->tag, clerk_inject_policy_nonce(r));
    apr_bucket *tag = apr_bucket_pool_create(text, strlen(text), r->pool, bucket->list);

    if (at->scan.held > read) {
        APR_BUCKET_INSERT_BEFORE(bucket, tag);
        release_held(at, bucket);
        return;
    }
    release_held(at, bucket);
    if (read == at->scan.held) {
        APR_BUCKET_INSERT_BEFORE(bucket, tag);
        return;
    }
    if (read - at->scan.held < bucket->length) {
        apr_bucket_split(bucket, read - at->scan.held);
    }
    APR_BUCKET_INSERT_AFTER(bucket, tag);
}

/* Read one bucket of the page. @return the bucket to go on with */
static apr_bucket *scan_bucket(injection *at, request_rec *r, apr_bucket *bucket, const char *data, apr_size_t len)
{
    apr_size_t read;

    at->verdict = clerk_html_head_scan(&at->scan, data, len, &read);
    switch (at->verdict) {
    case CLERK_HTML_HEAD_FOUND:
        insert_tag(at, r, bucket, read);
        break;
    case CLERK_HTML_HEAD_NONE:
        release_held(at, bucket);
        break;
    case CLERK_HTML_HEAD_MORE:
        return hold_end(at, bucket, data, len);
    }
    return bucket;
}

/* The header fields, before anything is passed on. */
static void change_fields(injection *at, request_rec *r)
{
    if (!at->changed) {
        at->changed = 1;
        clerk_inject_conditions_changed(r, at->tag->mark);
    }
}

/* Read a bucket; if its content is not there yet, pass on what precedes it first. */
static apr_status_t read_bucket(ap_filter_t *filter, apr_bucket_brigade *brigade, apr_bucket *bucket, const char **data,
                                apr_size_t *len)
{
    apr_status_t rv = apr_bucket_read(bucket, data, len, APR_NONBLOCK_READ);
    apr_bucket_brigade *rest;

    if (!APR_STATUS_IS_EAGAIN(rv)) {
        return rv;
    }
    change_fields(filter->ctx, filter->r);
    rest = apr_brigade_split(brigade, bucket);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(bucket->list));
    rv = ap_pass_brigade(filter->next, brigade);
    apr_brigade_cleanup(brigade);
    APR_BRIGADE_CONCAT(brigade, rest);
    return rv == APR_SUCCESS ? apr_bucket_read(bucket, data, len, APR_BLOCK_READ) : rv;
}

/* Read the page up to the place for the script. */
static apr_status_t scan_brigade(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    injection *at = filter->ctx;
    apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
    const char *data;
    apr_size_t len;

    while (bucket != APR_BRIGADE_SENTINEL(brigade) && at->verdict == CLERK_HTML_HEAD_MORE) {
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(bucket) || AP_BUCKET_IS_ERROR(bucket)) {
            release_held(at, bucket);
            at->verdict = CLERK_HTML_HEAD_NONE;
            /* The fields of a GET, whose content is not there. */
            if (filter->r->header_only) {
                change_fields(at, filter->r);
            }
            return APR_SUCCESS;
        }
        if (APR_BUCKET_IS_METADATA(bucket)) {
            bucket = APR_BUCKET_NEXT(bucket);
            continue;
        }
        rv = read_bucket(filter, brigade, bucket, &data, &len);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        bucket = len ? scan_bucket(at, filter->r, bucket, data, len) : APR_BUCKET_NEXT(bucket);
    }
    return APR_SUCCESS;
}

static apr_status_t inject_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    injection *at = filter->ctx;
    request_rec *r = filter->r;
    apr_status_t rv;

    if (!at->started) {
        if (APR_BRIGADE_EMPTY(brigade)) {
            return ap_pass_brigade(filter->next, brigade);
        }
        at->started = 1;
        if (!clerk_inject_conditions_response(r)) {
            if (r->status == HTTP_NOT_MODIFIED) {
                clerk_inject_conditions_mark(r, at->tag->mark);
            }
            at->verdict = CLERK_HTML_HEAD_NONE;
        }
    }
    rv = scan_brigade(filter, brigade);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (at->verdict != CLERK_HTML_HEAD_NONE) {
        change_fields(at, r);
    }
    if (at->verdict != CLERK_HTML_HEAD_MORE) {
        ap_remove_output_filter(filter);
    }
    return APR_BRIGADE_EMPTY(brigade) ? APR_SUCCESS : ap_pass_brigade(filter->next, brigade);
}

/* When all modules have set their header fields. */
static apr_status_t policy_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    const injection *at = filter->ctx;

    if (at->changed) {
        clerk_inject_policy_check(filter->r);
    }
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

/* Whether the visitor is signed in by a session that a browser keeps. */
static int has_session(request_rec *r)
{
    const clerk_identity *identity = clerk_judge_established_identity(r);

    return identity && identity->kind == CLERK_TOKEN_SESSION
           && clerk_request_state_get(r)->outcome->carrier != CLERK_CARRIER_HEADER;
}

/* A page of the module itself, with a policy of its own. */
static int is_own_page(const request_rec *r)
{
    return clerk_site_is_page(r) || (r->handler && !strcmp(r->handler, "clerk-status"));
}

static void insert_filters(request_rec *r)
{
    const clerk_inject_tag *tag;
    injection *at;

    if (r->main || is_own_page(r) || !clerk_inject_conditions_request(r) || !has_session(r)) {
        return;
    }
    tag = clerk_inject_tag_of(r);
    if (!tag) {
        return;
    }
    clerk_inject_conditions_unmark(r, tag->mark);
    at = apr_pcalloc(r->pool, sizeof(*at));
    at->tag = tag;
    ap_add_output_filter(INJECT_FILTER, at, r, r->connection);
    ap_add_output_filter(POLICY_FILTER, at, r, r->connection);
}

static void insert_filter_hook(request_rec *r)
{
    if (clerk_config_dir(r)->inject_script > CLERK_INJECT_OFF) {
        insert_filters(r);
    }
}

void clerk_inject_register(void)
{
    /* After mod_include's filter, which core.c inserts, and before those that compress, some of which mod_filter.c
     * inserts among the filters of AP_FTYPE_RESOURCE. */
    static const char *const core[] = {"core.c", NULL};
    static const char *const filter[] = {"mod_filter.c", NULL};

    ap_register_output_filter(INJECT_FILTER, inject_filter, NULL, AP_FTYPE_RESOURCE);
    /* After mod_headers' filter. */
    ap_register_output_filter(POLICY_FILTER, policy_filter, NULL, AP_FTYPE_CONTENT_SET + 1);
    ap_hook_insert_filter(insert_filter_hook, core, filter, APR_HOOK_MIDDLE);
}
