/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_BACKGROUND_H
#define HTTPD_PROCESS_BACKGROUND_H

#include <apr_pools.h>

#include "net/http.h"

/*
 * Background work, which mod_watchdog's threads of a child do. httpd does not wait for these threads when a child ends
 * (prefork with each graceful restart, every process model when it stops): they would go on with memory of the child's
 * pool, and within OpenSSL while exit() takes OpenSSL down.
 */

/**
 * In child_init: let background work end before the child's pool does. Its outbound calls are aborted then.
 * @param http what it makes outbound calls with
 */
void clerk_background_init(apr_pool_t *pchild, clerk_http *http);

/** Begin background work. @return 0: the child is ending; do none, and do not call clerk_background_end() */
int clerk_background_begin(void);

/** Whether the child is ending: what has several steps leaves the rest of them undone. */
int clerk_background_is_ending(void);

/** End what clerk_background_begin() has begun. */
void clerk_background_end(void);

#endif
