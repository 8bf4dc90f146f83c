/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SERVICES_H
#define CLERK_SERVICES_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "clerk/session/token_record.h"
#include "clerk/step.h"
#include "clerk/token_type.h"
#include "jose/jose.h"
#include "shared/keystore/keystore.h"
#include "shared/revocations.h"

/** What caused a call. Calls that strangers can cause use up nothing of what signed-in visitors have. */
typedef enum clerk_backend_cause {
    CLERK_BACKEND_FOR_SESSION,    /**< a visitor whose token has a good signature: refresh, sign-out */
    CLERK_BACKEND_FOR_ANY_CLIENT, /**< any client, by a cookie or a URL: a handshake nonce */
    CLERK_BACKEND_FOR_PROFILE,    /**< a signed-in visitor, whose name the application needs */
    CLERK_BACKEND_FOR_MACHINE,    /**< any client, by an opaque machine token in a header */
    CLERK_BACKEND_FOR_CHECK       /**< nobody who waits: background work asks whether a session goes on */
} clerk_backend_cause;

typedef struct clerk_backend_reply clerk_backend_reply;

/** One call to the Backend API. */
typedef struct clerk_backend_call {
    clerk_backend_cause cause;
    const char *method;
    const char *path; /**< below the API's origin, with version and query: "/v1/clients/handshake_payload?nonce=n" */
    const char *json; /**< body, or NULL */
    const char *client_ip; /**< address of the client that caused it, or NULL */
    const char *user_id;   /**< FOR_SESSION, FOR_CHECK: whose session it is; FOR_PROFILE: whose profile */
    /* A refresh; else NULL: calls with the same path and the same two tokens get the same reply. */
    const char *expired_token; /**< its signature is good */
    const char *refresh_token;
    /**
     * FOR_PROFILE and FOR_MACHINE, else NULL: the same reply serves several requests, reduced by this function to the
     * bytes that are needed of it, at most CLERK_BACKEND_CONDENSED_MAX for a profile.
     */
    void (*condense)(clerk_backend_reply *reply, const struct clerk_backend_call *call, apr_pool_t *pool);
    /* FOR_MACHINE: calls with the same path and the same token get the same reply. */
    const char *machine_token;
    clerk_token_type machine_type;
    int by_machine_key;              /**< with the machine's secret key, not the instance's */
    apr_interval_time_t shared_for;  /**< how long the reply is used for other requests, and a refusal remembered */
    apr_interval_time_t trusted_for; /**< how long a token that is good is believed */
    /**
     * FOR_MACHINE: what a reply says about the token, *pgood: that it is good.
     * @return until when that may be believed; 0: the reply says nothing about the token
     */
    apr_time_t (*verdict)(int *pgood, const struct clerk_backend_call *call, const clerk_backend_reply *reply,
                          apr_pool_t *pool);
    const struct clerk_backend_memory *memory; /**< FOR_MACHINE: what was found out before; NULL: nothing */
} clerk_backend_call;

/** Replies that this server, and those of its fleet, keep. Not trusted: what keeps them must recognize its own. */
typedef struct clerk_backend_memory {
    void *baton;
    /** @return 0: not found; @a reply is unchanged then */
    int (*recall)(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool);
    /** Keep a reply, which was reduced, until then. */
    void (*keep)(void *baton, const clerk_backend_reply *reply, const clerk_backend_call *call, apr_time_t until,
                 apr_pool_t *pool);
} clerk_backend_memory;

/** The longest body after `condense`. */
#define CLERK_BACKEND_CONDENSED_MAX 16000

struct clerk_backend_reply {
    int status; /**< HTTP status; 0: no answer (network, time-out, or not asked at all) */
    const char *body;
    apr_size_t body_len;
    int is_json;         /**< by its Content-Type */
    int held_back;       /**< the call was not made: too many of its kind lately or now, or the API is left alone */
    int shared;          /**< the call of another thread, or of another server, has brought it */
    apr_time_t asked_at; /**< when Clerk was asked; 0: not at all */
    int retry_after;     /**< seconds until another try makes sense; 0: not known */
};

/**
 * What the decision about a request needs from outside src/clerk: clock, keys, Backend API and token cache, all for one
 * instance. Unit tests fill it with fakes.
 */
typedef struct clerk_services {
    void *baton;
    apr_time_t now;                   /**< the clock, read once a request */
    const clerk_step_listener *steps; /**< is told how the decision comes about; NULL: nobody is */
    /** This site's origin, for `own` in ClerkAuthorizedParties; NULL if the client has chosen it. NULL: unknown. */
    const char *(*own_origin)(void *baton);
    /** As clerk_keystore_acquire(). */
    clerk_keys_status (*acquire_keys)(void *baton, clerk_keys_pin *pin, clerk_keys_want want, apr_uint32_t seen,
                                      apr_pool_t *pool);
    void (*release_keys)(void *baton, clerk_keys_pin *pin);
    /**
     * Call the Backend API with the instance's secret key, within the limits of clerk_backend_api_call(). @a reply is
     * filled in, its texts live at least as long as @a pool. NULL if the instance has no secret key.
     */
    void (*backend)(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool);

    /*
     * The token cache, for the keys that the instance has now. Both members are set, or both are NULL. Only session
     * tokens that passed every check of their kind and signature are stored; their claims are checked for each request.
     */

    /** Look a token up. @return a copy of its record from @a pool, or NULL */
    clerk_token_record *(*cache_get)(void *baton, jose_slice token, apr_pool_t *pool);
    /**
     * Store a verified token.
     * @param generation of the key set that verified it
     * @param expires seconds since 1970 after which no request accepts it
     * @param pool for temporary allocations
     */
    void (*cache_put)(void *baton, jose_slice token, apr_uint32_t generation, apr_int64_t expires,
                      const clerk_token_record *record, apr_pool_t *pool);

    /* Revocations. */

    const clerk_revocations *revocations; /**< NULL: there are none */
    const unsigned char *revocation_key;  /**< of the instance, CLERK_REVOKED_KEY bytes */
    /** Whether `revocations` has all that it should by now. NULL: it has. */
    int (*knows_revocations)(void *baton);

    /* Machine tokens. */

    /** As `backend`, for calls FOR_MACHINE. NULL if the instance has neither a secret key nor a machine's. */
    void (*verify)(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool);
    apr_interval_time_t opaque_ttl; /**< how long what Clerk says about an opaque token is believed */
    /**
     * Look a machine token up in the same cache. It never has a session token here, nor the other way round.
     * @param opaque whether the Backend API has verified it, and not the keys
     */
    clerk_token_record *(*machine_get)(void *baton, jose_slice token, int opaque, apr_pool_t *pool);
    /** Store a verified machine token. @param generation of the key set that verified it; ignored if @a opaque */
    void (*machine_put)(void *baton, jose_slice token, int opaque, apr_uint32_t generation,
                        const clerk_token_record *record, apr_pool_t *pool);
} clerk_services;

#endif
