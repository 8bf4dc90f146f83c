/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_HTTP_TEXT_H
#define CTL_HTTP_TEXT_H

#include <apr_pools.h>
#include <apr_tables.h>

/** A request as a client sends it, read from text. */
typedef struct clerk_http_text {
    const char *method;
    const char *target;   /**< path and query, as httpd hands it on */
    apr_table_t *headers; /**< several fields of one name are joined with ", ", as httpd does */
} clerk_http_text;

/** What a text is taken for. */
typedef enum clerk_http_text_kind {
    CLERK_HTTP_TEXT_REQUEST, /**< a request line, header fields, an empty line, perhaps a body; or as
                                  `curl -v` or a browser shows it */
    CLERK_HTTP_TEXT_COOKIE,  /**< the value of a Cookie field, or the whole field */
    CLERK_HTTP_TEXT_TOKEN    /**< a token, also with Bearer or as a whole Authorization field */
} clerk_http_text_kind;

/** What the text looks like. */
clerk_http_text_kind clerk_http_text_guess(const char *text);

/** The name for a kind: request, cookie or token. @return 0 if there is none of that name */
int clerk_http_text_kind_of(clerk_http_text_kind *pkind, const char *name);

/**
 * Read a request. A cookie or a token alone becomes a GET of "/"; a cookie as a browser sends it with a page
 * navigation.
 * @param text of @a len bytes, which must not contain NUL
 * @return NULL, or what is wrong
 */
const char *clerk_http_text_read(clerk_http_text *request, clerk_http_text_kind kind, const char *text, apr_size_t len,
                                 apr_pool_t *pool);

/** Add a field `Name: value` to a request, or replace the fields of that name. @return NULL, or what is wrong */
const char *clerk_http_text_set_field(clerk_http_text *request, const char *line, apr_pool_t *pool);

/** The value of a field, or NULL if it is absent or empty. */
const char *clerk_http_text_field(const clerk_http_text *request, const char *name);

#endif
