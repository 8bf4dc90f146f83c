/* SPDX-License-Identifier: Apache-2.0 */
#include "text/content_policy.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "text/text.h"

#define SPACES " \t\r\n\f"
#define DIRECTIVES_MAX 4
#define NONCE "'nonce-"

static const char *const deciding[][DIRECTIVES_MAX] = {
    [CLERK_CONTENT_POLICY_SCRIPT] = {"script-src-elem", "script-src", "default-src"},
    [CLERK_CONTENT_POLICY_CONNECT] = {"connect-src", "default-src"},
    [CLERK_CONTENT_POLICY_FRAME] = {"frame-src", "child-src", "default-src"},
};

/* The sources of a directive in one policy; the first of a name counts. @return NULL: there is none */
static char *sources_of(const char *policy, const char *name, apr_pool_t *pool)
{
    char *rest, *directive = apr_strtok(apr_pstrdup(pool, policy), ";", &rest);
    apr_size_t len = strlen(name);

    for (; directive; directive = apr_strtok(NULL, ";", &rest)) {
        directive += strspn(directive, SPACES);
        if (!strncasecmp(directive, name, len) && (!directive[len] || strchr(SPACES, directive[len]))) {
            return directive + len;
        }
    }
    return NULL;
}

/* The sources that decide. @return NULL: the policy says nothing about it */
static char *deciding_sources(const char *policy, clerk_content_policy_use use, apr_pool_t *pool)
{
    char *sources = NULL;

    for (int i = 0; !sources && deciding[use][i]; i++) {
        sources = sources_of(policy, deciding[use][i], pool);
    }
    return sources;
}

/* Whether a host source, such as `https://www.example.com:443`, matches an origin. Paths are not looked at. */
static int host_matches(const char *source, const char *origin, const char *own)
{
    const char *scheme_end = strstr(source, "://");
    const char *origin_host = strstr(origin, "://") + 3;
    apr_size_t len;

    if (scheme_end) {
        len = (apr_size_t)(scheme_end - source);
        /* http: allows https as well. */
        if (strncasecmp(source, origin, len) || !(origin[len] == ':' || (len == 4 && origin[len] == 's'))) {
            return 0;
        }
        source = scheme_end + 3;
    } else if (clerk_text_begins_with(own, "https:") && !clerk_text_begins_with(origin, "https:")) {
        return 0;
    }
    len = strcspn(source, "/");
    if (len > 2 && !strncmp(source + len - 2, ":*", 2)) {
        return len - 2 == strcspn(origin_host, ":") && !strncasecmp(source, origin_host, len - 2);
    }
    if (clerk_text_begins_with(source, "*.")) {
        apr_size_t host_len = strlen(origin_host);

        return host_len > len - 1 && !strncasecmp(origin_host + host_len - (len - 1), source + 1, len - 1);
    }
    if (len > 4 && !strncmp(source + len - 4, ":443", 4) && clerk_text_begins_with(origin, "https:")
        && !strchr(origin_host, ':')) {
        len -= 4;
    }
    return strlen(origin_host) == len && !strncasecmp(source, origin_host, len);
}

static int source_matches(const char *source, const char *origin, const char *own)
{
    apr_size_t len = strlen(source);

    if (!strcasecmp(source, "'self'")) {
        return !strcmp(origin, own);
    }
    if (*source == '\'') {
        return 0;
    }
    if (!strcmp(source, "*")) {
        return 1;
    }
    if (source[len - 1] == ':') {
        return !strncasecmp(source, origin, len)
               || (!strcasecmp(source, "http:") && clerk_text_begins_with(origin, "https:"));
    }
    return host_matches(source, origin, own);
}

static int is_nonce(const char *source, const char *nonce)
{
    apr_size_t len = strlen(nonce);

    return !strncasecmp(source, NONCE, sizeof(NONCE) - 1) && !strncmp(source + sizeof(NONCE) - 1, nonce, len)
           && !strcmp(source + sizeof(NONCE) - 1 + len, "'");
}

static int policy_allows(const char *policy, clerk_content_policy_use use, const char *origin, const char *own,
                         const char *nonce, apr_pool_t *pool)
{
    char *sources = deciding_sources(policy, use, pool), *rest, *source;
    int matches = 0, dynamic = 0;

    if (!sources) {
        return 1;
    }
    for (source = apr_strtok(sources, SPACES, &rest); source; source = apr_strtok(NULL, SPACES, &rest)) {
        if (use == CLERK_CONTENT_POLICY_SCRIPT && nonce && is_nonce(source, nonce)) {
            return 1;
        }
        dynamic |= use == CLERK_CONTENT_POLICY_SCRIPT && !strcasecmp(source, "'strict-dynamic'");
        matches |= source_matches(source, origin, own);
    }
    /* With 'strict-dynamic', places do not count. */
    return matches && !dynamic;
}

const char *clerk_content_policy_nonce(const char *field, apr_pool_t *pool)
{
    char *rest, *policy = apr_strtok(apr_pstrdup(pool, field), ",", &rest);
    char *sources = policy ? deciding_sources(policy, CLERK_CONTENT_POLICY_SCRIPT, pool) : NULL;
    const char *source = sources ? apr_strtok(sources, SPACES, &rest) : NULL;

    for (; source; source = apr_strtok(NULL, SPACES, &rest)) {
        apr_size_t len = strlen(source);

        if (!strncasecmp(source, NONCE, sizeof(NONCE) - 1) && len > sizeof(NONCE) && source[len - 1] == '\'') {
            return apr_pstrmemdup(pool, source + sizeof(NONCE) - 1, len - sizeof(NONCE));
        }
    }
    return NULL;
}

int clerk_content_policy_allows(const char *field, clerk_content_policy_use use, const char *origin, const char *own,
                                const char *nonce, apr_pool_t *pool)
{
    char *rest, *policy = apr_strtok(apr_pstrdup(pool, field), ",", &rest);

    for (; policy; policy = apr_strtok(NULL, ",", &rest)) {
        if (!policy_allows(policy, use, origin, own, nonce, pool)) {
            return 0;
        }
    }
    return 1;
}
