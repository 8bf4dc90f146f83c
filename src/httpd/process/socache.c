/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/socache.h"

#include <apr_general.h>
#include <apr_global_mutex.h>
#include <apr_strings.h>
#include <ap_provider.h>
#include <ap_socache.h>
#include <http_config.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <util_mutex.h>

#include "httpd/process/log.h"
#include "shared/places.h"

#define MUTEX_NAME "clerk-socache"
#define RETAINED_KEY "mod_auth_clerk-socache-key"
#define DEFAULT_PROVIDER "shmcb"
/* Memory for some thousand profiles. httpd's own default is 512 KB. The file is used only on systems without anonymous
 * shared memory. */
#define DEFAULT_ARGUMENTS "logs/clerk-socache(8388608)"
#define TYPICAL_VALUE 800
#define BLOCK 64 /* bytes that SHA-256 reads at once */
#define ABOUT_MAX 2048

/* Of a store over a network: how many of the workers use it at the same time, when it is slow, and how long it is left
 * alone then. A thread that hangs keeps its place for as long as a place can be kept. */
#define USERS_PART 16
#define USERS_LEAST 4
#define SLOW apr_time_from_sec(1)
#define LEFT_ALONE apr_time_from_sec(5)
#define LONGEST apr_time_from_sec(3599)

/* A stored value: its end (microseconds since 1970, most significant byte first), its bytes, and the HMAC over its
 * name, its end and its bytes. */
#define END_SIZE 8
#define OVERHEAD (END_SIZE + CLERK_SOCACHE_DIGEST)

/* In shared memory; the places lie behind it. */
typedef struct gate {
    _Atomic(apr_int64_t) left_alone_until;
    clerk_place places[];
} gate;

struct clerk_socache {
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    server_rec *server;
    apr_global_mutex_t *mutex; /* NULL: the provider needs none */
    gate *gate;
    clerk_places users; /* at the same time, without a mutex */
    /* SHA-256 of the two blocks that an HMAC makes of its key, as RFC 2104 suggests: each HMAC continues from here. */
    EVP_MD_CTX *inner;
    EVP_MD_CTX *outer;
};

int clerk_socache_register(apr_pool_t *pconf, apr_pool_t *plog)
{
    apr_status_t rv = ap_mutex_register(pconf, MUTEX_NAME, NULL, APR_LOCK_DEFAULT, 0);

    if (rv != APR_SUCCESS) {
        ap_log_perror(APLOG_MARK, APLOG_ERR, rv, plog, CLERK_LOGNO(3204) "cannot register the mutex " MUTEX_NAME);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

/* The key: a digest of ClerkSOCacheKey, or a random one, which survives restarts of this server as what it has stored
 * may. @return 0: there is none */
static int find_key(unsigned char key[CLERK_SOCACHE_DIGEST], const char *configured)
{
    unsigned char *retained;

    if (configured) {
        return EVP_Digest(configured, strlen(configured), key, NULL, EVP_sha256(), NULL);
    }
    retained = ap_retained_data_get(RETAINED_KEY);
    if (!retained) {
        retained = ap_retained_data_create(RETAINED_KEY, CLERK_SOCACHE_DIGEST);
        if (apr_generate_random_bytes(retained, CLERK_SOCACHE_DIGEST) != APR_SUCCESS) {
            return 0;
        }
    }
    memcpy(key, retained, CLERK_SOCACHE_DIGEST);
    return 1;
}

static apr_status_t free_digest(void *digest)
{
    EVP_MD_CTX_free(digest);
    return APR_SUCCESS;
}

/* SHA-256 of a block: the key, XORed with a byte. */
static EVP_MD_CTX *begin_digest(const unsigned char *key, unsigned char pad, apr_pool_t *pconf)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char block[BLOCK];
    int ok;

    memset(block, pad, sizeof(block));
    for (int i = 0; i < CLERK_SOCACHE_DIGEST; i++) {
        block[i] ^= key[i];
    }
    ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) && EVP_DigestUpdate(digest, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
    apr_pool_cleanup_register(pconf, digest, free_digest, apr_pool_cleanup_null);
    return ok ? digest : NULL;
}

static int make_digests(clerk_socache *cache, const char *configured, apr_pool_t *pconf)
{
    unsigned char key[CLERK_SOCACHE_DIGEST];

    if (!find_key(key, configured)) {
        return 0;
    }
    cache->inner = begin_digest(key, 0x36, pconf);
    cache->outer = begin_digest(key, 0x5c, pconf);
    OPENSSL_cleanse(key, sizeof(key));
    return cache->inner && cache->outer;
}

const char *clerk_socache_create(clerk_socache **pcache, const char *spec, const char *key, apr_pool_t *pconf,
                                 apr_pool_t *ptemp)
{
    clerk_socache *cache = apr_pcalloc(pconf, sizeof(*cache));
    const char *name
        = apr_pstrmemdup(pconf, spec ? spec : DEFAULT_PROVIDER, strcspn(spec ? spec : DEFAULT_PROVIDER, ":"));
    const char *arguments = spec ? strchr(spec, ':') : NULL, *error;

    cache->provider = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name, AP_SOCACHE_PROVIDER_VERSION);
    if (!cache->provider) {
        return apr_psprintf(pconf, "there is no cache '%s'; load the module mod_socache_%s%s", name, name,
                            spec ? ", or write another one, such as shmcb" : "");
    }
    if (arguments) {
        arguments++;
    } else if (!strcmp(name, DEFAULT_PROVIDER)) {
        arguments = DEFAULT_ARGUMENTS;
    }
    error = cache->provider->create(&cache->instance, arguments, ptemp, pconf);
    if (error) {
        return apr_psprintf(pconf, "ClerkSOCache %s: %s", spec ? spec : name, error);
    }
    if (!make_digests(cache, key, pconf)) {
        return "there is no key: the system gave no random numbers, or OpenSSL failed";
    }
    *pcache = cache;
    return NULL;
}

