/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/directive_values.h"

#include <apr_strings.h>

#include "clerk/url/origin.h"
#include "text/text.h"

const char *clerk_directive_values_duration(apr_interval_time_t *pvalue, cmd_parms *cmd, const char *text,
                                            apr_interval_time_t least, apr_interval_time_t most)
{
    apr_interval_time_t value;
    apr_size_t digits = strspn(text, "0123456789");
    /* httpd knows minutes as "mi" and "min" only. */
    const char *spelled = !strcasecmp(text + digits, "m") ? apr_pstrcat(cmd->temp_pool, text, "in", NULL) : text;

    if (!digits || ap_timeout_parameter_parse(spelled, &value, "s") != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a duration; write a number with ms, s, m or h, such as 30s",
                            cmd->cmd->name, text);
    }
    if (value < least || value > most) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is out of range; allowed are %" APR_TIME_T_FMT " to %" APR_TIME_T_FMT " seconds",
                            cmd->cmd->name, text, apr_time_sec(least), apr_time_sec(most));
    }
    *pvalue = value;
    return NULL;
}

/** What keeps a text from being an origin, whatever its scheme. */
static const char *shape_problem(const char *text)
{
    const char *host = strstr(text, "://");

    if (!host || host == text || !host[3]) {
        return "is not an origin";
    }
    if (!clerk_text_is_clean(text) || strchr(text, ' ')) {
        return "has white space or control characters in it";
    }
    return strpbrk(host + 3, "/?#@") ? "has more than scheme, host and port (a trailing '/' never matches)" : NULL;
}

const char *clerk_directive_values_origin_problem(const char *text, apr_pool_t *pool)
{
    const char *problem = shape_problem(text);
    const clerk_url *origin;

    if (problem || (strncasecmp(text, "https:", 6) && strncasecmp(text, "http:", 5))) {
        return problem;
    }
    origin = clerk_origin_parse(text, pool);
    if (!origin) {
        return "has no host, or a port that is none";
    }
    return !strcmp(origin->origin, text) ? NULL
                                         : "is not in lower case, or has the scheme's own port, and never matches";
}

const char *clerk_directive_values_origin(const char **porigin, cmd_parms *cmd, const char *text)
{
    const char *problem = shape_problem(text);
    const clerk_url *origin = !problem ? clerk_origin_parse(text, cmd->pool) : NULL;

    if (!origin) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' %s; write scheme://host or scheme://host:port, such as "
                            "https://www.example.com",
                            cmd->cmd->name, text, problem ? problem : "is not an http or https origin");
    }
    *porigin = origin->origin;
    return NULL;
}

const char *clerk_directive_values_add(apr_array_header_t **plist, cmd_parms *cmd, const char *text)
{
    if (!*plist) {
        *plist = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    APR_ARRAY_PUSH(*plist, const char *) = text;
    return NULL;
}

/** A page that browsers are sent to: a path here, or an absolute http(s) URL. Never fetched by us. */
const char *clerk_directive_values_page_url(const char **purl, cmd_parms *cmd, const char *url)
{
    int path = *url == '/' && url[1] != '/' && url[1] != '\\';

    if (!clerk_text_is_clean(url) || strpbrk(url, " \\")) {
        return apr_psprintf(cmd->pool, "%s: '%s' has white space, a backslash or control characters in it",
                            cmd->cmd->name, url);
    }
    if (!path && !clerk_url_parse(url, cmd->temp_pool)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither a path that begins with one '/' nor an http(s) URL",
                            cmd->cmd->name, url);
    }
    *purl = url;
    return NULL;
}
