// SPDX-License-Identifier: Apache-2.0
/* The yardstick of tests/bench: "AuthType Bare" verifies the RS256 signature of every bearer token anew, looks at the
 * time, the issuer and the authorized party, and sets the user. Nothing else: no cache, no key set, no look at the
 * token's header. It measures what the signature costs and is not for use. */
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

#include "apr_encode.h"
#include "apr_strings.h"
#include "http_core.h"
#include "http_request.h"
#include "httpd.h"
#include "mod_auth.h"

module AP_MODULE_DECLARE_DATA bench_bare_module;

// Of the whole process: there is one key and one configuration.
static EVP_PKEY *public_key;
static const char *issuer;
static const char *party;

static const char *set_key_file(cmd_parms *cmd, void *unused, const char *path)
{
    FILE *file = fopen(path, "r");

    (void)unused;
    if (!file) {
        return apr_pstrcat(cmd->pool, "cannot open ", path, NULL);
    }
    EVP_PKEY_free(public_key);
    public_key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    return public_key ? NULL : "not a public key";
}

static const char *set_text(cmd_parms *cmd, void *unused, const char *value)
{
    const char **place = cmd->info;

    (void)unused;
    *place = value;
    return NULL;
}

// `end` is the dot in front of the signature.
static bool signature_is_good(const char *token, const char *end, apr_pool_t *pool)
{
    apr_size_t length = 0;
    const unsigned char *signature
        = apr_pdecode_base64_binary(pool, end + 1, APR_ENCODE_STRING, APR_ENCODE_NONE, &length);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good
        = signature && context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public_key) == 1
          && EVP_DigestVerify(context, signature, length, (const unsigned char *)token, (size_t)(end - token)) == 1;

    EVP_MD_CTX_free(context);
    return good;
}

static bool is_text(const json_t *claims, const char *name, const char *wanted)
{
    const char *value = json_string_value(json_object_get(claims, name));

    return value && wanted && !strcmp(value, wanted);
}

// The user, or NULL where the claims are not good now.
static char *user_of(const json_t *claims, apr_time_t now, apr_pool_t *pool)
{
    const char *subject = json_string_value(json_object_get(claims, "sub"));
    json_int_t seconds = (json_int_t)apr_time_sec(now);

    if (!subject || json_integer_value(json_object_get(claims, "exp")) <= seconds
        || json_integer_value(json_object_get(claims, "nbf")) > seconds
        || json_integer_value(json_object_get(claims, "iat")) > seconds || !is_text(claims, "iss", issuer)
        || !is_text(claims, "azp", party)) {
        return NULL;
    }
    return apr_pstrdup(pool, subject);
}

static int check_authn(request_rec *r)
{
    const char *type = ap_auth_type(r);
    const char *token, *first, *second;
    const unsigned char *payload;
    apr_size_t length;
    json_t *claims;

    if (!type || ap_cstr_casecmp(type, "Bare") != 0) {
        return DECLINED;
    }
    token = apr_table_get(r->headers_in, "Authorization");
    if (!token || strncmp(token, "Bearer ", 7)) {
        return HTTP_UNAUTHORIZED;
    }
    token += 7;
    first = strchr(token, '.');
    second = first ? strchr(first + 1, '.') : NULL;
    if (!second || !signature_is_good(token, second, r->pool)) {
        return HTTP_UNAUTHORIZED;
    }
    payload = apr_pdecode_base64_binary(r->pool, first + 1, second - first - 1, APR_ENCODE_NONE, &length);
    claims = payload ? json_loadb((const char *)payload, length, 0, NULL) : NULL;
    r->user = user_of(claims, r->request_time, r->pool);
    json_decref(claims);
    r->ap_auth_type = "Bare";
    return r->user ? OK : HTTP_UNAUTHORIZED;
}

static const command_rec commands[]
    = {AP_INIT_TAKE1("BareKeyFile", set_key_file, NULL, RSRC_CONF, "file with the public key in PEM"),
       AP_INIT_TAKE1("BareIssuer", set_text, &issuer, RSRC_CONF, "the accepted iss"),
       AP_INIT_TAKE1("BareAuthorizedParty", set_text, &party, RSRC_CONF, "the accepted azp"),
       {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_check_authn(check_authn, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
}

AP_DECLARE_MODULE(bench_bare) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks, 0};
