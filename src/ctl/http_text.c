/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/http_text.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "text/text.h"

#define TOKEN_CHARACTERS "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *const kinds[]
    = {[CLERK_HTTP_TEXT_REQUEST] = "request", [CLERK_HTTP_TEXT_COOKIE] = "cookie", [CLERK_HTTP_TEXT_TOKEN] = "token"};

int clerk_http_text_kind_of(clerk_http_text_kind *pkind, const char *name)
{
    for (int i = 0; i < (int)(sizeof(kinds) / sizeof(kinds[0])); i++) {
        if (!strcmp(kinds[i], name)) {
            *pkind = (clerk_http_text_kind)i;
            return 1;
        }
    }
    return 0;
}

static int begins_with_field(const char *text, const char *name)
{
    return !strncasecmp(text, name, strlen(name));
}

/* The length of what ends the first line: HTTP/1.1, HTTP/2, HTTP/2.0 or the like, and the space before it. Or 0. */
static apr_size_t version_len(const char *text)
{
    apr_size_t line = strcspn(text, "\r\n"), len = 0;

    while (len < line && (clerk_text_is_digit(text[line - len - 1]) || text[line - len - 1] == '.')) {
        len++;
    }
    return len > 0 && len <= 3 && clerk_text_is_digit(text[line - len]) && len + 6 < line
                   && !strncmp(text + line - len - 6, " HTTP/", 6)
               ? len + 6
               : 0;
}

/* The first line that `curl -v` shows as sent: "> GET / HTTP/2". @return NULL if there is none */
static const char *first_sent_line(const char *text)
{
    while (text && !(clerk_text_begins_with(text, "> ") && version_len(text + 2))) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text;
}

clerk_http_text_kind clerk_http_text_guess(const char *text)
{
    apr_size_t line, name;

    text += strspn(text, " \t\r\n");
    line = strcspn(text, "\r\n");
    if (version_len(text) || begins_with_field(text, ":") || first_sent_line(text)) {
        return CLERK_HTTP_TEXT_REQUEST;
    }
    if (begins_with_field(text, "Cookie:")) {
        return CLERK_HTTP_TEXT_COOKIE;
    }
    if (begins_with_field(text, "Authorization:") || begins_with_field(text, "Bearer ")) {
        return CLERK_HTTP_TEXT_TOKEN;
    }
    while (line > 0 && (text[line - 1] == ' ' || text[line - 1] == '\t')) {
        line--;
    }
    /* A token has no = but at its end. */
    name = strcspn(text, "=");
    return memchr(text, ';', line) || name + strspn(text + name, "=") < line ? CLERK_HTTP_TEXT_COOKIE
                                                                             : CLERK_HTTP_TEXT_TOKEN;
}

/* Take the next line from a text; line breaks are CRLF or LF. */
static char *next_line(char **ptext)
{
    char *line = *ptext, *end = strchr(line, '\n');

    if (!end) {
        *ptext = line + strlen(line);
        return line;
    }
    *ptext = end + 1;
    if (end > line && end[-1] == '\r') {
        end--;
    }
    *end = '\0';
    return line;
}

static char *trimmed(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text + strspn(text, " \t\r\n"));
    apr_size_t len = strlen(copy);

    while (len > 0 && strchr(" \t\r\n", copy[len - 1])) {
        copy[--len] = '\0';
    }
    return copy;
}

/* @param add to the fields of that name, as httpd does; else in their place */
static const char *put_field(clerk_http_text *request, const char *line, int add, apr_pool_t *pool)
{
    apr_size_t name = strspn(line, TOKEN_CHARACTERS);
    const char *value;

    if (name == 0 || line[name] != ':') {
        return "a line is no header field, which would be a name, a colon and a value";
    }
    value = trimmed(line + name + 1, pool);
    for (const char *c = value; *c; c++) {
        if (clerk_text_is_control(*c) && *c != '\t') {
            return apr_psprintf(pool, "the field %.*s has a control character in it", (int)name, line);
        }
    }
    if (add) {
        apr_table_mergen(request->headers, apr_pstrmemdup(pool, line, name), value);
    } else {
        apr_table_setn(request->headers, apr_pstrmemdup(pool, line, name), value);
    }
    return NULL;
}

/* The path and the query of a request target, which may have a scheme and a host before them. */
static const char *target_of(const char *target, apr_pool_t *pool)
{
    const char *slashes;

    if (*target == '/') {
        return target;
    }
    slashes = strstr(target, "://");
    target = slashes ? slashes + 3 + strcspn(slashes + 3, "/?") : "";
    return *target == '/' ? target : apr_pstrcat(pool, "/", target, NULL);
}

