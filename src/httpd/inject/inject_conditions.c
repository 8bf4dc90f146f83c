/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/inject/inject_conditions.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/request/request_state.h"
#include "text/text.h"

/* Of supersets of ASCII, by the beginnings of their names. */
static const char *const charsets[]
    = {"utf-8",     "utf8",  "us-ascii", "ascii",   "iso-8859-", "iso8859-", "latin", "windows-",
       "cp125",     "koi8-", "gb2312",   "gbk",     "gb18030",   "big5",     "euc-",  "shift_jis",
       "shift-jis", "sjis",  "x-sjis",   "tis-620", "mac",       "x-mac-"};

/* Fields that describe the bytes of the content. */
static const char *const of_content[] = {"Content-Length", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest"};

static int begins_with_any(const char *text, const char *const *prefixes, apr_size_t count)
{
    for (apr_size_t i = 0; i < count; i++) {
        if (!ap_cstr_casecmpn(text, prefixes[i], strlen(prefixes[i]))) {
            return 1;
        }
    }
    return 0;
}

/* A field of the response, wherever it is set. */
static const char *response_field(const request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_out, name);

    return value ? value : apr_table_get(r->err_headers_out, name);
}

int clerk_inject_conditions_request(request_rec *r)
{
    static const char *const pages[] = {"document", "iframe", "frame"};
    const char *dest = apr_table_get(r->headers_in, "Sec-Fetch-Dest");
    const char *accept = apr_table_get(r->headers_in, "Accept");

    if (apr_table_get(r->headers_in, "Range")) {
        return 0;
    }
    if (dest) {
        return begins_with_any(dest, pages, sizeof(pages) / sizeof(pages[0]));
    }
    return accept && clerk_text_begins_with(accept, "text/html") && !apr_table_get(r->headers_in, "X-Requested-With")
           && !apr_table_get(r->headers_in, "HX-Request");
}

static int is_settled(const request_rec *r)
{
    for (; r; r = r->prev) {
        const clerk_request_state *state = clerk_request_state_if_any(r);

        if (state && state->conditions_settled) {
            return 1;
        }
    }
    return 0;
}

void clerk_inject_conditions_unmark(request_rec *r, const char *mark)
{
    const char *field = apr_table_get(r->headers_in, "If-None-Match");
    apr_size_t len = strlen(mark);
    const char *found;

    if (is_settled(r)) {
        return;
    }
    clerk_request_state_get(r)->conditions_settled = 1;
    apr_table_unset(r->headers_in, "If-Modified-Since");
    if (!field) {
        return;
    }
    found = ap_strstr_c(field, mark);
    if (!found) {
        apr_table_unset(r->headers_in, "If-None-Match");
        return;
    }
    for (; found; found = ap_strstr_c(field, mark)) {
        field = apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, field, (apr_size_t)(found - field)), found + len, NULL);
    }
    apr_table_setn(r->headers_in, "If-None-Match", field);
}

/* Whether a Content-Type is that of HTML in a known encoding. */
static int is_html(const char *type)
{
    const char *charset;

    if (!type || ap_cstr_casecmpn(type, "text/html", 9) || (type[9] && !strchr("; \t", type[9]))) {
        return 0;
    }
    charset = ap_strcasestr(type, "charset");
    if (!charset) {
        return 1;
    }
    charset += strlen("charset");
    charset += strspn(charset, " \t=\"'");
    return begins_with_any(charset, charsets, sizeof(charsets) / sizeof(charsets[0]));
}

int clerk_inject_conditions_response(const request_rec *r)
{
    const char *encoding = r->content_encoding ? r->content_encoding : response_field(r, "Content-Encoding");
    const char *disposition = response_field(r, "Content-Disposition");
    const char *caching = response_field(r, "Cache-Control");

    if (r->status < HTTP_OK || (r->status >= HTTP_MULTIPLE_CHOICES && r->status < HTTP_BAD_REQUEST)
        || r->status == HTTP_NO_CONTENT || r->status == HTTP_RESET_CONTENT || r->status == HTTP_PARTIAL_CONTENT) {
        return 0;
    }
    return is_html(r->content_type ? r->content_type : response_field(r, "Content-Type"))
           && (!encoding || !*encoding || !ap_cstr_casecmp(encoding, "identity")) && !response_field(r, "Content-Range")
           && !(disposition && !ap_cstr_casecmpn(disposition, "attachment", strlen("attachment")))
           && !(caching && ap_strcasestr(caching, "no-transform"));
}

static void mark_in(apr_table_t *fields, const char *mark, apr_pool_t *pool)
{
    const char *etag = apr_table_get(fields, "ETag");
    const char *opaque = etag && clerk_text_begins_with(etag, "W/") ? etag + 2 : etag;
    apr_size_t len = opaque ? strlen(opaque) : 0;

    if (!etag) {
        return;
    }
    if (len < 2 || *opaque != '"' || opaque[len - 1] != '"') {
        apr_table_unset(fields, "ETag");
        return;
    }
    apr_table_setn(fields, "ETag", apr_pstrcat(pool, "W/", apr_pstrmemdup(pool, opaque, len - 1), mark, "\"", NULL));
}

void clerk_inject_conditions_mark(request_rec *r, const char *mark)
{
    mark_in(r->headers_out, mark, r->pool);
    mark_in(r->err_headers_out, mark, r->pool);
}

void clerk_inject_conditions_changed(request_rec *r, const char *mark)
{
    for (apr_size_t i = 0; i < sizeof(of_content) / sizeof(of_content[0]); i++) {
        apr_table_unset(r->headers_out, of_content[i]);
        apr_table_unset(r->err_headers_out, of_content[i]);
    }
    r->clength = 0;
    /* A part of the changed page would not fit one of the page that the application knows. */
    apr_table_setn(r->headers_out, "Accept-Ranges", "none");
    clerk_inject_conditions_mark(r, mark);
}
