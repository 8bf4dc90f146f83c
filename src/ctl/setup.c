/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/setup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <openssl/crypto.h>

#include "clerk/protocol.h"
#include "clerk/url/origin.h"
#include "clerk/url/party.h"
#include "ctl/sources.h"
#include "jose/keyset.h"
#include "text/text.h"

/* The longest key set, as the key store takes it. */
#define JWKS_MAX 65536
#define SECRET_MAX 65536
#define CA_FILE_MAX 4194304
/* As many threads as use the limits of outbound calls: this one. */
#define WORKERS 1

/* The HTTP client of --offline. */
static apr_status_t refuse_call(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                                apr_pool_t *pool)
{
    (void)baton;
    (void)request;
    *presponse = apr_pcalloc(pool, sizeof(**presponse));
    (*presponse)->retry_after = -1;
    (*presponse)->body = "";
    (*presponse)->error = "no call is made with --offline";
    return APR_EGENERAL;
}

static clerk_http offline_client = {NULL, refuse_call};

clerk_setup *clerk_setup_create(clerk_output *out, apr_pool_t *pool)
{
    clerk_setup *setup = apr_pcalloc(pool, sizeof(*setup));

    setup->out = out;
    setup->pool = pool;
    setup->http = &offline_client;
    setup->code = CLERK_OUTPUT_USAGE;
    setup->now = apr_time_now();
    setup->calls = apr_array_make(pool, 2, sizeof(clerk_setup_call));
    clerk_settings_clear_instance(&setup->conf, NULL);
    clerk_settings_clear_dir(&setup->dir);
    return setup;
}

/* The settings of settings.def that have a meaning here. */
static int is_option(const clerk_settings_row *row)
{
    clerk_settings_index at = (clerk_settings_index)(row - clerk_settings_table);

    switch (row->group) {
    case CLERK_SETTINGS_IDENTITY:
        return at != CLERK_SETTINGS_AT_webhook_secrets;
    case CLERK_SETTINGS_POLICY:
        return at != CLERK_SETTINGS_AT_sign_up_url && at != CLERK_SETTINGS_AT_revocation;
    default:
        return at == CLERK_SETTINGS_AT_api_url || at == CLERK_SETTINGS_AT_http_timeout
               || at == CLERK_SETTINGS_AT_http_proxy || at == CLERK_SETTINGS_AT_ca_file
               || at == CLERK_SETTINGS_AT_public_origin || at == CLERK_SETTINGS_AT_trust_forwarded
               || at == CLERK_SETTINGS_AT_unauthenticated;
    }
}

/* publishable-key is ClerkPublishableKey. */
static const clerk_settings_row *row_of(const char *name)
{
    char directive[64] = "Clerk";
    apr_size_t len = strlen(directive);
    const clerk_settings_row *row;

    for (; *name && len < sizeof(directive) - 1; name++) {
        if (*name != '-') {
            directive[len++] = *name;
        }
    }
    directive[len] = '\0';
    row = *name ? NULL : clerk_settings_find(directive);
    return row && is_option(row) ? row : NULL;
}

int clerk_setup_knows(const char *name)
{
    return !strcmp(name, "jwks") || !strcmp(name, "at") || !strcmp(name, "offline") || row_of(name);
}

/* ClerkJWTKey is jwt-key: a word begins at a capital letter that stands before a small one, or behind one; and at the
 * URL of APIURL. */
static const char *name_of(const clerk_settings_row *row, apr_pool_t *pool)
{
    const char *directive = row->directive + strlen("Clerk");
    char *name = apr_palloc(pool, 2 * strlen(directive) + 1), *to = name;

    for (const char *c = directive; *c; c++) {
        int is_capital = *c >= 'A' && *c <= 'Z', follows_small = c > directive && c[-1] >= 'a' && c[-1] <= 'z';

        if (c > directive && is_capital && (follows_small || (c[1] >= 'a' && c[1] <= 'z') || !strcmp(c, "URL"))) {
            *to++ = '-';
        }
        *to++ = clerk_text_to_lower(*c);
    }
    *to = '\0';
    return name;
}

