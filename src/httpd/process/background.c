/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/background.h"

#include <stdatomic.h>

#include <apr_time.h>

/* An aborted call ends within a second, unless a name is just being looked up. Prefork runs this within a handler of
 * SIGTERM, where the interrupted thread may hold what background work needs: then nothing but an end of the wait helps.
 */
#define LONGEST_WAIT apr_time_from_sec(5)
#define STEP apr_time_from_msec(2)

/* Threads: keys, sessions and the fleet have one each. */
static atomic_int working, is_ending;

static apr_status_t wait_for_work(void *data)
{
    apr_interval_time_t waited = 0;

    atomic_store(&is_ending, 1);
    clerk_http_curl_abort(data);
    while (atomic_load(&working) && waited < LONGEST_WAIT) {
        apr_sleep(STEP);
        waited += STEP;
    }
    return APR_SUCCESS;
}

void clerk_background_init(apr_pool_t *pchild, clerk_http *http)
{
    atomic_store(&working, 0);
    atomic_store(&is_ending, 0);
    /* Before the pools below it are destroyed. */
    apr_pool_pre_cleanup_register(pchild, http, wait_for_work);
}

int clerk_background_begin(void)
{
    atomic_fetch_add(&working, 1);
    if (atomic_load(&is_ending)) {
        atomic_fetch_sub(&working, 1);
        return 0;
    }
    return 1;
}

int clerk_background_is_ending(void)
{
    return atomic_load(&is_ending);
}

void clerk_background_end(void)
{
    atomic_fetch_sub(&working, 1);
}
