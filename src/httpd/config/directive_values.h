/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_DIRECTIVE_VALUES_H
#define HTTPD_CONFIG_DIRECTIVE_VALUES_H

#include <httpd.h>
#include <http_config.h>

/* Parsing and checking values of directives. Errors name the directive, the value and the allowed values. */

/** A duration from @a least to @a most: a number with s (or nothing), m or min, h or ms. @return NULL, or the error */
const char *clerk_directive_values_duration(apr_interval_time_t *pvalue, cmd_parms *cmd, const char *text,
                                            apr_interval_time_t least, apr_interval_time_t most);

/** A size in bytes from @a least to @a most: a number with K, M, G or nothing. @return NULL, or the error */
const char *clerk_directive_values_size(apr_int64_t *pvalue, cmd_parms *cmd, const char *text, apr_int64_t least,
                                        apr_int64_t most);

/** One of @a count words, in upper or lower case. @param words indexed by value; NULL for values without a word
 *  @return NULL, or the error */
const char *clerk_directive_values_word(int *pvalue, cmd_parms *cmd, const char *text, const char *const *words,
                                        int count);

/** Any text, unchanged. @return NULL: it never fails */
const char *clerk_directive_values_text(const char **ptext, cmd_parms *cmd, const char *text);

/** A URL for outbound calls: https, or http for a loopback address. @return NULL, or the error */
const char *clerk_directive_values_outbound_url(const char **purl, cmd_parms *cmd, const char *url);

/** The error for such a URL. @param problem from clerk_http_url_problem() */
const char *clerk_directive_values_bad_url(cmd_parms *cmd, const char *url, const char *problem);

/**
 * Why @a text cannot be an origin that equals an `azp`, byte for byte; NULL: it can. Applications on phones and
 * desktops use other schemes, so only http and https origins are checked closely.
 */
const char *clerk_directive_values_origin_problem(const char *text, apr_pool_t *pool);

/** An http(s) origin; made lower case, a default port is removed. @return NULL, or the error */
const char *clerk_directive_values_origin(const char **porigin, cmd_parms *cmd, const char *text);

/** A page that browsers are redirected to: a path of this site or an http(s) URL. @return NULL, or the error */
const char *clerk_directive_values_page_url(const char **purl, cmd_parms *cmd, const char *url);

/** Append to a list of const char *, which is created if it is NULL. */
void clerk_directive_values_add(apr_array_header_t **plist, cmd_parms *cmd, const char *text);

#endif