const char *clerk_setup_option(int i, apr_pool_t *pool)
{
    static const char *const others[] = {"jwks", "at", "offline"};

    for (int row = 0; row < CLERK_SETTINGS_COUNT; row++) {
        if (is_option(&clerk_settings_table[row]) && i-- == 0) {
            return name_of(&clerk_settings_table[row], pool);
        }
    }
    return i >= 0 && i < (int)(sizeof(others) / sizeof(others[0])) ? others[i] : NULL;
}

int clerk_setup_is_flag(const char *name)
{
    return !strcmp(name, "offline");
}

static const char *allowed_words(const clerk_settings_row *row, const char *between, apr_pool_t *pool);

const char *clerk_setup_values(const char *name, apr_pool_t *pool)
{
    const clerk_settings_row *row = row_of(name);
    clerk_settings_index at = row ? (clerk_settings_index)(row - clerk_settings_table) : 0;

    if (!row) {
        return !strcmp(name, "jwks") ? "<file>" : clerk_setup_is_flag(name) ? "" : "<text>";
    }
    switch (row->kind) {
    case CLERK_SETTINGS_FLAG:
    case CLERK_SETTINGS_WORD:
    case CLERK_SETTINGS_WORDS:
        return allowed_words(row, " ", pool);
    case CLERK_SETTINGS_SECRET:
        return at == CLERK_SETTINGS_AT_jwt_key ? "<file>" : "env: file: exec:";
    default:
        return at == CLERK_SETTINGS_AT_ca_file ? "<file>" : "<text>";
    }
}

static void *member_of(clerk_setup *setup, const clerk_settings_row *row)
{
    int of_instance = row->group == CLERK_SETTINGS_IDENTITY || row->group == CLERK_SETTINGS_TRANSPORT;

    return (of_instance ? (char *)&setup->conf : (char *)&setup->dir) + row->offset;
}

static const char *allowed_words(const clerk_settings_row *row, const char *between, apr_pool_t *pool)
{
    const char *all = NULL;

    for (int i = 0; i < row->word_count; i++) {
        if (row->words[i]) {
            all = all ? apr_pstrcat(pool, all, between, row->words[i], NULL) : row->words[i];
        }
    }
    return all ? all : apr_pstrcat(pool, "On", between, "Off", NULL);
}

/* @return the value of the word, or -1 */
static int word_value(const clerk_settings_row *row, const char *word)
{
    for (int i = 0; i < row->word_count; i++) {
        if (row->words[i] && !strcasecmp(row->words[i], word)) {
            return i;
        }
    }
    return -1;
}

static const char *set_words(unsigned int *pvalue, const clerk_settings_row *row, const char *value, apr_pool_t *pool)
{
    char *state = NULL, *list = apr_pstrdup(pool, value);

    for (char *word = apr_strtok(list, " ,\t", &state); word; word = apr_strtok(NULL, " ,\t", &state)) {
        int bit = word_value(row, word);

        if (bit < 0) {
            return apr_psprintf(pool, "'%s' is none of %s", word, allowed_words(row, ", ", pool));
        }
        *pvalue |= (unsigned int)bit;
    }
    return *pvalue ? NULL : "it is empty";
}

static const char *duration_text(apr_interval_time_t value, apr_pool_t *pool)
{
    int is_whole = value % APR_USEC_PER_SEC == 0;

    return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s",
                        (apr_int64_t)(is_whole ? value / APR_USEC_PER_SEC : value / 1000), is_whole ? "s" : "ms");
}

const char *clerk_setup_read_duration(apr_interval_time_t *pvalue, const char *text, apr_interval_time_t least,
                                      apr_interval_time_t most, apr_pool_t *pool)
{
    static const struct {
        const char *name;
        apr_interval_time_t value;
    } units[] = {{"", APR_USEC_PER_SEC},       {"s", APR_USEC_PER_SEC},        {"ms", 1000},
                 {"m", 60 * APR_USEC_PER_SEC}, {"min", 60 * APR_USEC_PER_SEC}, {"h", 3600 * APR_USEC_PER_SEC}};
    apr_size_t digits = strspn(text, "0123456789");

    for (apr_size_t i = 0; digits > 0 && digits < 10 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (!strcasecmp(text + digits, units[i].name)) {
            *pvalue = apr_atoi64(text) * units[i].value;
            return *pvalue >= least && *pvalue <= most
                       ? NULL
                       : apr_psprintf(pool, "'%s' is out of range; write from %s to %s", text,
                                      duration_text(least, pool), duration_text(most, pool));
        }
    }
    return apr_psprintf(pool, "'%s' is not a duration; write a number with ms, s, m or h, such as 30s", text);
}

