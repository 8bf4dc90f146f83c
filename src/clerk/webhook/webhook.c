/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/webhook/webhook.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "text/secret_text.h"
#include "text/text.h"

#define PREFIX "whsec_"
#define SECRET_MAX 1024
#define MAC_LEN 32
/* The base64 of a MAC, without its NUL. */
#define SIGNATURE_LEN 44
#define ID_MAX 256
/* More than enough for seconds, and microseconds of them still fit. */
#define TIME_DIGITS_MAX 12

static int is_base64(const char *text, apr_size_t len)
{
    apr_size_t padding = 0;

    while (padding < 2 && padding < len && text[len - padding - 1] == '=') {
        padding++;
    }
    for (apr_size_t i = 0; i < len - padding; i++) {
        if (!clerk_text_is_alnum(text[i]) && text[i] != '+' && text[i] != '/') {
            return 0;
        }
    }
    return len % 4 == 0;
}

const char *clerk_webhook_read_key(clerk_webhook_key *key, jose_slice secret, apr_pool_t *pool)
{
    apr_size_t prefix = sizeof(PREFIX) - 1,
               skipped = secret.len >= prefix && !memcmp(secret.data, PREFIX, prefix) ? prefix : 0;
    const char *text = secret.data + skipped;
    apr_size_t len = secret.len - skipped;
    unsigned char bytes[SECRET_MAX / 4 * 3];

    if (len == 0) {
        return "it is empty";
    }
    if (len > SECRET_MAX || !is_base64(text, len)) {
        return "it is no signing secret: whsec_ and base64, as the Clerk dashboard shows it (Webhooks, the endpoint)";
    }
    (void)EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
    key->len = len / 4 * 3 - (text[len - 1] == '=') - (text[len - 2] == '=');
    key->bytes = (const unsigned char *)clerk_secret_text_keep(pool, (const char *)bytes, key->len);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return NULL;
}

/* Without a dot: it would let a signature of one message fit another whose parts are divided differently. */
static int is_id(const char *id)
{
    return strlen(id) <= ID_MAX && clerk_text_is_graphic(id) && !strchr(id, '.');
}

/* @return 0 if the text is no whole number of seconds */
static int read_time(apr_time_t *ptime, const char *text)
{
    apr_int64_t seconds = 0;
    apr_size_t len = 0;

    for (; clerk_text_is_digit(text[len]); len++) {
        if (len == TIME_DIGITS_MAX) {
            return 0;
        }
        seconds = seconds * 10 + (text[len] - '0');
    }
    *ptime = apr_time_from_sec(seconds);
    return len > 0 && !text[len];
}

/* HMAC-SHA-256 of `<id>.<timestamp>.<body>`. @return 0 if OpenSSL cannot */
static int compute_mac(unsigned char mac[MAC_LEN], const clerk_webhook_message *m, const clerk_webhook_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[]
        = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *method = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = method ? EVP_MAC_CTX_new(method) : NULL;
    size_t len = 0;
    int done;

    done = context && EVP_MAC_init(context, key->bytes, key->len, params)
           && EVP_MAC_update(context, (const unsigned char *)m->id, strlen(m->id))
           && EVP_MAC_update(context, (const unsigned char *)".", 1)
           && EVP_MAC_update(context, (const unsigned char *)m->timestamp, strlen(m->timestamp))
           && EVP_MAC_update(context, (const unsigned char *)".", 1)
           && (m->body.len == 0 || EVP_MAC_update(context, (const unsigned char *)m->body.data, m->body.len))
           && EVP_MAC_final(context, mac, &len, MAC_LEN) && len == MAC_LEN;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(method);
    return done;
}

/* Whether one of the entries, separated by spaces, is `v1,<expected>`; what follows a second comma is ignored. */
static int has_signature(const char *entries, const char *expected)
{
    static const char version[] = "v1,";
    int found = 0;

    while (*entries) {
        apr_size_t len = strcspn(entries, " ");

        if (clerk_text_begins_with(entries, version)) {
            const char *value = entries + sizeof(version) - 1;
            apr_size_t value_len = strcspn(value, " ,");

            found |= value_len == SIGNATURE_LEN && !CRYPTO_memcmp(value, expected, SIGNATURE_LEN);
        }
        entries += len + (entries[len] == ' ');
    }
    return found;
}

