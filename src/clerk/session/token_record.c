/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/token_record.h"

#include <stddef.h>
#include <string.h>

#define MEMBER(member) offsetof(clerk_token_record, member)

/* The members of a clerk_token_record that point to a text, and those that point to a list of texts. */
static const size_t text_members[] = {MEMBER(claims.authorized_party),  MEMBER(claims.issuer),
                                      MEMBER(identity.subject),         MEMBER(identity.user_id),
                                      MEMBER(identity.session_id),      MEMBER(identity.session_status),
                                      MEMBER(identity.org_id),          MEMBER(identity.org_slug),
                                      MEMBER(identity.org_role),        MEMBER(identity.features),
                                      MEMBER(identity.plans),           MEMBER(identity.actor_id),
                                      MEMBER(identity.factor_age_text), MEMBER(identity.org_permissions_text)};
/* Those that only the identity of a machine has. */
static const size_t machine_members[] = {MEMBER(identity.token_id), MEMBER(identity.client_id), MEMBER(identity.name),
                                         MEMBER(identity.scopes_text), MEMBER(identity.claims_text)};
static const size_t list_members[]
    = {MEMBER(claims.audience), MEMBER(identity.scopes), MEMBER(identity.org_permissions)};

/*
 * A pointer that is missing above would be copied as it is to other processes, where it points to nothing. Every
 * pointer that is added to these structures changes their size on 64-bit machines, and so stops the build here: enter
 * it in a table, then correct the size. (clerk_identity.payload is in no table: packing clears it, unpacking sets it.)
 */
_Static_assert(sizeof(void *) != 8 || sizeof(clerk_claims) == 96, "the tables above have all pointers of clerk_claims");
_Static_assert(sizeof(void *) != 8 || sizeof(clerk_identity) == 216,
               "the tables above have all pointers of clerk_identity");

#define TEXTS (sizeof(text_members) / sizeof(text_members[0]))
#define MACHINE_TEXTS (sizeof(machine_members) / sizeof(machine_members[0]))
#define LISTS (sizeof(list_members) / sizeof(list_members[0]))

/* The packed form: the record, followed by its texts. The record's pointers are valid for the address `base` only. */
typedef struct packed {
    clerk_token_record record;
    const char *base;
} packed;

static const char **text_at(clerk_token_record *record, size_t offset)
{
    return (const char **)(void *)((char *)record + offset);
}

static const char **text_of(clerk_token_record *record, size_t i)
{
    return text_at(record, text_members[i]);
}

static int is_machine(const clerk_token_record *record)
{
    return record->identity.kind != CLERK_TOKEN_SESSION;
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
    for (size_t i = 0; is_machine(record) && i < MACHINE_TEXTS; i++) {
        size += text_size(*text_at(&from, machine_members[i]));
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
    for (size_t i = 0; is_machine(record) && i < MACHINE_TEXTS; i++) {
        const char *text = *text_at(&from, machine_members[i]);

        *text_at(&block->record, machine_members[i]) = append(&end, text, text_size(text));
    }
    for (size_t i = 0; i < LISTS; i++) {
        const clerk_texts *list = list_of(&from, i);

        list_of(&block->record, i)->first = append(&end, list->first, list_size(list));
    }
    *psize = size;
    return block;
}

/*
 * Relocate a pointer to a text: from an address after @a base to the same offset in @a block.
 * @return its offset; 0 if it does not point into the packed form
 */
static inline apr_size_t relocate(const char **ptext, packed *block, apr_size_t size, const char *base)
{
    apr_size_t offset = (apr_uintptr_t)*ptext - (apr_uintptr_t)base;

    if (offset - sizeof(*block) >= size - sizeof(*block)) {
        return 0;
    }
    *ptext = (const char *)block + offset;
    return offset;
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

        if (*text && !relocate(text, block, size, base)) {
            return NULL;
        }
    }
    for (size_t i = 0; is_machine(&block->record) && i < MACHINE_TEXTS; i++) {
        const char **text = text_at(&block->record, machine_members[i]);

        if (*text && !relocate(text, block, size, base)) {
            return NULL;
        }
    }
    for (size_t i = 0; i < LISTS; i++) {
        clerk_texts *list = list_of(&block->record, i);

        if (list->first) {
            apr_size_t offset = relocate(&list->first, block, size, base);

            if (!offset || list->size >= size - offset) {
                return NULL;
            }
        }
    }
    payload = apr_pcalloc(pool, sizeof(*payload));
    payload->token = token;
    payload->pool = pool;
    block->record.identity.payload = payload;
    return &block->record;
}
