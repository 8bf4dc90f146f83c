/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/instance_services.h"

#include <apr_strings.h>

#include "clerk/session/token_record.h"
#include "httpd/process/process.h"
#include "httpd/request/machine_memory.h"
#include "httpd/request/request_state.h"
#include "httpd/request/wire.h"

#define STATIC_GENERATION 1

/* The baton of the services: one instance and one request. */
typedef struct binding {
    clerk_runtime *runtime;
    request_rec *r;
    apr_time_t now;
} binding;

static clerk_runtime *runtime_of(const void *baton)
{
    return ((const binding *)baton)->runtime;
}

static clerk_keys_status acquire_keys(void *baton, clerk_keys_pin *pin, clerk_keys_want want, apr_uint32_t seen,
                                      apr_pool_t *pool)
{
    const clerk_runtime *runtime = runtime_of(baton);

    if (want == CLERK_KEYS_CURRENT) {
        clerk_verdicts_tick(&runtime->verdicts->cache_misses);
    }
    if (runtime->static_keys) {
        pin->set = runtime->static_keys;
        pin->generation = STATIC_GENERATION;
        pin->entry = NULL;
        return want == CLERK_KEYS_CURRENT ? CLERK_KEYS_OK : CLERK_KEYS_UNCHANGED;
    }
    return clerk_keystore_acquire(pin, clerk_process_keystore(), (unsigned int)runtime->slot, want, seen, pool);
}

static void release_keys(void *baton, clerk_keys_pin *pin)
{
    const clerk_runtime *runtime = runtime_of(baton);

    if (!runtime->static_keys) {
        clerk_keystore_release(clerk_process_keystore(), pin);
    }
}

/* The generation of the keys in force. A PEM key never changes. */
static apr_uint32_t generation(const clerk_runtime *runtime, apr_time_t now)
{
    return runtime->static_keys ? STATIC_GENERATION
                                : clerk_keystore_generation(clerk_process_keystore(), (unsigned int)runtime->slot, now);
}

/* @param number whose tokens: the runtime's, or that of its machine tokens */
static inline clerk_token_record *look_up(const clerk_runtime *runtime, jose_slice token, unsigned int number,
                                          apr_uint32_t verified_by, apr_pool_t *pool)
{
    apr_size_t size;
    void *block = clerk_token_cache_get(&size, clerk_process_token_cache(), token, number, verified_by, pool);
    clerk_token_record *record = block ? clerk_token_record_unpack(block, size, token, pool) : NULL;

    if (record) {
        clerk_verdicts_tick(&runtime->verdicts->cache_hits);
    }
    return record;
}

static clerk_token_record *cache_get(void *baton, jose_slice token, apr_pool_t *pool)
{
    const binding *bound = baton;
    const clerk_runtime *runtime = bound->runtime;

    return look_up(runtime, token, runtime->number, generation(runtime, bound->now), pool);
}

static void cache_put(void *baton, jose_slice token, apr_uint32_t verified_by, apr_int64_t expires,
                      const clerk_token_record *record, apr_pool_t *pool)
{
    const binding *bound = baton;
    apr_size_t size;
    const void *block = clerk_token_record_pack(&size, record, pool);

    (void)clerk_token_cache_put(clerk_process_token_cache(), token, bound->runtime->number, verified_by, expires,
                                apr_time_sec(bound->now), block, size);
}

/* Machine tokens lie in the same cache under numbers that no instance has, so that neither is taken for the other. */
#define MACHINE_NUMBER 0x80000000u
/* The Backend API has verified an opaque token, whatever the keys are. */
#define OPAQUE_GENERATION 1

static clerk_token_record *machine_get(void *baton, jose_slice token, int opaque, apr_pool_t *pool)
{
    const binding *bound = baton;
    const clerk_runtime *runtime = bound->runtime;

    return look_up(runtime, token, runtime->number | MACHINE_NUMBER,
                   opaque ? OPAQUE_GENERATION : generation(runtime, bound->now), pool);
}