/* What the readers of the directives check closely is looked at roughly here: a value that can never match is found. */
static const char *list_problem(const clerk_settings_row *row, const char *word)
{
    if (row - clerk_settings_table != CLERK_SETTINGS_AT_authorized_parties || !strcmp(word, CLERK_PARTY_OWN)) {
        return NULL;
    }
    if (clerk_party_is_pattern(word)) {
        return clerk_party_pattern_problem(word);
    }
    return !strstr(word, "://") || word[strlen(word) - 1] == '/'
               ? "is no origin as browsers send it, such as https://www.example.com"
               : NULL;
}

static const char *set_list(apr_array_header_t **plist, const clerk_settings_row *row, const char *value,
                            apr_pool_t *pool)
{
    char *state = NULL, *list = apr_pstrdup(pool, value);

    for (char *word = apr_strtok(list, " ,\t", &state); word; word = apr_strtok(NULL, " ,\t", &state)) {
        const char *problem = list_problem(row, word);

        if (problem) {
            return apr_psprintf(pool, "'%s' %s", word, problem);
        }
        if (!*plist) {
            *plist = apr_array_make(pool, 4, sizeof(const char *));
        }
        APR_ARRAY_PUSH(*plist, const char *) = word;
    }
    return *plist ? NULL : "it is empty";
}

static const char *set_patterns(clerk_setup *setup, const char *value)
{
    char *state = NULL, *list = apr_pstrdup(setup->pool, value);
    char *word = apr_strtok(list, " ", &state);
    apr_array_header_t **plist = &setup->dir.org_patterns;

    if (word && !strcmp(word, "personal")) {
        plist = &setup->dir.personal_patterns;
        word = apr_strtok(NULL, " ", &state);
    }
    for (; word; word = apr_strtok(NULL, " ", &state)) {
        if (!*plist) {
            *plist = apr_array_make(setup->pool, 4, sizeof(const char *));
        }
        APR_ARRAY_PUSH(*plist, const char *) = word;
    }
    return clerk_organization_sync_compile(&setup->dir.organization_sync, setup->dir.org_patterns,
                                           setup->dir.personal_patterns, setup->pool);
}

static const char *set_text(clerk_setup *setup, const clerk_settings_row *row, const char *value)
{
    clerk_settings_index at = (clerk_settings_index)(row - clerk_settings_table);
    const char **member = member_of(setup, row);

    if (at == CLERK_SETTINGS_AT_public_origin) {
        const clerk_url *url = clerk_origin_parse(value, setup->pool);

        *member = url ? url->origin : NULL;
        return url ? NULL : "write an origin such as https://www.example.com";
    }
    if (at == CLERK_SETTINGS_AT_http_proxy && clerk_http_url_proxy_problem(value)) {
        /* Without the URL, which may contain a password. */
        return apr_psprintf(setup->pool, "this is no URL of a proxy, because %s; write http://host:port",
                            clerk_http_url_proxy_problem(value));
    }
    if (at == CLERK_SETTINGS_AT_ca_file) {
        const char *problem, *text;
        apr_size_t len;

        problem = clerk_setup_read_file(&text, &len, setup, value, CA_FILE_MAX);
        if (problem) {
            return problem;
        }
    }
    if (at == CLERK_SETTINGS_AT_publishable_key && clerk_sources_is_reference(value)) {
        return clerk_setup_read_secret(member, setup, "--publishable-key", value);
    }
    *member = apr_pstrdup(setup->pool, value);
    return NULL;
}

/* A public key may be named by its path; a secret one, with the word that says where it comes from. */
static const char *set_secret(clerk_setup *setup, const clerk_settings_row *row, const char *name, const char *value)
{
    const char **member = member_of(setup, row), *problem;
    int is_public = row - clerk_settings_table == CLERK_SETTINGS_AT_jwt_key;

    if (is_public && !clerk_sources_is_reference(value)) {
        apr_size_t len;

        return clerk_setup_read_file(member, &len, setup, value, SECRET_MAX);
    }
    problem = clerk_setup_read_secret(member, setup, apr_pstrcat(setup->pool, "--", name, NULL), value);
    if (!problem && !is_public) {
        clerk_output_secret(setup->out, *member);
    }
    return problem;
}

