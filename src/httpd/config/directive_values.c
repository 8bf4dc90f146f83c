/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/directive_values.h"

#include <apr_strings.h>

#include "clerk/url/origin.h"
#include "net/http.h"
#include "text/text.h"

static const char *seconds(apr_interval_time_t time, apr_pool_t *pool)
{
    int milliseconds = (int)apr_time_msec(time);

    return apr_psprintf(pool, milliseconds ? "%" APR_TIME_T_FMT ".%03d" : "%" APR_TIME_T_FMT, apr_time_sec(time),
                        milliseconds);
}

const char *clerk_directive_values_duration(apr_interval_time_t *pvalue, cmd_parms *cmd, const char *text,
                                            apr_interval_time_t least, apr_interval_time_t most)
{
    apr_interval_time_t value;
    apr_size_t digits = strspn(text, "0123456789");
    /* httpd accepts only "mi" and "min" for minutes. */
    const char *spelled = !strcasecmp(text + digits, "m") ? apr_pstrcat(cmd->temp_pool, text, "in", NULL) : text;

    if (!digits || ap_timeout_parameter_parse(spelled, &value, "s") != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a duration; write a number with ms, s, m or h, such as 30s",
                            cmd->cmd->name, text);
    }
    if (value < least || value > most) {
        return apr_psprintf(cmd->pool, "%s: '%s' is out of range; allowed are %s to %s seconds", cmd->cmd->name, text,
                            seconds(least, cmd->pool), seconds(most, cmd->pool));
    }
    *pvalue = value;
    return NULL;
}

/* A size as a directive takes it: 64K, 4M, 64G. */
static const char *size_text(apr_int64_t size, apr_pool_t *pool)
{
    static const char *const units[] = {"", "K", "M", "G"};
    int unit = 0;

    while (unit < 3 && size && size % 1024 == 0) {
        size /= 1024;
        unit++;
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", size, units[unit]);
}

const char *clerk_directive_values_size(apr_int64_t *pvalue, cmd_parms *cmd, const char *text, apr_int64_t least,
                                        apr_int64_t most)
{
    char *unit;
    apr_int64_t size = apr_strtoi64(text, &unit, 10);
    int shift = !strcasecmp(unit, "k") ? 10 : !strcasecmp(unit, "m") ? 20 : !strcasecmp(unit, "g") ? 30 : 0;
    int wrong = unit == text || (*unit && !shift) || size < 0 || size > most >> shift;

    size = wrong ? 0 : size << shift;
    if (wrong || size < least || size != (apr_int64_t)(apr_size_t)size) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a size from %s to %s; write it like 4M", cmd->cmd->name, text,
                            size_text(least, cmd->pool), size_text(most, cmd->pool));
    }
    *pvalue = size;
    return NULL;
}

const char *clerk_directive_values_word(int *pvalue, cmd_parms *cmd, const char *text, const char *const *words,
                                        int count)
{
    const char *all = NULL;

    for (int i = 0; i < count; i++) {
        if (words[i] && !strcasecmp(text, words[i])) {
            *pvalue = i;
            return NULL;
        }
    }
    for (int i = 0; i < count; i++) {
        if (words[i]) {
            all = all ? apr_pstrcat(cmd->pool, all, ", ", words[i], NULL) : words[i];
        }
    }
    return apr_psprintf(cmd->pool, "%s: '%s' is none of %s", cmd->cmd->name, text, all);
}

const char *clerk_directive_values_text(const char **ptext, cmd_parms *cmd, const char *text)
{
    (void)cmd;
    *ptext = text;
    return NULL;
}

const char *clerk_directive_values_bad_url(cmd_parms *cmd, const char *url, const char *problem)
{
    return apr_psprintf(cmd->pool, "%s: '%s': %s; write https://host/path, or http:// for a loopback address only",
                        cmd->cmd->name, url, problem);
}

const char *clerk_directive_values_outbound_url(const char **purl, cmd_parms *cmd, const char *url)
{
    const char *problem = clerk_http_url_problem(url);

    *purl = url;
    return problem ? clerk_directive_values_bad_url(cmd, url, problem) : NULL;
}

/* Why a text cannot be an origin of any scheme, or NULL. */
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

void clerk_directive_values_add(apr_array_header_t **plist, cmd_parms *cmd, const char *text)
{
    if (!*plist) {
        *plist = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    APR_ARRAY_PUSH(*plist, const char *) = text;
}

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