static apr_status_t close_cache(void *baton)
{
    clerk_socache *cache = baton;

    cache->provider->destroy(cache->instance, cache->server);
    return APR_SUCCESS;
}

static unsigned int users_of(unsigned int workers)
{
    return workers / USERS_PART > USERS_LEAST ? workers / USERS_PART : USERS_LEAST;
}

apr_size_t clerk_socache_size(unsigned int workers)
{
    return sizeof(gate) + users_of(workers) * sizeof(clerk_place);
}

apr_status_t clerk_socache_open(clerk_socache *cache, void *memory, unsigned int workers, server_rec *s,
                                apr_pool_t *pconf)
{
    struct ap_socache_hints hints = {CLERK_SOCACHE_DIGEST, TYPICAL_VALUE, 60};
    apr_status_t rv;

    cache->server = s;
    cache->gate = memory;
    cache->users = (clerk_places){cache->gate->places, users_of(workers), users_of(workers)};
    if (cache->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) {
        rv = ap_global_mutex_create(&cache->mutex, NULL, MUTEX_NAME, NULL, s, pconf, 0);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    rv = cache->provider->init(cache->instance, MUTEX_NAME, &hints, s, pconf);
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pconf, cache, close_cache, apr_pool_cleanup_null);
    }
    return rv;
}

int clerk_socache_is_network(const clerk_socache *cache)
{
    return !(cache->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) && strcmp(cache->provider->name, "shmcb")
           && strcmp(cache->provider->name, "dbm");
}

apr_status_t clerk_socache_child_init(clerk_socache *cache, apr_pool_t *pchild)
{
    return cache->mutex ? apr_global_mutex_child_init(&cache->mutex, apr_global_mutex_lockfile(cache->mutex), pchild)
                        : APR_SUCCESS;
}

/* HMAC-SHA-256. @return 0 if OpenSSL failed */
static int sign(unsigned char mac[CLERK_SOCACHE_DIGEST], const clerk_socache *cache, const void *bytes, apr_size_t len)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int ok = digest && EVP_MD_CTX_copy_ex(digest, cache->inner) && EVP_DigestUpdate(digest, bytes, len)
             && EVP_DigestFinal_ex(digest, mac, NULL) && EVP_MD_CTX_copy_ex(digest, cache->outer)
             && EVP_DigestUpdate(digest, mac, CLERK_SOCACHE_DIGEST) && EVP_DigestFinal_ex(digest, mac, NULL);

    EVP_MD_CTX_free(digest);
    return ok;
}

