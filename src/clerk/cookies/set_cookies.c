/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/cookies/set_cookies.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/cookies/cookies.h"
#include "clerk/protocol.h"
#include "text/text.h"

static int is_session(const char *name, const clerk_instance *instance)
{
    const apr_size_t len = sizeof(CLERK_COOKIE_SESSION) - 1;

    if (!clerk_text_begins_with(name, CLERK_COOKIE_SESSION)) {
        return 0;
    }
    return name[len] == '\0'
           || (name[len] == '_' && instance->cookie_suffix[0] != '\0'
               && !strcmp(name + len + 1, instance->cookie_suffix));
}

static int is_other_clerk_cookie(const char *name)
{
    return clerk_text_begins_with(name, CLERK_COOKIE_CLIENT_UAT) || clerk_text_begins_with(name, CLERK_COOKIE_REFRESH)
           || clerk_text_begins_with(name, "__clerk_");
}

const char *clerk_set_cookies_take(apr_array_header_t *set_cookies, const json_t *list, const clerk_instance *instance,
                                   apr_pool_t *pool)
{
    const char *token = "";

    for (apr_size_t i = 0; i < json_array_size(list); i++) {
        const char *directive = json_string_value(json_array_get(list, i));
        const char *name;
        apr_size_t len;

        if (!directive || !clerk_text_is_clean(directive)) {
            continue;
        }
        len = strcspn(directive, "=;");
        if (directive[len] != '=') {
            continue;
        }
        name = apr_pstrmemdup(pool, directive, len);
        if (is_session(name, instance)) {
            const char *value = directive + len + 1;

            token = apr_pstrmemdup(pool, value, strcspn(value, "=;"));
        } else if (!is_other_clerk_cookie(name)) {
            continue;
        }
        APR_ARRAY_PUSH(set_cookies, const char *) = apr_pstrdup(pool, directive);
    }
    return token;
}
