/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/scrub.h"

#include <apr_lib.h>
#include <http_core.h>
#include <util_filter.h>

#include "httpd/process/process.h"
#include "httpd/request/table.h"

#define TRAILER_FILTER "CLERK_TRAILERS"

static ap_filter_rec_t *trailer_filter;

/*
 * Whether two names are equal once they have become the name of a variable: case does not count there, and whatever is
 * neither letter nor digit is one underscore. CGI folds `-` only, application servers fold more.
 */
static int folds_to(const char *name, const char *prefix, int whole)
{
    for (; *prefix; name++, prefix++) {
        int c = apr_isalnum(*name) ? apr_tolower(*name) : '-';

        if (c != *prefix) {
            return 0;
        }
    }
    return !whole || !*name;
}

static int is_ours(const char *name)
{
    switch (*name) {
    case 'X':
    case 'x':
        return folds_to(name, "x-clerk-", 0);
    case 'R':
    case 'r':
        return folds_to(name, "remote-user", 1);
    default:
        return 0;
    }
}

static int is_value_in(const char *value, const apr_table_t *table)
{
    const apr_array_header_t *entries = apr_table_elts(table);

    for (int i = 0; i < entries->nelts; i++) {
        if (APR_ARRAY_IDX(entries, i, apr_table_entry_t).val == value) {
            return 1;
        }
    }
    return 0;
}

/* httpd has made a new table of fields and trailers. By then the fields may hold what this module has set, so a
 * trailer is known by its value, which httpd does not copy. */
static apr_table_t *without_trailers(request_rec *r)
{
    const apr_array_header_t *entries = apr_table_elts(r->headers_in);
    apr_table_t *headers = apr_table_make(r->pool, entries->nelts);

    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);

        if (!is_ours(entry->key) || !is_value_in(entry->val, r->trailers_in)) {
            apr_table_addn(headers, entry->key, entry->val);
        }
    }
    return headers;
}

/* Input filter, above those that read the body. Trailers may come in more than once: mod_http2 shows them early, and
 * the filter that reads chunks reads them again. */
static apr_status_t scrub_trailers(ap_filter_t *filter, apr_bucket_brigade *brigade, ap_input_mode_t mode,
                                   apr_read_type_e block, apr_off_t size)
{
    apr_status_t rv = ap_get_brigade(filter->next, brigade, mode, block, size);
    request_rec *r = filter->r;

    if (!apr_is_empty_table(r->trailers_in)) {
        r->headers_in = without_trailers(r);
        clerk_table_remove(r->trailers_in, is_ours, r->pool);
    }
    return rv;
}

static int merges_trailers(const server_rec *server)
{
    const core_server_config *core = ap_get_core_module_config(server->module_config);

    return core->merge_trailers == AP_MERGE_TRAILERS_ENABLE;
}

void clerk_scrub_register(apr_pool_t *pool)
{
    (void)pool;
    /* httpd drops request filters at an internal redirect; this hook runs again then. */
    trailer_filter = ap_register_input_filter(TRAILER_FILTER, scrub_trailers, NULL, AP_FTYPE_PROTOCOL - 1);
}

int clerk_scrub_request(request_rec *r)
{
    const apr_array_header_t *runtimes = clerk_process_runtimes();

    if (r->main || !runtimes || !runtimes->nelts) {
        return DECLINED;
    }
    if (merges_trailers(r->server)) {
        ap_add_input_filter_handle(trailer_filter, NULL, r, r->connection);
    }
    /* Not for internal redirects: they share headers_in, which may contain our own headers by then. */
    if (!r->prev) {
        clerk_table_remove(r->headers_in, is_ours, r->pool);
    }
    return DECLINED;
}
