/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/instance_services.h"

#include <apr_strings.h>

#include "clerk/session/token_record.h"
#include "httpd/process/process.h"
#include "httpd/request/request_state.h"

#define STATIC_GENERATION 1

/** What the services are bound to. */
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
        clerk_verdicts_tick(&runtime->verdicts->unknown);
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

/** The generation of the keys in force. A PEM key has one for ever. */
static apr_uint32_t generation(const clerk_runtime *runtime, apr_time_t now)
{
    return runtime->static_keys ? STATIC_GENERATION
                                : clerk_keystore_generation(clerk_process_keystore(), (unsigned int)runtime->slot, now);
}

static clerk_token_record *recall(void *baton, jose_slice token, apr_pool_t *pool)
{
    const binding *bound = baton;
    const clerk_runtime *runtime = bound->runtime;
    apr_size_t size;
    void *block = clerk_token_cache_get(&size, clerk_process_tokens(), token, runtime->number,
                                        generation(runtime, bound->now), pool);
    clerk_token_record *verified = block ? clerk_token_record_unpack(block, size, token, pool) : NULL;

    if (verified) {
        clerk_verdicts_tick(&runtime->verdicts->recalled);
    }
    return verified;
}

static void remember(void *baton, jose_slice token, apr_uint32_t verified_by, apr_int64_t lapses,
                     const clerk_token_record *verified, apr_pool_t *pool)
{
    const binding *bound = baton;
    apr_size_t size;
    const void *block = clerk_token_record_pack(&size, verified, pool);

    (void)clerk_token_cache_put(clerk_process_tokens(), token, bound->runtime->number, verified_by, lapses,
                                apr_time_sec(bound->now), block, size);
}

/** An answer of the Backend API, for as long as the request that the client made lives. */
typedef struct kept_reply {
    const clerk_runtime *runtime;
    const clerk_backend_call *call;
    clerk_backend_reply reply;
} kept_reply;

static int is_same_call(const clerk_backend_call *one, const clerk_backend_call *other)
{
    return !strcmp(one->path, other->path) && !strcmp(one->json ? one->json : "", other->json ? other->json : "");
}

/**
 * Make a call once for each request of a client: a nonce is good only once, and neither the parts of a page nor a
 * second judgement under other rules (a front controller's, those inside an <If>) should cost another one.
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
    clerk_backend_api_call(&runtime->backend, reply, call, top->pool);
    copy = apr_pmemdup(top->pool, call, sizeof(*call));
    copy->path = apr_pstrdup(top->pool, call->path);
    copy->json = call->json ? apr_pstrdup(top->pool, call->json) : NULL;
    kept = apr_array_push(state->replies);
    kept->runtime = runtime;
    kept->call = copy;
    kept->reply = *reply;
}

void clerk_instance_services_bind(clerk_services *services, clerk_runtime *runtime, request_rec *r, apr_time_t now)
{
    binding *bound = apr_palloc(r->pool, sizeof(*bound));

    bound->runtime = runtime;
    bound->r = r;
    bound->now = now;
    services->baton = bound;
    services->now = now;
    services->recall = recall;
    services->remember = remember;
    services->acquire_keys = acquire_keys;
    services->release_keys = release_keys;
    services->backend = runtime->instance->secret_key ? call_backend : NULL;
}