static void machine_put(void *baton, jose_slice token, int opaque, apr_uint32_t verified_by,
                        const clerk_token_record *record, apr_pool_t *pool)
{
    const binding *bound = baton;
    apr_size_t size;
    const void *block = clerk_token_record_pack(&size, record, pool);

    (void)clerk_token_cache_put(clerk_process_token_cache(), token, bound->runtime->number | MACHINE_NUMBER,
                                opaque ? OPAQUE_GENERATION : verified_by, (apr_int64_t)record->claims.expires.seconds,
                                apr_time_sec(bound->now), block, size);
}

/* A reply of the Backend API, kept until the client's request ends. */
typedef struct kept_reply {
    const clerk_runtime *runtime;
    const clerk_backend_call *call;
    clerk_backend_reply reply;
} kept_reply;

static int is_same_call(const clerk_backend_call *one, const clerk_backend_call *other)
{
    return !strcmp(one->path, other->path) && !strcmp(one->json ? one->json : "", other->json ? other->json : "");
}

/*
 * Make each call only once for a client's request: a nonce is valid only once, and subrequests, internal redirects (a
 * front controller) or rules inside an <If> may ask for the same call again.
 */
static void call_backend(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    clerk_runtime *runtime = runtime_of(baton);
    request_rec *top = clerk_request_state_top(((const binding *)baton)->r);
    clerk_request_state *state = clerk_request_state_get(top);
    clerk_backend_call *copy;
    kept_reply *kept;

    (void)pool;
    if (!state->replies) {
        state->replies = apr_array_make(top->pool, 2, sizeof(kept_reply));
    }
    for (int i = 0; i < state->replies->nelts; i++) {
        kept = &APR_ARRAY_IDX(state->replies, i, kept_reply);
        if (kept->runtime == runtime && is_same_call(kept->call, call)) {
            *reply = kept->reply;
            return;
        }
    }
    copy = apr_pmemdup(top->pool, call, sizeof(*call));
    copy->memory = call->cause == CLERK_BACKEND_FOR_MACHINE ? clerk_machine_memory(runtime, top) : NULL;
    clerk_backend_api_call(&runtime->backend, reply, copy, top->pool);
    copy->path = apr_pstrdup(top->pool, call->path);
    copy->json = call->json ? apr_pstrdup(top->pool, call->json) : NULL;
    kept = apr_array_push(state->replies);
    kept->runtime = runtime;
    kept->call = copy;
    kept->reply = *reply;
}

static int knows_revocations(void *baton)
{
    (void)baton;
    /* Not that of the binding, which is that of a token's clock. */
    return clerk_fleet_is_known(clerk_process_fleet(), apr_time_now());
}

static const char *own_origin(void *baton)
{
    return clerk_wire_own_origin(((const binding *)baton)->r);
}

void clerk_instance_services_bind(clerk_services *services, clerk_runtime *runtime, request_rec *r, apr_time_t now)
{
    binding *bound = apr_palloc(r->pool, sizeof(*bound));

    bound->runtime = runtime;
    bound->r = r;
    bound->now = now;
    services->baton = bound;
    services->now = now;
    services->steps = NULL;
    services->own_origin = own_origin;
    services->revocations = clerk_process_revocations();
    services->revocation_key = runtime->revocation_key;
    services->knows_revocations = clerk_process_must_know_revocations() ? knows_revocations : NULL;
    services->cache_get = cache_get;
    services->cache_put = cache_put;
    services->acquire_keys = acquire_keys;
    services->release_keys = release_keys;
    services->backend = runtime->instance->secret_key ? call_backend : NULL;
    services->verify = runtime->instance->secret_key || runtime->instance->machine_secret_key ? call_backend : NULL;
    services->opaque_ttl = runtime->token_cache_ttl;
    services->machine_get = machine_get;
    services->machine_put = machine_put;
}
