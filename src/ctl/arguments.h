/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_ARGUMENTS_H
#define CTL_ARGUMENTS_H

#include "ctl/output.h"
#include "ctl/setup.h"

/** What a command gets from its command line. */
typedef struct clerk_arguments {
    clerk_output *out;
    apr_pool_t *pool;
    clerk_setup *setup;          /**< with the options of an instance and a policy, not finished */
    apr_table_t *values;         /**< the command's own options; "" for those without a value */
    apr_array_header_t *headers; /**< of const char *: --header, in order */
    apr_array_header_t *rest;    /**< of const char *: what follows "--" */
} clerk_arguments;

/** Read the command line and run the command. */
clerk_output_code clerk_arguments_run(clerk_output *out, int argc, const char *const *argv, apr_pool_t *pool);

#endif
