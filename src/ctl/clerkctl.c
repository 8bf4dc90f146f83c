/* SPDX-License-Identifier: Apache-2.0 */

/* The command-line tool: docs/clerkctl.md. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "ctl/arguments.h"
#include "ctl/explain.h"
#include "ctl/token.h"
#include "jose/json.h"

int main(int argc, const char *const *argv)
{
    clerk_output_code code;
    clerk_output *out;
    apr_pool_t *pool;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        (void)fputs("clerkctl: APR cannot be used\n", stderr);
        return CLERK_OUTPUT_UNAVAILABLE;
    }
    jose_json_end_without_memory();
    out = clerk_output_create(pool);
    code = clerk_arguments_run(out, argc, argv, pool);
    if (!clerk_output_finish(out)) {
        (void)fputs("clerkctl: standard output cannot be written\n", stderr);
        code = CLERK_OUTPUT_UNAVAILABLE;
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return (int)code;
}
