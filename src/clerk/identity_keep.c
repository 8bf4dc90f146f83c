/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/identity_keep.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT sizeof(void *)

/* The block being filled. The same code runs twice: without memory it only counts. */
typedef struct kept_block {
    char *memory;                    /* NULL: count */
    size_t used;
} kept_block;

static void *take(kept_block *block, size_t size)
{
    void *memory = block->memory ? block->memory + block->used : NULL;

    block->used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return memory;
}

static const char *copy_text(kept_block *block, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = size ? take(block, size) : NULL;

    return copy ? memcpy(copy, text, size) : NULL;
}

static apr_array_header_t *copy_list(kept_block *block, const apr_array_header_t *list)
{
    apr_array_header_t *copy;
    const char **texts;

    if (!list) {
        return NULL;
    }
    copy = take(block, sizeof(*copy));
    texts = take(block, (size_t)list->nelts * sizeof(*texts));
    for (int i = 0; i < list->nelts; i++) {
        const char *text = copy_text(block, APR_ARRAY_IDX(list, i, const char *));

        if (texts) {
            texts[i] = text;
        }
    }
    if (copy) {
        /* Without a pool: a list that is never added to needs none. */
        memset(copy, 0, sizeof(*copy));
        copy->elt_size = (int)sizeof(const char *);
        copy->nelts = copy->nalloc = list->nelts;
        copy->elts = (char *)texts;
    }
    return copy;
}

static clerk_identity *copy_identity(kept_block *block, const clerk_identity *from)
{
    clerk_identity *copy = take(block, sizeof(*copy));
    clerk_identity counted = {0};
    clerk_identity *to = copy ? copy : &counted;

    *to = *from;
    to->user_id = copy_text(block, from->user_id);
    to->session_id = copy_text(block, from->session_id);
    to->session_status = copy_text(block, from->session_status);
    to->org_id = copy_text(block, from->org_id);
    to->org_slug = copy_text(block, from->org_slug);
    to->org_role = copy_text(block, from->org_role);
    to->org_permissions = copy_list(block, from->org_permissions);
    to->org_permissions_text = copy_text(block, from->org_permissions_text);
    to->factor_age_text = copy_text(block, from->factor_age_text);
    to->features.org = copy_list(block, from->features.org);
    to->features.user = copy_list(block, from->features.user);
    to->plans.org = copy_list(block, from->plans.org);
    to->plans.user = copy_list(block, from->plans.user);
    to->features_text = copy_text(block, from->features_text);
    to->plans_text = copy_text(block, from->plans_text);
    to->actor_id = copy_text(block, from->actor_id);
    return copy;
}

clerk_identity *clerk_identity_keep(const clerk_identity *identity)
{
    kept_block block = {NULL, 0};
    clerk_identity *kept;

    (void)copy_identity(&block, identity);
    block.memory = malloc(block.used);
    if (!block.memory) {
        return NULL;
    }
    block.used = 0;
    kept = copy_identity(&block, identity);
    /* jansson counts references atomically; the texts of the claims are never changed. */
    json_incref((json_t *)identity->claims);
    return kept;
}

void clerk_identity_drop(void *kept)
{
    clerk_identity *identity = kept;

    json_decref((json_t *)identity->claims);
    free(identity);
}
