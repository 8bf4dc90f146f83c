/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SETUP_H
#define CTL_SETUP_H

#include "clerk/instance/backend_api.h"
#include "clerk/instance/instance.h"
#include "clerk/services.h"
#include "ctl/output.h"
#include "httpd/config/settings.h"
#include "shared/keystore/keystore.h"

/** An instance and a policy, from options that are named as the directives. */
typedef struct clerk_setup {
    clerk_output *out;
    apr_pool_t *pool;
    clerk_instance_config conf;
    clerk_dir_config dir;
    const char *jwks_file; /**< --jwks with a path; or NULL */
    apr_time_t now;        /**< --at; the clock without it */
    int at_given;
    int offline;            /**< make no calls */
    clerk_output_code code; /**< for what is wrong: CLERK_OUTPUT_USAGE, or that something cannot be had */
    /* Set by clerk_setup_finish(): */
    clerk_instance *instance;
    const jose_keyset *static_keys; /**< of a PEM key, or of a file; or NULL */
    clerk_key_source source;
    const clerk_key_source *sources[1];
    clerk_keystore *store; /**< NULL: not needed, or no calls are made */
    clerk_http *http;      /**< with --offline, one that refuses all calls */
    clerk_backend_api backend;
    apr_array_header_t *calls; /**< of clerk_setup_call */
} clerk_setup;

/** A call of the Backend API that was made, or would be made. */
typedef struct clerk_setup_call {
    const char *method;
    const char *path; /**< without query */
    int status;       /**< 0: no answer */
    int made;
} clerk_setup_call;

clerk_setup *clerk_setup_create(clerk_output *out, apr_pool_t *pool);

/** Whether this is an option of an instance or a policy, such as `publishable-key`. */
int clerk_setup_knows(const char *name);

/** The name of the i-th option, or NULL behind the last one. */
const char *clerk_setup_option(int i, apr_pool_t *pool);

/** Whether such an option needs no value. */
int clerk_setup_is_flag(const char *name);

/** The words that the value of such an option may be, divided by spaces; "<file>"; "<text>" for others; "" if it has
 * no value. */
const char *clerk_setup_values(const char *name, apr_pool_t *pool);

/** Read a duration as directives have it. @return NULL, or what is wrong */
const char *clerk_setup_read_duration(apr_interval_time_t *pvalue, const char *text, apr_interval_time_t least,
                                      apr_interval_time_t most, apr_pool_t *pool);

/** Set an option. @return NULL, or what is wrong (without a secret) */
const char *clerk_setup_set(clerk_setup *setup, const char *name, const char *value);

/**
 * Create the instance, its keys and the way to the Backend API, as httpd does.
 * @param needs_keys whether there must be something to verify tokens with
 * @return NULL, or what is wrong
 */
const char *clerk_setup_finish(clerk_setup *setup, int needs_keys);

/** Whether an instance is described at all. */
int clerk_setup_has_instance(const clerk_setup *setup);

/** Fill in the services for clerk_authenticate(). */
void clerk_setup_services(clerk_services *services, clerk_setup *setup);

/** The reader of a secret: env:NAME, file:/path or exec:/path arg ... @return NULL, or what is wrong */
const char *clerk_setup_read_secret(const char **psecret, clerk_setup *setup, const char *option, const char *ref);

/** Read a file or a pipe of at most @a max bytes, or all of standard input ("-"). @return NULL, or what is wrong */
const char *clerk_setup_read_file(const char **ptext, apr_size_t *plen, clerk_setup *setup, const char *path,
                                  apr_size_t max);

/** Seconds since 1970, with or without fraction, or a date as in RFC 3339. @return 0 if it is neither */
int clerk_setup_read_time(apr_time_t *ptime, const char *text);

#endif