static const char *read_request_line(clerk_http_text *request, char *line, apr_pool_t *pool)
{
    apr_size_t version = version_len(line);
    char *target;
    apr_size_t method = strspn(line, TOKEN_CHARACTERS);

    if (method == 0 || line[method] != ' ' || !version || strlen(line) - version <= method + 1) {
        return "the first line is no request line such as GET /path HTTP/1.1";
    }
    target = line + method + 1;
    line[strlen(line) - version] = '\0';
    line[method] = '\0';
    if (!clerk_text_is_clean(target) || strchr(target, ' ')) {
        return "the request target has a space or a control character in it";
    }
    request->method = line;
    request->target = target_of(target, pool);
    return NULL;
}

/* What `curl -v` shows as sent, without what it shows besides. */
static char *sent_by_curl(const char *text, apr_pool_t *pool)
{
    char *state = NULL, *sent = apr_palloc(pool, strlen(text) + 1), *to = sent;

    for (char *line = apr_strtok(apr_pstrdup(pool, text), "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        apr_size_t begin = clerk_text_begins_with(line, "> ") ? 2 : 1, len = strcspn(line, "\r");

        if (*line != '>') {
            continue;
        }
        if (len <= begin) {
            break;
        }
        memcpy(to, line + begin, len - begin);
        to += len - begin;
        *to++ = '\n';
    }
    *to = '\0';
    return sent;
}

/* HTTP/2 as browsers show it: ":method: GET", ":path: /", ":authority: www.example.com", in lines before the fields. */
static const char *read_pseudo_fields(clerk_http_text *request, char **ptext, apr_pool_t *pool)
{
    while (**ptext == ':') {
        char *line = next_line(ptext), *colon = strchr(line + 1, ':');
        const char *value = colon ? trimmed(colon + 1, pool) : "";

        if (!*value) {
            return "a line that begins with a colon has no value; write it as :method: GET";
        }
        *colon = '\0';
        if (!clerk_text_is_graphic(value)) {
            return apr_psprintf(pool, "%s has a space or a control character in it", line);
        }
        if (!strcmp(line, ":method")) {
            request->method = value;
        } else if (!strcmp(line, ":path")) {
            request->target = target_of(value, pool);
        } else if (!strcmp(line, ":authority")) {
            apr_table_setn(request->headers, "Host", value);
        }
    }
    return NULL;
}

static const char *read_request(clerk_http_text *request, char *text, apr_pool_t *pool)
{
    const char *problem;

    text += strspn(text, "\r\n");
    if ((*text == '>' || !version_len(text)) && first_sent_line(text)) {
        text = sent_by_curl(first_sent_line(text), pool);
    }
    problem
        = *text == ':' ? read_pseudo_fields(request, &text, pool) : read_request_line(request, next_line(&text), pool);
    while (!problem && *text) {
        char *line = next_line(&text);

        if (!*line) {
            break;
        }
        problem = *line == ' ' || *line == '\t' ? "a header field is continued on a second line, which httpd refuses"
                                                : put_field(request, line, 1, pool);
    }
    return problem;
}

/* One line: the value of a field, perhaps with its name before it. */
static const char *read_value(clerk_http_text *request, const char *name, const char *text, apr_pool_t *pool)
{
    const char *value = trimmed(text, pool);

    if (strpbrk(value, "\r\n")) {
        return "there is more than one line; a request begins with a line such as GET /path HTTP/1.1";
    }
    if (!*value) {
        return "standard input is empty";
    }
    return begins_with_field(value, apr_pstrcat(pool, name, ":", NULL))
               ? put_field(request, value, 1, pool)
               : put_field(request, apr_pstrcat(pool, name, ": ", value, NULL), 1, pool);
}

const char *clerk_http_text_read(clerk_http_text *request, clerk_http_text_kind kind, const char *text, apr_size_t len,
                                 apr_pool_t *pool)
{
    const char *problem;

    request->method = "GET";
    request->target = "/";
    request->headers = apr_table_make(pool, 16);
    if (memchr(text, '\0', len)) {
        return "there is a NUL byte in the input";
    }
    if (kind == CLERK_HTTP_TEXT_REQUEST) {
        return read_request(request, apr_pstrdup(pool, text), pool);
    }
    if (kind == CLERK_HTTP_TEXT_TOKEN) {
        const char *word = trimmed(text, pool);
        int is_word = *word && !begins_with_field(word, "Authorization:") && !strpbrk(word, " \t\r\n");

        return read_value(request, "Authorization", is_word ? apr_pstrcat(pool, "Bearer ", word, NULL) : word, pool);
    }
    problem = read_value(request, "Cookie", text, pool);
    apr_table_setn(request->headers, "Sec-Fetch-Dest", "document");
    return problem;
}

const char *clerk_http_text_set_field(clerk_http_text *request, const char *line, apr_pool_t *pool)
{
    return put_field(request, line, 0, pool);
}

const char *clerk_http_text_field(const clerk_http_text *request, const char *name)
{
    const char *value = apr_table_get(request->headers, name);

    return value && *value ? value : NULL;
}
