/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/token_record.h"

#include <stddef.h>
#include <string.h>

/* Every text that a clerk_token_record points to, and every list of texts. */
static const size_t text_members[] = {offsetof(clerk_token_record, claims.authorized_party),
                                      offsetof(clerk_token_record, claims.issuer),
                                      offsetof(clerk_token_record, identity.user_id),
                                      offsetof(clerk_token_record, identity.session_id),
                                      offsetof(clerk_token_record, identity.session_status),
                                      offsetof(clerk_token_record, identity.org_id),
                                      offsetof(clerk_token_record, identity.org_slug),
                                      offsetof(clerk_token_record, identity.org_role),
                                      offsetof(clerk_token_record, identity.features),
                                      offsetof(clerk_token_record, identity.plans),
                                      offsetof(clerk_token_record, identity.actor_id),
                                      offsetof(clerk_token_record, identity.factor_age_text),
                                      offsetof(clerk_token_record, identity.org_permissions_text)};
static const size_t list_members[]
    = {offsetof(clerk_token_record, claims.audience), offsetof(clerk_token_record, identity.org_permissions)};

#define TEXTS (sizeof(text_members) / sizeof(text_members[0]))
#define LISTS (sizeof(list_members) / sizeof(list_members[0]))

/* The piece: where it was made, so that pointers into it can be told apart from the place it has come to. */
typedef struct packed {
    clerk_token_record verified;
    const char *made_at;
} packed;

static const char **text_of(clerk_token_record *verified, size_t i)
{
    return (const char **)(void *)((char *)verified + text_members[i]);
}

static clerk_texts *list_of(clerk_token_record *verified, size_t i)
{
    return (clerk_texts *)(void *)((char *)verified + list_members[i]);
}

static apr_size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/** The list with the NUL that stands where an empty one begins. */
static apr_size_t list_size(const clerk_texts *list)
{
    return list->first ? list->size + 1 : 0;
}

/** Append @a size bytes. @return where they are now; NULL for none */
static const char *append(char **pend, const char *data, apr_size_t size)
{
    char *at = *pend;

    if (size == 0) {
        return NULL;
    }
    memcpy(at, data, size);
    *pend = at + size;
    return at;
}

void *clerk_token_record_pack(apr_size_t *psize, const clerk_token_record *verified, apr_pool_t *pool)
{
    clerk_token_record from = *verified;
    apr_size_t size = sizeof(packed);
    packed *block;
    char *end;

    for (size_t i = 0; i < TEXTS; i++) {
        size += text_size(*text_of(&from, i));
    }
    for (size_t i = 0; i < LISTS; i++) {
        size += list_size(list_of(&from, i));
    }
    block = apr_palloc(pool, size);
    block->verified = from;
    block->verified.identity.payload = NULL;
    block->made_at = (const char *)block;
    end = (char *)(block + 1);
    for (size_t i = 0; i < TEXTS; i++) {
        const char *text = *text_of(&from, i);

        *text_of(&block->verified, i) = append(&end, text, text_size(text));
    }
    for (size_t i = 0; i < LISTS; i++) {
        const clerk_texts *list = list_of(&from, i);

        list_of(&block->verified, i)->first = append(&end, list->first, list_size(list));
    }
    *psize = size;
    return block;
}

/**
 * Turn a pointer into the place where the piece was made into one into @a block. @return 0 where it is none, or @a
 * len bytes are too many
 */
static int move_text(const char **ptext, packed *block, apr_size_t size, apr_size_t len, const char *made_at)
{
    apr_uintptr_t offset = (apr_uintptr_t)*ptext - (apr_uintptr_t)made_at;

    if (offset < sizeof(*block) || offset >= size || len >= size - offset) {
        return 0;
    }
    *ptext = (const char *)block + offset;
    return 1;
}

clerk_token_record *clerk_token_record_unpack(void *memory, apr_size_t size, jose_slice token, apr_pool_t *pool)
{
    packed *block = memory;
    clerk_payload *payload;
    const char *made_at;

    /* With a NUL at the end, no text reaches beyond it. */
    if (size <= sizeof(*block) || ((const char *)memory)[size - 1] != '\0') {
        return NULL;
    }
    made_at = block->made_at;
    for (size_t i = 0; i < TEXTS; i++) {
        const char **text = text_of(&block->verified, i);

        if (*text && !move_text(text, block, size, 0, made_at)) {
            return NULL;
        }
    }
    for (size_t i = 0; i < LISTS; i++) {
        clerk_texts *list = list_of(&block->verified, i);

        if (list->first && !move_text(&list->first, block, size, list->size, made_at)) {
            return NULL;
        }
    }
    payload = apr_pcalloc(pool, sizeof(*payload));
    payload->token = token;
    payload->pool = pool;
    block->verified.identity.payload = payload;
    return &block->verified;
}
