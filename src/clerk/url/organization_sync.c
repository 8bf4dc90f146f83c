/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/organization_sync.h"

#include <apr_strings.h>

#include "clerk/url/path_pattern.h"

/* A pattern of the configuration. */
typedef struct entry {
    const char *text;
    clerk_path_pattern *pattern;
} entry;

struct clerk_organization_sync {
    apr_array_header_t *organizations; /* of entry */
    apr_array_header_t *personal;      /* of entry */
};

static const char *compile_list(apr_array_header_t **plist, const apr_array_header_t *patterns, apr_pool_t *pool)
{
    *plist = apr_array_make(pool, 4, sizeof(entry));
    for (int i = 0; patterns && i < patterns->nelts; i++) {
        entry *made = apr_array_push(*plist);
        const char *problem;

        made->text = APR_ARRAY_IDX(patterns, i, const char *);
        problem = clerk_path_pattern_compile(&made->pattern, made->text, pool);
        if (problem) {
            return apr_psprintf(pool, "the pattern \"%s\": %s", made->text, problem);
        }
    }
    return NULL;
}

const char *clerk_organization_sync_compile(clerk_organization_sync **psync, const apr_array_header_t *organizations,
                                            const apr_array_header_t *personal, apr_pool_t *pool)
{
    clerk_organization_sync *sync = apr_pcalloc(pool, sizeof(*sync));
    const char *problem = compile_list(&sync->organizations, organizations, pool);

    if (!problem) {
        problem = compile_list(&sync->personal, personal, pool);
    }
    *psync = problem ? NULL : sync;
    return problem;
}

/* The first pattern of the list that matches. @param pgiven_up is set if one was given up; it counts as no match */
static int match_list(clerk_path_captures *captures, const char **pgiven_up, const apr_array_header_t *list,
                      const char *path, apr_pool_t *pool)
{
    clerk_path_verdict verdict = CLERK_PATH_NO_MATCH;
    apr_pool_t *scratch;

    if (list->nelts == 0 || apr_pool_create(&scratch, pool) != APR_SUCCESS) {
        return 0;
    }
    for (int i = 0; i < list->nelts && verdict != CLERK_PATH_MATCH; i++) {
        const entry *tried = &APR_ARRAY_IDX(list, i, entry);

        verdict = clerk_path_pattern_match(captures, tried->pattern, path, scratch);
        apr_pool_clear(scratch);
        if (verdict == CLERK_PATH_GAVE_UP) {
            *pgiven_up = tried->text;
        }
    }
    apr_pool_destroy(scratch);
    return verdict == CLERK_PATH_MATCH;
}

static const char *captured(const clerk_path_captures *captures, clerk_path_capture which, apr_pool_t *pool)
{
    return captures->len[which] > 0 ? apr_pstrmemdup(pool, captures->start[which], captures->len[which]) : NULL;
}

clerk_organization_target clerk_organization_sync_match(const clerk_organization_sync *sync, const char *path,
                                                        apr_pool_t *pool)
{
    clerk_organization_target target = {0, NULL, NULL, NULL};
    clerk_path_captures captures;

    if (match_list(&captures, &target.given_up, sync->organizations, path, pool)) {
        target.id = captured(&captures, CLERK_PATH_ID, pool);
        if (!target.id) {
            target.slug = captured(&captures, CLERK_PATH_SLUG, pool);
        }
        target.wanted = target.id || target.slug;
    }
    if (!target.wanted) {
        target.wanted = match_list(&captures, &target.given_up, sync->personal, path, pool);
    }
    return target;
}
