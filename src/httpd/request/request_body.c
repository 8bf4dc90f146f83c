/* SPDX-License-Identifier: Apache-2.0 */
/* First, so that APR's ring macros use offsetof() and not their own, which clang refuses. */
#include <stddef.h>

#include "httpd/request/request_body.h"

#include <string.h>

#include <apr_buckets.h>
#include <util_filter.h>

#define BLOCK 8192

static void append(clerk_request_body *body, const char *data, apr_size_t len, apr_pool_t *pool)
{
    if (len > body->room - body->len) {
        apr_size_t room = 2 * (body->len + len);
        char *larger = apr_palloc(pool, room);

        memcpy(larger, body->data, body->len);
        body->data = larger;
        body->room = room;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
}

static apr_status_t append_brigade(clerk_request_body *body, apr_bucket_brigade *brigade, apr_pool_t *pool)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t len;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(bucket)) {
            body->is_whole = 1;
            break;
        }
        if (APR_BUCKET_IS_METADATA(bucket)) {
            continue;
        }
        rv = apr_bucket_read(bucket, &data, &len, APR_BLOCK_READ);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        append(body, data, len, pool);
    }
    return APR_SUCCESS;
}

apr_status_t clerk_request_body_read(clerk_request_body *body, request_rec *r, apr_size_t most)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_status_t rv = APR_SUCCESS;

    body->room = BLOCK;
    body->data = apr_palloc(r->pool, body->room);
    while (rv == APR_SUCCESS && !body->is_whole && body->len <= most) {
        rv = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, BLOCK);
        if (rv == APR_SUCCESS) {
            rv = append_brigade(body, brigade, r->pool);
        }
        apr_brigade_cleanup(brigade);
    }
    return rv;
}