int clerk_socache_make_name(clerk_socache_name *name, const clerk_socache *cache, clerk_socache_kind kind,
                            const unsigned char scope[CLERK_SOCACHE_DIGEST], const char *text)
{
    unsigned char about[ABOUT_MAX];
    apr_size_t len = strlen(text);

    if (1 + CLERK_SOCACHE_DIGEST + len > sizeof(about)) {
        return 0;
    }
    about[0] = (unsigned char)kind;
    memcpy(about + 1, scope, CLERK_SOCACHE_DIGEST);
    memcpy(about + 1 + CLERK_SOCACHE_DIGEST, text, len);
    return sign(name->bytes, cache, about, 1 + CLERK_SOCACHE_DIGEST + len);
}

/* A thread that uses the store. */
typedef struct use {
    apr_time_t since;
    clerk_place_ticket place;
} use;

static void log_slow(const clerk_socache *cache)
{
    int level = clerk_httpd_log_message_level(3207);

    ap_log_error(APLOG_MARK, level, 0, cache->server,
                 CLERK_LOGNO(3207) "the cache of ClerkSOCache (%s) takes more than a second; it is not used for "
                                   "a while, and Clerk is asked instead",
                             cache->provider->name);
}

/* Whether a thread waits for the store since too long: nobody else shall. A process that was killed waits no more. */
static int is_hanging(const clerk_socache *cache, apr_time_t now)
{
    for (unsigned int i = 0; i < cache->users.count; i++) {
        clerk_lease *lease = &cache->users.at[i].lease;

        if (clerk_lease_is_held(lease, now, LONGEST - SLOW) && !clerk_lease_free_if_dead(lease)) {
            return 1;
        }
    }
    return 0;
}

/* @return 0: the store is not used now */
static int begin(use *this, const clerk_socache *cache)
{
    apr_int64_t left_alone;

    if (cache->mutex) {
        return apr_global_mutex_lock(cache->mutex) == APR_SUCCESS;
    }
    this->since = apr_time_now();
    left_alone = atomic_load(&cache->gate->left_alone_until) - this->since;
    if (left_alone > 0 && left_alone <= LEFT_ALONE) {
        return 0;
    }
    if (is_hanging(cache, this->since)) {
        log_slow(cache);
        return 0;
    }
    return clerk_places_take(&this->place, &cache->users, cache->users.count, 0, this->since, LONGEST);
}

static void end(use *this, const clerk_socache *cache)
{
    apr_time_t now;

    if (cache->mutex) {
        (void)apr_global_mutex_unlock(cache->mutex);
        return;
    }
    now = apr_time_now();
    clerk_places_give_back(&this->place);
    if (now - this->since >= SLOW) {
        atomic_store(&cache->gate->left_alone_until, now + LEFT_ALONE);
        log_slow(cache);
    }
}

static void write_end(unsigned char bytes[END_SIZE], apr_time_t until)
{
    for (int i = END_SIZE - 1; i >= 0; i--) {
        bytes[i] = (unsigned char)until;
        until >>= 8;
    }
}

static apr_time_t read_end(const unsigned char bytes[END_SIZE])
{
    apr_uint64_t until = 0;

    for (int i = 0; i < END_SIZE; i++) {
        until = until << 8 | bytes[i];
    }
    return (apr_time_t)until;
}

