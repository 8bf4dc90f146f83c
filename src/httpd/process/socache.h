/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_SOCACHE_H
#define HTTPD_PROCESS_SOCACHE_H

#include <httpd.h>

/*
 * Values that all processes of this server share, or the servers of a fleet: kept by httpd's small object cache
 * (ClerkSOCache), in shared memory, a file, redis or memcache.
 *
 * What keeps the values is not trusted: others may write to a redis. The name of a value is an HMAC of what it is
 * about, so that a store shows no ids. Each value carries an HMAC over its name, its end and its bytes: one that is
 * damaged, or of another server, or was stored under another name, is not used. The key is that of ClerkSOCacheKey, or
 * random. The values themselves are not encrypted.
 *
 * Providers that cannot be called by several threads at the same time are called under a mutex of the server. It is
 * held while the store is read or written, never during an outbound call to Clerk.
 */
typedef struct clerk_socache clerk_socache;

/*
 * A store over a network may hang, and httpd may wait for it without end. So only some threads of the server use it at
 * the same time, none does while another waits for more than a second, and after such a wait it is left alone for a
 * while. Then it is as if nothing were stored.
 */

/** Bytes of the HMACs and of their key. */
#define CLERK_SOCACHE_DIGEST 32
/** The longest value, bytes. */
#define CLERK_SOCACHE_VALUE_MAX 16384

/** What a value is about. No two kinds have the same names. */
typedef enum clerk_socache_kind {
    CLERK_SOCACHE_PROFILE = 'p',    /**< of a user */
    CLERK_SOCACHE_MACHINE = 'm',    /**< what Clerk has said about a machine token */
    CLERK_SOCACHE_REVOCATIONS = 'r' /**< by a server of a fleet */
} clerk_socache_kind;

/** The name of a value. */
typedef struct clerk_socache_name {
    unsigned char bytes[CLERK_SOCACHE_DIGEST];
} clerk_socache_name;

/** pre_config hook: let `Mutex` directives name the mutex. @return OK, or an HTTP status (logged) */
int clerk_socache_register(apr_pool_t *pconf, apr_pool_t *plog);

/**
 * Find the provider and have it read its arguments. Parent process, when all modules are loaded.
 * @param spec `provider[:args]`; NULL: shared memory
 * @param key of ClerkSOCacheKey; NULL: random, the same until the server stops
 * @return NULL, or what is wrong and what to do about it
 */
const char *clerk_socache_create(clerk_socache **pcache, const char *spec, const char *key, apr_pool_t *pconf,
                                 apr_pool_t *ptemp);

/** Bytes of shared memory for a server of so many worker threads. */
apr_size_t clerk_socache_size(unsigned int workers);

/**
 * Set the store up. Parent process, before the fork. It ends with @a pconf.
 * @param memory zeroed, aligned to 64 bytes, shared by all children, clerk_socache_size(workers) bytes
 */
apr_status_t clerk_socache_open(clerk_socache *cache, void *memory, unsigned int workers, server_rec *s,
                                apr_pool_t *pconf);

/** Whether the store is one that several servers can share, by the provider's name, and that needs no mutex. */
int clerk_socache_is_network(const clerk_socache *cache);

/** In each child. */
apr_status_t clerk_socache_child_init(clerk_socache *cache, apr_pool_t *pchild);

/**
 * Make the name of a value.
 * @param scope of the instance: clerk_runtime
 * @return 0 if OpenSSL failed, or the text has more than 1,900 bytes
 */
int clerk_socache_make_name(clerk_socache_name *name, const clerk_socache *cache, clerk_socache_kind kind,
                            const unsigned char scope[CLERK_SOCACHE_DIGEST], const char *text);

/**
 * @return @a psize bytes from @a pool; NULL if there is no such value, its time is over, or the store is not
 * used now
 */
const void *clerk_socache_get(apr_size_t *psize, clerk_socache *cache, const clerk_socache_name *name,
                              apr_pool_t *pool);

/** As clerk_socache_get() and clerk_socache_put() in a background thread, which may wait as long as the store hangs;
 * for stores over a network only. Errors are not logged. */
const void *clerk_socache_load(apr_size_t *psize, clerk_socache *cache, const clerk_socache_name *name,
                               apr_pool_t *pool);
apr_status_t clerk_socache_save(clerk_socache *cache, const clerk_socache_name *name, const void *value,
                                apr_size_t size, apr_time_t until, apr_pool_t *pool);

/** Remove a value, if there is one. */
void clerk_socache_remove(clerk_socache *cache, const clerk_socache_name *name, apr_pool_t *pool);

/**
 * Store a value in place of the one of that name.
 * @param size at most CLERK_SOCACHE_VALUE_MAX
 * @param until when it is no longer given out; a value for less than two seconds is not stored
 */
void clerk_socache_put(clerk_socache *cache, const clerk_socache_name *name, const void *value, apr_size_t size,
                       apr_time_t until, apr_pool_t *pool);

#endif