static const char *set_other(clerk_setup *setup, const char *name, const char *value)
{
    if (!strcmp(name, "offline")) {
        setup->offline = 1;
        return NULL;
    }
    if (!strcmp(name, "at")) {
        setup->at_given = 1;
        return clerk_setup_read_time(&setup->now, value)
                   ? NULL
                   : "write seconds since 1970, or a date such as 2026-11-28T14:30:00Z";
    }
    if (strstr(value, "://")) {
        setup->conf.jwks_url = apr_pstrdup(setup->pool, value);
    } else {
        setup->jwks_file = apr_pstrdup(setup->pool, value);
    }
    return NULL;
}

static const char *set_row(clerk_setup *setup, const clerk_settings_row *row, const char *name, const char *value)
{
    void *member = member_of(setup, row);
    int number;

    switch (row->kind) {
    case CLERK_SETTINGS_FLAG:
        number = !strcasecmp(value, "On") ? 1 : !strcasecmp(value, "Off") ? 0 : -1;
        break;
    case CLERK_SETTINGS_WORD:
        number = word_value(row, value);
        break;
    case CLERK_SETTINGS_WORDS:
        return set_words(member, row, value, setup->pool);
    case CLERK_SETTINGS_DURATION:
        return clerk_setup_read_duration(member, value, row->least, row->most, setup->pool);
    case CLERK_SETTINGS_LIST:
        return set_list(member, row, value, setup->pool);
    case CLERK_SETTINGS_SECRET:
        return set_secret(setup, row, name, value);
    case CLERK_SETTINGS_POINTER:
        return set_patterns(setup, value);
    default:
        return set_text(setup, row, value);
    }
    if (number < 0) {
        return apr_psprintf(setup->pool, "'%s' is none of %s", value, allowed_words(row, ", ", setup->pool));
    }
    *(int *)member = number;
    return NULL;
}

const char *clerk_setup_set(clerk_setup *setup, const char *name, const char *value)
{
    const clerk_settings_row *row = row_of(name);
    const char *problem = row ? set_row(setup, row, name, value) : set_other(setup, name, value);

    return problem && strncmp(problem, "--", 2) ? apr_psprintf(setup->pool, "--%s: %s", name, problem) : problem;
}

/* Keep what kind of fault it is for the exit code. */
static const char *note_fault(clerk_setup *setup, const char *problem, clerk_sources_fault fault)
{
    if (problem) {
        setup->code = fault == CLERK_SOURCES_MISSING ? CLERK_OUTPUT_UNAVAILABLE : CLERK_OUTPUT_USAGE;
    }
    return problem;
}

const char *clerk_setup_read_secret(const char **psecret, clerk_setup *setup, const char *option, const char *ref)
{
    clerk_sources_fault fault;
    const char *problem = clerk_sources_read(psecret, &fault, option, ref, SECRET_MAX, setup->pool);

    return note_fault(setup, problem, fault);
}

const char *clerk_setup_read_file(const char **ptext, apr_size_t *plen, clerk_setup *setup, const char *path,
                                  apr_size_t max)
{
    clerk_sources_fault fault;
    const char *problem = clerk_sources_read_file(ptext, plen, &fault, path, 1, max, setup->pool);

    return note_fault(setup, problem, fault);
}

/* Two digits. @return -1 if there are none */
static int two_digits(const char *text)
{
    return text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9' ? (text[0] - '0') * 10 + text[1] - '0'
                                                                                : -1;
}