/* Looks at all keys, so that all signatures of the message are named. */
static clerk_webhook_verdict check_signature(clerk_webhook_names *names, const clerk_webhook_message *m,
                                             const apr_array_header_t *keys)
{
    names->count = 0;
    for (int i = 0; i < keys->nelts && i < CLERK_WEBHOOK_KEYS_MAX; i++) {
        unsigned char mac[MAC_LEN], expected[SIGNATURE_LEN + 1];

        if (!compute_mac(mac, m, &APR_ARRAY_IDX(keys, i, clerk_webhook_key))) {
            return CLERK_WEBHOOK_FAILED;
        }
        (void)EVP_EncodeBlock(expected, mac, MAC_LEN);
        if (has_signature(m->signatures, (const char *)expected)) {
            memcpy(&names->digests[names->count++], mac, sizeof(names->digests[0]));
        }
    }
    return names->count ? CLERK_WEBHOOK_VALID : CLERK_WEBHOOK_SIGNATURE_WRONG;
}

static const char *trimmed(const char *text, apr_pool_t *pool)
{
    char *copy;

    if (!text) {
        return NULL;
    }
    copy = apr_pstrdup(pool, text + strspn(text, " \t"));
    for (apr_size_t len = strlen(copy); len > 0 && (copy[len - 1] == ' ' || copy[len - 1] == '\t'); len--) {
        copy[len - 1] = '\0';
    }
    return *copy ? copy : NULL;
}

clerk_webhook_verdict clerk_webhook_check_headers(clerk_webhook_message *message, apr_time_t now, apr_pool_t *pool)
{
    apr_time_t sent;

    message->id = trimmed(message->id, pool);
    message->timestamp = trimmed(message->timestamp, pool);
    message->signatures = trimmed(message->signatures, pool);
    if (!message->id || !message->timestamp || !message->signatures) {
        return CLERK_WEBHOOK_HEADERS_MISSING;
    }
    if (!is_id(message->id)) {
        return CLERK_WEBHOOK_ID_MALFORMED;
    }
    if (!read_time(&sent, message->timestamp)) {
        return CLERK_WEBHOOK_TIME_MALFORMED;
    }
    message->sent = sent;
    /* In whole seconds, as the SDK counts. */
    now = apr_time_from_sec(apr_time_sec(now));
    if (now - sent > CLERK_WEBHOOK_TOLERANCE) {
        return CLERK_WEBHOOK_TOO_OLD;
    }
    if (sent - now > CLERK_WEBHOOK_TOLERANCE) {
        return CLERK_WEBHOOK_TOO_NEW;
    }
    return CLERK_WEBHOOK_VALID;
}

clerk_webhook_verdict clerk_webhook_verify(clerk_webhook_names *names, const clerk_webhook_message *message,
                                           const apr_array_header_t *keys, apr_time_t now, apr_pool_t *pool)
{
    clerk_webhook_message checked = *message;
    clerk_webhook_verdict verdict = clerk_webhook_check_headers(&checked, now, pool);

    return verdict == CLERK_WEBHOOK_VALID ? check_signature(names, &checked, keys) : verdict;
}

const char *clerk_webhook_sign(const clerk_webhook_message *message, const clerk_webhook_key *key, apr_pool_t *pool)
{
    unsigned char mac[MAC_LEN], signature[SIGNATURE_LEN + 1];

    if (!compute_mac(mac, message, key)) {
        return NULL;
    }
    (void)EVP_EncodeBlock(signature, mac, MAC_LEN);
    return apr_pstrcat(pool, "v1,", (const char *)signature, NULL);
}

const char *clerk_webhook_text(clerk_webhook_verdict verdict)
{
    switch (verdict) {
    case CLERK_WEBHOOK_VALID:
        return "it is valid";
    case CLERK_WEBHOOK_HEADERS_MISSING:
        return "one of the headers svix-id, svix-timestamp and svix-signature is missing";
    case CLERK_WEBHOOK_ID_MALFORMED:
        return "its svix-id is malformed";
    case CLERK_WEBHOOK_TIME_MALFORMED:
        return "its svix-timestamp is no number of seconds";
    case CLERK_WEBHOOK_TOO_OLD:
        return "it is more than five minutes old; an old message is being replayed, or this machine's clock is wrong";
    case CLERK_WEBHOOK_TOO_NEW:
        return "it is more than five minutes ahead of this machine's clock, which is probably wrong";
    case CLERK_WEBHOOK_SIGNATURE_WRONG:
        return "no signature fits; compare ClerkWebhookSecret with the signing secret of this endpoint in the Clerk "
               "dashboard";
    case CLERK_WEBHOOK_FAILED:
        break;
    }
    return "OpenSSL cannot compute the signature";
}
