/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/key_private.h"

#include "jose/keyset.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "jose/json.h"

static jose_key *set_lookup(const jose_keyset *set, const char *kid)
{
    for (unsigned int i = 0; i < set->count; i++) {
        if (!strcmp(set->keys[i].kid, kid)) {
            return &set->keys[i];
        }
    }
    return NULL;
}

/* Parse a JWK set and find its `keys` array, which lives as long as the pool. */
static jose_status document_keys(json_t **pkeys, const char *json, apr_size_t len, apr_pool_t *pool)
{
    json_t *document;
    jose_status status = jose_json_parse_object(&document, json, len, JOSE_JSON_MAX_DEPTH, pool);

    if (status != JOSE_OK) {
        return status;
    }
    *pkeys = json_object_get(document, "keys");
    if (!json_is_array(*pkeys)) {
        return JOSE_MALFORMED;
    }
    return json_array_size(*pkeys) > JOSE_KEYSET_MAX_KEYS ? JOSE_TOO_LARGE : JOSE_OK;
}

/* Make the set. It does not refer to the JSON value. */
static jose_status set_build(jose_keyset **pset, const json_t *keys, apr_pool_t *pool)
{
    jose_keyset *set = apr_pcalloc(pool, sizeof(*set));
    apr_size_t i, size = json_array_size(keys);
    int usable = 0;

    set->keys = apr_pcalloc(pool, (size ? size : 1) * sizeof(*set->keys));
    for (i = 0; i < size; i++) {
        const json_t *jwk = json_array_get(keys, i);
        const char *kid = jose_json_string(jwk, "kid");
        jose_key key = {0}, *slot;

        if (!kid) {
            continue;
        }
        slot = set_lookup(set, kid);
        if (slot && slot->pkey) {
            continue;
        }
        key.position = (unsigned int)i;
        if (jose_jwk_read(&key, jwk, pool) == JOSE_INTERNAL) {
            return JOSE_INTERNAL;
        }
        if (slot && !key.pkey) {
            continue;
        }
        key.kid = apr_pstrdup(pool, kid);
        usable |= key.pkey != NULL;
        *(slot ? slot : &set->keys[set->count++]) = key;
    }
    if (!usable) {
        return JOSE_MALFORMED;
    }
    *pset = set;
    return JOSE_OK;
}

jose_status jose_keyset_parse(jose_keyset **pset, const char *json, apr_size_t len, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    json_t *keys;
    jose_status status;

    *pset = NULL;
    if (apr_pool_create(&scratch, pool) != APR_SUCCESS) {
        return JOSE_INTERNAL;
    }
    status = document_keys(&keys, json, len, scratch);
    if (status == JOSE_OK) {
        status = set_build(pset, keys, pool);
    }
    apr_pool_destroy(scratch);
    return status;
}

static int compare_kids(const void *a, const void *b)
{
    return strcmp(((const jose_key *)a)->kid, ((const jose_key *)b)->kid);
}

/* Of `key_ops` only the operation that matters here: with it, or null, which makes the key unusable as it was. */
static json_t *canonical_operations(const json_t *jwk)
{
    return jose_jwk_has_operation(jwk, "verify") ? json_pack("[s]", "verify") : json_null();
}

/*
 * The public members of one JWK. A member of the wrong type makes the key unusable. To drop it could make the key
 * usable (`use`, `alg`, `key_ops`), so it becomes null.
 */
static json_t *canonical_jwk(const json_t *jwk)
{
    static const char *const names[] = {"alg", "crv", "e", "kid", "kty", "n", "use", "x", "y"};
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_t *value = json_object_get(jwk, names[i]);

        if (!value) {
            continue;
        }
        value = json_is_string(value) ? json_incref(value) : json_null();
        if (json_object_set_new(out, names[i], value) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    if (json_object_get(jwk, "key_ops") && json_object_set_new(out, "key_ops", canonical_operations(jwk)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static jose_status canonical_text(char **ptext, apr_size_t *plen, const jose_keyset *set, const json_t *keys,
                                  apr_pool_t *pool)
{
    json_t *list = json_array(), *document = json_pack("{s:o}", "keys", list);
    jose_status status = JOSE_INTERNAL;
    size_t len;

    if (!document) {
        return JOSE_INTERNAL;
    }
    for (unsigned int i = 0; i < set->count; i++) {
        if (json_array_append_new(list, canonical_jwk(json_array_get(keys, set->keys[i].position))) != 0) {
            goto done;
        }
    }
    len = json_dumpb(document, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS);
    if (len == 0) {
        goto done;
    }
    *ptext = apr_palloc(pool, len + 1);
    if (json_dumpb(document, *ptext, len, JSON_COMPACT | JSON_SORT_KEYS) != len) {
        goto done;
    }
    (*ptext)[len] = '\0';
    *plen = len;
    status = JOSE_OK;
done:
    json_decref(document);
    return status;
}

jose_status jose_keyset_canonical(char **ptext, apr_size_t *plen, const char *json, apr_size_t len, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    jose_keyset *set;
    json_t *keys;
    jose_status status;

    *ptext = NULL;
    *plen = 0;
    if (apr_pool_create(&scratch, pool) != APR_SUCCESS) {
        return JOSE_INTERNAL;
    }
    /* Parse the set to know which keys are kept: the text must contain the same keys. */
    status = document_keys(&keys, json, len, scratch);
    if (status == JOSE_OK) {
        status = set_build(&set, keys, scratch);
    }
    if (status == JOSE_OK) {
        qsort(set->keys, set->count, sizeof(*set->keys), compare_kids);
        status = canonical_text(ptext, plen, set, keys, pool);
    }
    apr_pool_destroy(scratch);
    return status;
}

unsigned int jose_keyset_count(const jose_keyset *set)
{
    return set->count;
}

const jose_key *jose_keyset_at(const jose_keyset *set, unsigned int i)
{
    return &set->keys[i];
}

const jose_key *jose_keyset_find(const jose_keyset *set, const char *kid)
{
    if (set->any_kid) {
        return &set->keys[0];
    }
    return kid ? set_lookup(set, kid) : NULL;
}
