/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_notice.h"

#include <string.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <mod_core.h>

#include "clerk/browser/rounds.h"
#include "clerk/url/query.h"
#include "clerk/url/url.h"
#include "httpd/request/wire.h"
#include "httpd/site/site.h"
#include "httpd/site/site_content.h"

/* Plain ASCII, because httpd sends custom responses as ISO 8859-1. */
static const char head[] = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"iso-8859-1\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                           "<meta name=\"robots\" content=\"noindex\">\n<style>\n";

static int has_error_document(request_rec *r, int status)
{
    return ap_response_code_string(r, ap_index_of_response(status)) != NULL;
}

int clerk_site_notice_is_seen(request_rec *r, int status)
{
    clerk_request request;

    if (r->main || has_error_document(r, status)) {
        return 0;
    }
    clerk_wire_read_all(&request, r);
    return clerk_request_is_shown(&request);
}

void clerk_site_notice_show(request_rec *r, int status, const char *title, const char *content)
{
    if (r->main || has_error_document(r, status)) {
        return;
    }
    ap_custom_response(r, status,
                       apr_pstrcat(r->pool, head, clerk_site_notice_css, "</style>\n<title>", title,
                                   "</title>\n</head>\n<body>\n<main>\n<h1>", title, "</h1>\n", content,
                                   "</main>\n</body>\n</html>\n", NULL));
    apr_table_setn(r->err_headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'");
    apr_table_setn(r->err_headers_out, "Referrer-Policy", "no-referrer");
}

/* The code point that begins at *ptext, which is moved behind it. */
static unsigned int next_code_point(const char **ptext)
{
    const unsigned char *at = (const unsigned char *)*ptext;
    const int more = at[0] < 0x80 ? 0 : at[0] < 0xE0 ? 1 : at[0] < 0xF0 ? 2 : 3;
    unsigned int point = more == 0 ? at[0] : at[0] & (0x3Fu >> more);
    int i;

    for (i = 1; i <= more && (at[i] & 0xC0) == 0x80; i++) {
        point = point << 6 | (at[i] & 0x3Fu);
    }
    *ptext += i;
    return point;
}

const char *clerk_site_notice_escape(const char *text, apr_pool_t *pool)
{
    /* Of one byte at most "&#127;", of n bytes at most "&#2097151;". */
    char *escaped = apr_palloc(pool, 10 * strlen(text) + 1), *end = escaped;

    while (*text) {
        unsigned int point = next_code_point(&text);

        if (point < 0x80 && !strchr("<>&\"'", (int)point)) {
            *end++ = (char)point;
        } else {
            end += apr_snprintf(end, 11, "&#%u;", point);
        }
    }
    *end = '\0';
    return escaped;
}

const char *clerk_site_notice_here(request_rec *r)
{
    clerk_request request;
    clerk_url *here;

    if (r->method_number != M_GET) {
        return NULL;
    }
    clerk_wire_read_all(&request, r);
    here = clerk_url_join(request.origin_url, request.target, r->pool);
    if (!here) {
        return NULL;
    }
    here->query = clerk_rounds_clean_query(here->query, r->pool);
    return apr_pstrcat(r->pool, here->path, here->query ? "?" : "", here->query, NULL);
}

const char *clerk_site_notice_path(request_rec *r, const char *page, const char *back)
{
    const char *path = clerk_site_path(r, page);
    apr_array_header_t *query = apr_array_make(r->pool, 1, sizeof(clerk_parameter));

    if (!path || !back) {
        return path;
    }
    clerk_query_append(query, "redirect_url", back);
    return apr_pstrcat(r->pool, path, "?", clerk_query_text(query, r->pool), NULL);
}

const char *clerk_site_notice_button(request_rec *r, const char *kind, const char *href, const char *text)
{
    return href ? apr_pstrcat(r->pool, "<a class=\"", kind, "\" href=\"", ap_escape_html2(r->pool, href, 1), "\">",
                              text, "</a>\n", NULL)
                : "";
}
