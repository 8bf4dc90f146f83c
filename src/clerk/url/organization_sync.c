/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/organization_sync.h"

#include <apr_strings.h>

#include "clerk/url/path_pattern.h"

struct clerk_organization_sync {
    apr_array_header_t *organizations; /* of const clerk_path_program * */
    apr_array_header_t *personal;
};

static const char *compile_list(apr_array_header_t **plist, const apr_array_header_t *patterns, apr_pool_t *pool)
{
    *plist = apr_array_make(pool, 4, sizeof(const clerk_path_program *));
    for (int i = 0; patterns && i < patterns->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(patterns, i, const char *);
        const clerk_path_program *program;
        const char *problem = clerk_path_pattern_compile(&program, pattern, pool);

        if (problem) {
            return apr_psprintf(pool, "the pattern \"%s\": %s", pattern, problem);
        }
        APR_ARRAY_PUSH(*plist, const clerk_path_program *) = program;
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
    *psync = !problem ? sync : NULL;
    return problem;
}

/* Match the path with the patterns of a list; the first that matches counts. */
static int match_list(clerk_path_captures *captures, const apr_array_header_t *list, const char *path, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    int matched = 0;

    if (list->nelts == 0 || apr_pool_create(&scratch, pool) != APR_SUCCESS) {
        return 0;
    }
    for (int i = 0; i < list->nelts && !matched; i++) {
        matched = clerk_path_program_match(captures, APR_ARRAY_IDX(list, i, const clerk_path_program *), path, scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    return matched;
}

static const char *captured(const clerk_path_captures *captures, clerk_path_capture which, apr_pool_t *pool)
{
    return captures->len[which] > 0 ? apr_pstrmemdup(pool, captures->start[which], captures->len[which]) : NULL;
}

clerk_organization_target clerk_organization_sync_match(const clerk_organization_sync *sync, const char *path,
                                                        apr_pool_t *pool)
{
    clerk_organization_target target = {0, NULL, NULL};
    clerk_path_captures captures;

    if (match_list(&captures, sync->organizations, path, pool)) {
        target.id = captured(&captures, CLERK_PATH_ID, pool);
        if (!target.id) {
            target.slug = captured(&captures, CLERK_PATH_SLUG, pool);
        }
        target.wanted = target.id || target.slug;
    }
    if (!target.wanted) {
        target.wanted = match_list(&captures, sync->personal, path, pool);
    }
    return target;
}
