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

/* Plain ASCII, because httpd sends custom responses as ISO 8859-1. */
static const char head[]
    = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"iso-8859-1\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"robots\" content=\"noindex\">\n<style>\n"
      ":root{color-scheme:light "
      "dark;--bg:#f5f6f8;--card:#fff;--text:#1c1e26;--dim:#646a7a;--line:#e3e5eb;--link:#40508f}\n"
      "@media(prefers-color-scheme:dark){:root{--bg:#14161c;--card:#1d2029;--text:#e8eaf0;--dim:#9aa1b3;--line:#2e3340;"
      "--link:#a9b8ff}}\n"
      "*{box-sizing:border-box}body{margin:0;padding:8vh 1rem;background:var(--bg);color:var(--text);"
      "font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Liberation Sans\",sans-serif}\n"
      "main{max-width:38rem;margin:0 auto;padding:1.75rem 2rem;background:var(--card);border:1px solid var(--line);"
      "border-radius:.75rem}\n"
      "h1{font-size:1.4rem;line-height:1.3;margin:0 0 1rem}"
      "h2{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--dim);margin:1.75rem 0 .25rem}\n"
      "p{margin:0 0 .75rem}ul{margin:0 0 .75rem;padding-left:1.25rem}bdi{font-weight:600;overflow-wrap:anywhere}\n"
      "a{display:inline-block;margin:.5rem .5rem 0 0;padding:.45rem 1.1rem;border-radius:.5rem;border:1px solid "
      "var(--link);"
      "background:var(--link);color:var(--card);text-decoration:none;font-weight:600}"
      "a.second{background:none;color:var(--link)}\n"
      "code{font:.9em ui-monospace,\"SFMono-Regular\",Menlo,\"Liberation Mono\",monospace;overflow-wrap:anywhere}"
      "footer{margin-top:1.5rem;padding-top:.75rem;border-top:1px solid "
      "var(--line);color:var(--dim);font-size:.85rem}\n"
      "</style>\n";

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
                       apr_pstrcat(r->pool, head, "<title>", title, "</title>\n</head>\n<body>\n<main>\n<h1>", title,
                                   "</h1>\n", content, "</main>\n</body>\n</html>\n", NULL));
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