int clerk_setup_read_time(apr_time_t *ptime, const char *text)
{
    apr_size_t digits = strspn(text, "0123456789");
    apr_time_exp_t date = {0};
    int hundreds, years;

    if (digits > 0 && digits <= 12 && (text[digits] == '\0' || text[digits] == '.')) {
        *ptime = (apr_time_t)(strtod(text, NULL) * APR_USEC_PER_SEC);
        return text[digits] == '\0' || strspn(text + digits + 1, "0123456789") == strlen(text + digits + 1);
    }
    if (strlen(text) != strlen("2026-11-28T14:30:00Z") || text[4] != '-' || text[7] != '-' || !strchr("Tt ", text[10])
        || text[13] != ':' || text[16] != ':' || !strchr("Zz", text[19])) {
        return 0;
    }
    hundreds = two_digits(text);
    years = two_digits(text + 2);
    date.tm_year = hundreds * 100 + years - 1900;
    date.tm_mon = two_digits(text + 5) - 1;
    date.tm_mday = two_digits(text + 8);
    date.tm_hour = two_digits(text + 11);
    date.tm_min = two_digits(text + 14);
    date.tm_sec = two_digits(text + 17);
    if (hundreds < 0 || years < 0 || date.tm_mon < 0 || date.tm_mon > 11 || date.tm_mday < 1 || date.tm_mday > 31
        || date.tm_hour < 0 || date.tm_hour > 23 || date.tm_min < 0 || date.tm_min > 59 || date.tm_sec < 0
        || date.tm_sec > 60) {
        return 0;
    }
    return apr_time_exp_gmt_get(ptime, &date) == APR_SUCCESS;
}

int clerk_setup_has_instance(const clerk_setup *setup)
{
    return setup->conf.publishable_key || setup->conf.secret_key || setup->conf.jwt_key || setup->conf.jwks_url
           || setup->conf.frontend_api || setup->jwks_file;
}

/* What the module takes from the environment for the instance of a server (directives.md "Instances and keys"). */
static void environment_defaults(clerk_setup *setup)
{
    clerk_instance_config *conf = &setup->conf;
    const char *key = getenv(CLERK_ENV_PUBLISHABLE_KEY), *api_url = getenv("CLERK_API_URL");
    const char *secret = getenv("CLERK_SECRET_KEY"), *pem = getenv("CLERK_JWT_KEY");

    if (!conf->publishable_key && key && *key) {
        conf->publishable_key = key;
    }
    if (!conf->api_url && api_url && *api_url) {
        conf->api_url = api_url;
    }
    if (!conf->publishable_key || !key || strcmp(conf->publishable_key, key)) {
        return;
    }
    if (!conf->secret_key && secret && *secret) {
        conf->secret_key = secret;
        clerk_output_secret(setup->out, secret);
    }
    if (!conf->jwt_key && pem && *pem) {
        conf->jwt_key = pem;
    }
}

static const char *load_static_keys(clerk_setup *setup)
{
    const char *text, *problem, *why;
    jose_keyset *keys = NULL;
    apr_size_t len;

    if (setup->conf.jwt_key) {
        if (jose_pem_keyset(&keys, setup->conf.jwt_key, strlen(setup->conf.jwt_key), &why, setup->pool) != JOSE_OK) {
            return apr_pstrcat(setup->pool, "the PEM public key (--jwt-key) is not usable: ", why, NULL);
        }
        setup->static_keys = keys;
        return NULL;
    }
    if (!setup->jwks_file) {
        return NULL;
    }
    problem = clerk_setup_read_file(&text, &len, setup, setup->jwks_file, JWKS_MAX);
    if (!problem && jose_keyset_parse(&keys, text, len, setup->pool) != JOSE_OK) {
        problem = "this is no JWK set with a usable key";
    }
    setup->static_keys = keys;
    return problem ? apr_pstrcat(setup->pool, "--jwks: ", problem, NULL) : NULL;
}

