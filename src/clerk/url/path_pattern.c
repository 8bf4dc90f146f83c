/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/path_pattern.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "clerk/url/path_to_regexp.h"

/*
 * The limits of matching. On a path of CLERK_PATH_MAX bytes, realistic patterns take up to 12,000 steps and 600 KiB;
 * 50,000 steps take some milliseconds.
 */
#define STEPS_MAX 50000
#define HEAP_MAX_KIB 2048

struct clerk_path_pattern {
    pcre2_code *code;
    apr_array_header_t *groups; /* of clerk_path_capture: what each group captures; _CAPTURES: ignored */
};

static void *allocate(PCRE2_SIZE size, void *pool)
{
    return apr_palloc(pool, size);
}

/* The memory is freed with the pool. */
static void release(void *memory, void *pool)
{
    (void)memory;
    (void)pool;
}

/* @return NULL, or the error of PCRE2 (from @a pool) */
static const char *compile(pcre2_code **pcode, const apr_array_header_t *text, apr_pool_t *pool)
{
    pcre2_general_context *general = pcre2_general_context_create(allocate, release, pool);
    pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
    PCRE2_UCHAR message[256];
    PCRE2_SIZE offset;
    int error;

    if (!context) {
        return "out of memory";
    }
    *pcode = pcre2_compile((PCRE2_SPTR)text->elts, (PCRE2_SIZE)text->nelts,
                           PCRE2_CASELESS | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP
                               | PCRE2_NEVER_BACKSLASH_C,
                           &error, &offset, context);
    if (*pcode) {
        return NULL;
    }
    pcre2_get_error_message(error, message, sizeof(message));
    return apr_psprintf(pool, "PCRE2 says of it: %s", (const char *)message);
}

/* @return NULL, or why the text cannot be a pattern (static text) */
static const char *check_text(const char *text)
{
    if (strlen(text) > CLERK_PATH_PATTERN_MAX) {
        return "it is too long";
    }
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return "a character that is not ASCII; paths have it percent-encoded, such as %C3%A9";
        }
    }
    return NULL;
}

/* Find the parameters that are captured. @return NULL, or what is wrong with one (static text) */
static const char *set_groups(clerk_path_pattern *pattern, const apr_array_header_t *keys, apr_pool_t *pool)
{
    pattern->groups = apr_array_make(pool, keys->nelts, sizeof(clerk_path_capture));
    for (int i = 0; i < keys->nelts; i++) {
        const clerk_path_to_regexp_key *key = &APR_ARRAY_IDX(keys, i, clerk_path_to_regexp_key);
        clerk_path_capture captured = CLERK_PATH_CAPTURES;

        if (key->name && !strcmp(key->name, "id")) {
            captured = CLERK_PATH_ID;
        } else if (key->name && !strcmp(key->name, "slug")) {
            captured = CLERK_PATH_SLUG;
        }
        if (captured != CLERK_PATH_CAPTURES && key->repeats) {
            return ":id and :slug cannot repeat";
        }
        APR_ARRAY_PUSH(pattern->groups, clerk_path_capture) = captured;
    }
    return NULL;
}

const char *clerk_path_pattern_compile(clerk_path_pattern **ppattern, const char *text, apr_pool_t *pool)
{
    clerk_path_pattern *pattern = apr_pcalloc(pool, sizeof(*pattern));
    apr_array_header_t *expression = apr_array_make(pool, 256, sizeof(char));
    apr_array_header_t *keys = apr_array_make(pool, 4, sizeof(clerk_path_to_regexp_key));
    const char *problem = check_text(text);

    if (!problem) {
        problem = clerk_path_to_regexp_translate(expression, keys, text, pool);
    }
    if (!problem) {
        problem = set_groups(pattern, keys, pool);
    }
    if (!problem) {
        problem = compile(&pattern->code, expression, pool);
    }
    *ppattern = problem ? NULL : pattern;
    return problem;
}

/* Note what the groups captured; of two parameters with one name, the later one counts. */
static void take_captures(clerk_path_captures *captures, const apr_array_header_t *groups, const char *path,
                          const PCRE2_SIZE *ends)
{
    for (int i = 0; i < groups->nelts; i++) {
        clerk_path_capture captured = APR_ARRAY_IDX(groups, i, clerk_path_capture);

        /* The first pair is the whole match. */
        ends += 2;
        if (captured != CLERK_PATH_CAPTURES && ends[0] != PCRE2_UNSET) {
            captures->start[captured] = path + ends[0];
            captures->len[captured] = ends[1] - ends[0];
        }
    }
}

clerk_path_verdict clerk_path_pattern_match(clerk_path_captures *captures, const clerk_path_pattern *pattern,
                                            const char *path, apr_pool_t *scratch)
{
    apr_size_t len = strlen(path);
    pcre2_general_context *general;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    int found;

    memset(captures, 0, sizeof(*captures));
    if (len > CLERK_PATH_MAX) {
        return CLERK_PATH_NO_MATCH;
    }
    /*
     * Created for each match: PCRE2 takes the memory for backtracking from the match context (before 10.41) or the
     * match data, so threads cannot share them.
     */
    general = pcre2_general_context_create(allocate, release, scratch);
    limits = general ? pcre2_match_context_create(general) : NULL;
    data = general ? pcre2_match_data_create_from_pattern(pattern->code, general) : NULL;
    if (!limits || !data) {
        return CLERK_PATH_GAVE_UP;
    }
    pcre2_set_match_limit(limits, STEPS_MAX);
    pcre2_set_heap_limit(limits, HEAP_MAX_KIB);
    found = pcre2_match(pattern->code, (PCRE2_SPTR)path, len, 0, 0, data, limits);
    if (found == PCRE2_ERROR_NOMATCH) {
        return CLERK_PATH_NO_MATCH;
    }
    if (found < 0) {
        return CLERK_PATH_GAVE_UP;
    }
    take_captures(captures, pattern->groups, path, pcre2_get_ovector_pointer(data));
    return CLERK_PATH_MATCH;
}
