/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_URL_H
#define CLERK_URL_URL_H

#include <apr_pools.h>
#include <apr_tables.h>

/*
 * URLs as the SDK writes them (protocol.md 3.2): the part of the WHATWG URL standard that http and https need. All
 * results are from the pool that was passed in.
 */

/** An absolute http or https URL; each part is normalized and escaped. */
typedef struct clerk_url {
    const char *scheme;    /**< "http" or "https" */
    const char *host;      /**< lower case; an IPv6 address keeps its brackets */
    const char *port;      /**< "" if it is the default port of the scheme */
    const char *origin;    /**< `scheme://host[:port]` */
    const char *authority; /**< `host[:port]`, the end of the origin */
    int has_userinfo;      /**< there was a `user@`, which is dropped */
    const char *path;      /**< begins with '/' */
    const char *query;     /**< without '?'; NULL: none */
    const char *fragment;  /**< without '#'; NULL: none */
} clerk_url;

/**
 * Parse an absolute URL. Accepted are http and https with `//`, and hosts in ASCII without percent escapes.
 * @return NULL if it is not accepted
 */
clerk_url *clerk_url_parse(const char *text, apr_pool_t *pool);

/**
 * Append a request target to an origin. The target is not resolved as a relative reference: `//host/x` is a path of
 * this origin (protocol.md 3.1).
 * @param origin `scheme://host[:port]`
 * @param target path, query and fragment; a '/' is added if it does not begin with one
 * @return NULL if @a origin is not an http or https origin
 */
clerk_url *clerk_url_join(const char *origin, const char *target, apr_pool_t *pool);

/** The whole URL as text. */
const char *clerk_url_text(const clerk_url *url, apr_pool_t *pool);

#endif