/* @param waits outside a request: in a thread that may wait for a slow store */
static const void *find(apr_size_t *psize, clerk_socache *cache, const clerk_socache_name *name, int waits,
                        apr_pool_t *pool)
{
    /* The name first, so that what is signed is in one piece. */
    unsigned char bytes[CLERK_SOCACHE_DIGEST + CLERK_SOCACHE_VALUE_MAX + OVERHEAD], digest[CLERK_SOCACHE_DIGEST];
    unsigned char *stored = bytes + CLERK_SOCACHE_DIGEST;
    unsigned int len = CLERK_SOCACHE_VALUE_MAX + OVERHEAD;
    apr_status_t rv;
    use this = {0};

    if (!waits && !begin(&this, cache)) {
        return NULL;
    }
    rv = cache->provider->retrieve(cache->instance, cache->server, name->bytes, CLERK_SOCACHE_DIGEST, stored, &len,
                                   pool);
    if (!waits) {
        end(&this, cache);
    }
    if (rv != APR_SUCCESS || len < OVERHEAD || len > CLERK_SOCACHE_VALUE_MAX + OVERHEAD) {
        return NULL;
    }
    memcpy(bytes, name->bytes, CLERK_SOCACHE_DIGEST);
    if (!sign(digest, cache, bytes, len) /* the name is as long as the HMAC */
        || CRYPTO_memcmp(digest, stored + len - CLERK_SOCACHE_DIGEST, CLERK_SOCACHE_DIGEST) != 0
        || read_end(stored) < apr_time_now()) {
        return NULL;
    }
    *psize = len - OVERHEAD;
    return apr_pmemdup(pool, stored + END_SIZE, *psize);
}

const void *clerk_socache_get(apr_size_t *psize, clerk_socache *cache, const clerk_socache_name *name, apr_pool_t *pool)
{
    return find(psize, cache, name, 0, pool);
}

const void *clerk_socache_load(apr_size_t *psize, clerk_socache *cache, const clerk_socache_name *name,
                               apr_pool_t *pool)
{
    return find(psize, cache, name, 1, pool);
}

void clerk_socache_remove(clerk_socache *cache, const clerk_socache_name *name, apr_pool_t *pool)
{
    use this;

    if (begin(&this, cache)) {
        /* Where there is none, providers call that a failure. */
        (void)cache->provider->remove(cache->instance, cache->server, name->bytes, CLERK_SOCACHE_DIGEST, pool);
        end(&this, cache);
    }
}

/* @param waits outside a request: in a thread that may wait for a slow store. @param ptried 0: the store is not used
 * now */
static apr_status_t keep(int *ptried, clerk_socache *cache, const clerk_socache_name *name, const void *value,
                         apr_size_t size, apr_time_t until, int waits, apr_pool_t *pool)
{
    unsigned char *bytes, *stored;
    apr_status_t rv;
    use this = {0};

    *ptried = 0;
    /* Stores over a network count in seconds, and refuse a value for none. */
    if (size > CLERK_SOCACHE_VALUE_MAX || until - apr_time_now() < 2 * APR_USEC_PER_SEC) {
        return APR_EINVAL;
    }
    bytes = apr_palloc(pool, CLERK_SOCACHE_DIGEST + OVERHEAD + size);
    stored = bytes + CLERK_SOCACHE_DIGEST;
    memcpy(bytes, name->bytes, CLERK_SOCACHE_DIGEST);
    write_end(stored, until);
    memcpy(stored + END_SIZE, value, size);
    if (!sign(stored + END_SIZE + size, cache, bytes, CLERK_SOCACHE_DIGEST + END_SIZE + size)
        || (!waits && !begin(&this, cache))) {
        return APR_EGENERAL;
    }
    *ptried = 1;
    rv = cache->provider->store(cache->instance, cache->server, name->bytes, CLERK_SOCACHE_DIGEST, until, stored,
                                (unsigned int)(OVERHEAD + size), pool);
    if (!waits) {
        end(&this, cache);
    }
    return rv;
}

apr_status_t clerk_socache_save(clerk_socache *cache, const clerk_socache_name *name, const void *value,
                                apr_size_t size, apr_time_t until, apr_pool_t *pool)
{
    int tried;

    return keep(&tried, cache, name, value, size, until, 1, pool);
}

void clerk_socache_put(clerk_socache *cache, const clerk_socache_name *name, const void *value, apr_size_t size,
                       apr_time_t until, apr_pool_t *pool)
{
    int tried;
    apr_status_t rv = keep(&tried, cache, name, value, size, until, 0, pool);

    if (tried && rv != APR_SUCCESS) {
        int level = clerk_httpd_log_message_level(3205);

        ap_log_error(APLOG_MARK, level, rv, cache->server,
                     CLERK_LOGNO(3205) "the cache of ClerkSOCache (%s) does not store a value: what it would keep is "
                                       "asked for again and again",
                                 cache->provider->name);
    }
}
