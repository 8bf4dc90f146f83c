/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/secret_environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/crypto.h>

#include "text/secret_text.h"

extern char **environ;

/* "NAME=value" in the environment, where the value has been overwritten. */
typedef struct hidden_variable {
    char *entry;            /* the string itself, which may be in the memory that /proc/PID/environ shows */
    apr_size_t offset, len; /* of its value */
    char *value;            /* a copy */
} hidden_variable;

static const char *const default_names[]
    = {"CLERK_SECRET_KEY", "CLERK_JWT_KEY", "CLERK_MACHINE_SECRET_KEY", "CLERK_WEBHOOK_SIGNING_SECRET"};

/* Of the configuration pass; they live in its pool. */
static apr_array_header_t *names;  /* of const char * */
static apr_array_header_t *hidden; /* of hidden_variable */
static pid_t owner;

void clerk_secret_environment_reset(apr_pool_t *pconf)
{
    names = apr_array_make(pconf, 8, sizeof(const char *));
    hidden = apr_array_make(pconf, 8, sizeof(hidden_variable));
    for (apr_size_t i = 0; i < sizeof(default_names) / sizeof(default_names[0]); i++) {
        clerk_secret_environment_add(default_names[i]);
    }
}

void clerk_secret_environment_add(const char *name)
{
    APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(names->pool, name);
}

/* Take all entries of one name out: there may be more than one, of which getenv() finds the first. */
static void hide_variable(const char *name, apr_pool_t *pool)
{
    apr_size_t len = strlen(name);
    int first = hidden->nelts;

    for (char **at = environ; at && *at; at++) {
        if (!strncmp(*at, name, len) && (*at)[len] == '=') {
            hidden_variable *added = apr_array_push(hidden);

            added->entry = *at;
            added->offset = len + 1;
            added->len = strlen(*at + added->offset);
            added->value = (char *)clerk_secret_text_keep(pool, *at + added->offset, added->len);
        }
    }
    if (hidden->nelts > first) {
        unsetenv(name);
    }
    for (int i = first; i < hidden->nelts; i++) {
        const hidden_variable *variable = &APR_ARRAY_IDX(hidden, i, hidden_variable);

        OPENSSL_cleanse(variable->entry + variable->offset, variable->len);
    }
}

static apr_status_t put_back(void *unused)
{
    (void)unused;
    /* Not in a child that ends: it has no use for them, and has overwritten the copies. */
    if (owner != getpid()) {
        return APR_SUCCESS;
    }
    /* The first of a name has to be the first again. */
    for (int i = hidden->nelts - 1; i >= 0; i--) {
        const hidden_variable *variable = &APR_ARRAY_IDX(hidden, i, hidden_variable);

        memcpy(variable->entry + variable->offset, variable->value, variable->len);
        putenv(variable->entry);
    }
    return APR_SUCCESS;
}

void clerk_secret_environment_hide(apr_pool_t *pconf)
{
    owner = getpid();
    for (int i = 0; i < names->nelts; i++) {
        hide_variable(APR_ARRAY_IDX(names, i, const char *), pconf);
    }
    apr_pool_cleanup_register(pconf, NULL, put_back, apr_pool_cleanup_null);
}

void clerk_secret_environment_forget(void)
{
    if (!hidden || owner == getpid()) {
        return;
    }
    for (int i = 0; i < hidden->nelts; i++) {
        hidden_variable *variable = &APR_ARRAY_IDX(hidden, i, hidden_variable);

        OPENSSL_cleanse(variable->value, variable->len);
        variable->len = 0;
    }
}
