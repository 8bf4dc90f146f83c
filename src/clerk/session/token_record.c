/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/token_record.h"

#include <stddef.h>
#include <string.h>

/* The members of a clerk_token_record that point to a text, and those that point to a list of texts. */
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

/* The packed form: the record, followed by its texts. The record's pointers are valid for the address `base` only. */
typedef struct packed {
    clerk_token_record record;
    const char *base;
} packed;

static const char **text_of(clerk_token_record *record, size_t i)
{
    return (const char **)(void *)((char *)record + text_members[i]);
}

static clerk_texts *list_of(clerk_token_record *record, size_t i)
{
    return (clerk_texts *)(void *)((char *)record + list_members[i]);
}

static apr_size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* The bytes of a list. One more than its texts: an empty list still needs a byte to point to. */
static apr_size_t list_size(const clerk_texts *list)
{
    return list->first ? list->size + 1 : 0;
}

/* Append @a size bytes. @return the copy; NULL if there are none */
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

void *clerk_token_record_pack(apr_size_t *psize, const clerk_token_record *record, apr_pool_t *pool)
{
    clerk_token_record from = *record;
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
    block->record = from;
    block->record.identity.payload = NULL;
    block->base = (const char *)block;
    end = (char *)(block + 1);
    for (size_t i = 0; i < TEXTS; i++) {
        const char *text = *text_of(&from, i);

        *text_of(&block->record, i) = append(&end, text, text_size(text));
    }
    for (size_t i = 0; i < LISTS; i++) {
        const clerk_texts *list = list_of(&from, i);

        list_of(&block->record, i)->first = append(&end, list->first, list_size(list));
    }
    *psize = size;
    return block;
}

/*
 * Relocate a pointer to a text of @a len bytes: from an address after @a base to the same offset in @a block.
 * @return 0 if it does not point into the packed form, or the text would not end in it
 */
static int relocate(const char **ptext, packed *block, apr_size_t size, apr_size_t len, const char *base)
{
    apr_uintptr_t offset = (apr_uintptr_t)*ptext - (apr_uintptr_t)base;

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
    const char *base;

    /* With a NUL as the last byte, every text in the block ends in it. */
    if (size <= sizeof(*block) || ((const char *)memory)[size - 1] != '\0') {
        return NULL;
    }
    base = block->base;
    for (size_t i = 0; i < TEXTS; i++) {
        const char **text = text_of(&block->record, i);

        if (*text && !relocate(text, block, size, 0, base)) {
            return NULL;
        }
    }
    for (size_t i = 0; i < LISTS; i++) {
        clerk_texts *list = list_of(&block->record, i);

        if (list->first && !relocate(&list->first, block, size, list->size, base)) {
            return NULL;
        }
    }
    payload = apr_pcalloc(pool, sizeof(*payload));
    payload->token = token;
    payload->pool = pool;
    block->record.identity.payload = payload;
    return &block->record;
}
