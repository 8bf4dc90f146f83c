/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/instance/publishable_key.h"

#include <string.h>

#include <apr_sha1.h>
#include <apr_strings.h>

#include "clerk/url/origin.h"

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decode base64 as browsers do: white space is skipped, padding may be missing, unused bits are ignored. */
static char *decode_forgiving(const char *text, apr_pool_t *pool)
{
    char *clean = apr_palloc(pool, strlen(text) + 1);
    apr_size_t len = 0;
    char *out;
    apr_size_t out_len = 0;
    unsigned int bits = 0;
    int bit_count = 0;

    for (; *text != '\0'; text++) {
        if (!strchr(" \t\n\f\r", *text)) {
            clean[len++] = *text;
        }
    }
    if (len % 4 == 0) {
        for (apr_size_t i = 0; i < 2 && len > 0 && clean[len - 1] == '='; i++) {
            len--;
        }
    }
    if (len == 0 || len % 4 == 1) {
        return NULL;
    }
    out = apr_palloc(pool, len + 1);
    for (apr_size_t i = 0; i < len; i++) {
        const char *found = memchr(base64_alphabet, clean[i], 64);

        if (!found) {
            return NULL;
        }
        bits = ((bits << 6) | (unsigned int)(found - base64_alphabet)) & 0xffffu;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[out_len++] = (char)((bits >> bit_count) & 0xffu);
        }
    }
    out[out_len] = '\0';
    return strlen(out) == out_len ? out : NULL;
}

const char *clerk_publishable_key_parse(clerk_instance_type *ptype, const char **phost, const char *key,
                                        apr_pool_t *pool)
{
    const char *data;
    char *text;
    apr_size_t len;

    if (!strncmp(key, "pk_live_", 8)) {
        *ptype = CLERK_INSTANCE_PRODUCTION;
    } else if (!strncmp(key, "pk_test_", 8)) {
        *ptype = CLERK_INSTANCE_DEVELOPMENT;
    } else {
        return "it must begin with pk_live_ or pk_test_";
    }
    data = key + 8;
    if (strchr(data, '_')) {
        return "it has an underscore too many; copy it again from the Clerk dashboard";
    }
    text = decode_forgiving(data, pool);
    if (!text) {
        return "what follows the prefix is not base64; copy it again from the Clerk dashboard";
    }
    len = strlen(text);
    if (len == 0 || text[len - 1] != '$' || strchr(text, '$') != text + len - 1) {
        return "it does not end as a Clerk key does; it may be cut off: copy it again from the Clerk dashboard";
    }
    text[len - 1] = '\0';
    if (!strchr(text, '.') || !clerk_origin_authority_is_plain(text, pool)) {
        return "it does not hold the host name of a frontend API; copy it again from the Clerk dashboard";
    }
    *phost = text;
    return NULL;
}

void clerk_publishable_key_suffix(char suffix[9], const char *key)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    apr_sha1_ctx_t context;

    apr_sha1_init(&context);
    apr_sha1_update(&context, key, (unsigned int)strlen(key));
    apr_sha1_final(digest, &context);
    for (apr_size_t i = 0; i < 8; i++) {
        /* Eight characters encode exactly the first six bytes, so there is no padding. */
        const unsigned char *bytes = digest + i / 4 * 3;
        unsigned int group = ((unsigned int)bytes[0] << 16) | ((unsigned int)bytes[1] << 8) | bytes[2];
        char c = base64_alphabet[(group >> (18 - 6 * (i % 4))) & 0x3fu];

        suffix[i] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    suffix[8] = '\0';
}

static const char *replace_at(const char *text, const char *found, const char *what, const char *with, apr_pool_t *pool)
{
    return apr_pstrcat(pool, apr_pstrndup(pool, text, (apr_size_t)(found - text)), with, found + strlen(what), NULL);
}

const char *clerk_publishable_key_account_portal(const char *frontend_host, apr_pool_t *pool)
{
    static const char staging[] = "clerk.accountsstage.";
    static const char current[] = "clerk.accounts.";
    static const char plain[] = "clerk.";
    const char *host = frontend_host;
    const char *found = strstr(host, staging);

    if (found) {
        host = replace_at(host, found, staging, "accountsstage.", pool);
    }
    found = strstr(host, plain);
    if (found) {
        host = replace_at(host, found, !strncmp(found, current, sizeof(current) - 1) ? current : plain, "accounts.",
                          pool);
    }
    return apr_pstrcat(pool, "https://", host, NULL);
}