/* The key store and the limits of outbound calls of httpd, in memory of this process. */
static const char *prepare_calls(clerk_setup *setup)
{
    clerk_instance *instance = setup->instance;
    apr_size_t size = clerk_keystore_size(1);
    apr_size_t limits_size = clerk_backend_limits_size(WORKERS);
    char *limits = apr_pcalloc(setup->pool, limits_size + 64);

    if (clerk_http_curl_create(&setup->http, "clerkctl/" CLERK_VERSION, setup->pool) != APR_SUCCESS) {
        return "libcurl cannot be used";
    }
    setup->source = (clerk_key_source){.name = "clerkctl",
                                       .url = instance->jwks_url,
                                       .bearer = instance->jwks_needs_secret ? instance->secret_key : NULL,
                                       .api_version = CLERK_API_VERSION,
                                       .proxy = setup->conf.http_proxy,
                                       .ca_file = setup->conf.ca_file,
                                       .ttl = setup->conf.jwks_cache_ttl,
                                       .max_stale = setup->conf.jwks_max_stale,
                                       .timeout = setup->conf.http_timeout};
    setup->sources[0] = &setup->source;
    if (instance->jwks_url && !setup->static_keys
        && (clerk_keystore_create(&setup->store, apr_pcalloc(setup->pool, size), size, setup->sources, 1, NULL,
                                  setup->pool)
                != APR_SUCCESS
            || clerk_keystore_child_init(setup->store, setup->http, setup->pool) != APR_SUCCESS)) {
        return "there is no memory for the keys";
    }
    limits += 64 - (apr_uintptr_t)limits % 64;
    setup->backend = (clerk_backend_api){.name = "clerkctl",
                                         .api_url = instance->api_url,
                                         .secret_key = instance->secret_key,
                                         .machine_secret_key = instance->machine_secret_key,
                                         .http_proxy = setup->conf.http_proxy,
                                         .ca_file = setup->conf.ca_file,
                                         .timeout = setup->conf.http_timeout,
                                         .http = setup->http,
                                         .state = apr_pcalloc(setup->pool, sizeof(clerk_backend_state))};
    return clerk_backend_limits_create(&setup->backend.limits, limits, WORKERS, setup->pool) == APR_SUCCESS
               ? NULL
               : "there is no memory for the limits of calls";
}

const char *clerk_setup_finish(clerk_setup *setup, int needs_keys)
{
    clerk_instance_options options;
    const char *problem;

    environment_defaults(setup);
    clerk_settings_fill_defaults(&setup->conf);
    clerk_settings_set_policy(&setup->dir);
    clerk_settings_instance_options(&options, &setup->conf);
    problem = clerk_instance_create(&setup->instance, &options, setup->pool);
    if (problem) {
        return problem;
    }
    setup->instance->name = "clerkctl";
    problem = load_static_keys(setup);
    if (!problem && needs_keys && !setup->static_keys && !setup->instance->jwks_url) {
        problem = "no instance is given: write --publishable-key pk_..., or --jwt-key or --jwks";
    }
    if (problem || setup->offline) {
        return problem;
    }
    problem = prepare_calls(setup);
    setup->code = problem ? CLERK_OUTPUT_UNAVAILABLE : setup->code;
    return problem;
}

static clerk_keys_status acquire_keys(void *baton, clerk_keys_pin *pin, clerk_keys_want want, apr_uint32_t seen,
                                      apr_pool_t *pool)
{
    clerk_setup *setup = baton;

    if (setup->static_keys) {
        pin->set = setup->static_keys;
        pin->generation = 1;
        pin->entry = NULL;
        return want == CLERK_KEYS_CURRENT ? CLERK_KEYS_OK : CLERK_KEYS_UNCHANGED;
    }
    return setup->store ? clerk_keystore_acquire(pin, setup->store, 0, want, seen, pool) : CLERK_KEYS_UNAVAILABLE;
}

static void release_keys(void *baton, clerk_keys_pin *pin)
{
    clerk_setup *setup = baton;

    if (setup->store) {
        clerk_keystore_release(setup->store, pin);
    }
}

static void call_backend(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    clerk_setup *setup = baton;
    clerk_setup_call *note = apr_array_push(setup->calls);

    note->method = call->method;
    note->path = apr_pstrmemdup(setup->pool, call->path, strcspn(call->path, "?"));
    note->made = !setup->offline;
    memset(reply, 0, sizeof(*reply));
    reply->held_back = setup->offline;
    if (!setup->offline) {
        clerk_backend_api_call(&setup->backend, reply, call, pool);
    }
    note->status = reply->status;
}

static const char *own_origin(void *baton)
{
    return ((clerk_setup *)baton)->dir.public_origin;
}

void clerk_setup_services(clerk_services *services, clerk_setup *setup)
{
    const clerk_instance *instance = setup->instance;

    memset(services, 0, sizeof(*services));
    services->baton = setup;
    services->now = setup->now;
    services->own_origin = own_origin;
    services->acquire_keys = acquire_keys;
    services->release_keys = release_keys;
    services->backend = instance->secret_key ? call_backend : NULL;
    services->verify = instance->secret_key || instance->machine_secret_key ? call_backend : NULL;
    services->opaque_ttl = setup->conf.token_cache_ttl;
}
