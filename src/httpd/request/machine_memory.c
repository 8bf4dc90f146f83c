/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/machine_memory.h"

#include <apr_strings.h>

#include "httpd/process/process.h"

/* Clocks of the servers of a fleet may differ by so much. */
#define SKEW apr_time_from_sec(60)

typedef struct binding {
    const clerk_runtime *runtime;
    request_rec *r;
} binding;

/* What is stored; the body of the reply follows. */
typedef struct stored_head {
    apr_time_t asked_at;
    int status;
} stored_head;

/*
 * The key of ours is part of the name: what Clerk tells one machine about a token it may not tell another. None of the
 * three parts has a line break.
 */
static int make_name(clerk_socache_name *name, const clerk_runtime *runtime, const clerk_backend_call *call,
                     apr_pool_t *pool)
{
    const clerk_instance *instance = runtime->instance;
    const char *key = call->by_machine_key ? instance->machine_secret_key : instance->secret_key;

    return clerk_socache_make_name(name, clerk_process_socache(), CLERK_SOCACHE_MACHINE, runtime->scope,
                                   apr_pstrcat(pool, call->path, "\n", key, "\n", call->machine_token, NULL));
}

static int recall(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    const binding *bound = baton;
    apr_time_t now = apr_time_now();
    clerk_socache_name name;
    const char *stored;
    apr_size_t size = 0;
    stored_head head;

    stored = make_name(&name, bound->runtime, call, pool)
                 ? clerk_socache_get(&size, clerk_process_socache(), &name, bound->r->pool)
                 : NULL;
    if (!stored || size < sizeof(head)) {
        return 0;
    }
    memcpy(&head, stored, sizeof(head));
    /* A clock that was wrong then must not make it last. */
    if (head.asked_at > now + SKEW || head.asked_at < now - call->trusted_for) {
        return 0;
    }
    reply->status = head.status;
    reply->asked_at = head.asked_at < now ? head.asked_at : now;
    reply->is_json = 1;
    reply->shared = 1;
    reply->body_len = size - sizeof(head);
    reply->body = apr_pstrmemdup(pool, stored + sizeof(head), reply->body_len);
    return 1;
}

static void keep(void *baton, const clerk_backend_reply *reply, const clerk_backend_call *call, apr_time_t until,
                 apr_pool_t *pool)
{
    const binding *bound = baton;
    stored_head head = {0};
    clerk_socache_name name;
    char *value;

    if (!make_name(&name, bound->runtime, call, pool)) {
        return;
    }
    head.asked_at = reply->asked_at;
    head.status = reply->status;
    value = apr_palloc(pool, sizeof(head) + reply->body_len);
    memcpy(value, &head, sizeof(head));
    memcpy(value + sizeof(head), reply->body, reply->body_len);
    clerk_socache_put(clerk_process_socache(), &name, value, sizeof(head) + reply->body_len, until, bound->r->pool);
}

const clerk_backend_memory *clerk_machine_memory(const clerk_runtime *runtime, request_rec *r)
{
    clerk_backend_memory *memory;
    binding *bound;

    if (!clerk_process_socache()) {
        return NULL;
    }
    bound = apr_palloc(r->pool, sizeof(*bound));
    bound->runtime = runtime;
    bound->r = r;
    memory = apr_palloc(r->pool, sizeof(*memory));
    memory->baton = bound;
    memory->recall = recall;
    memory->keep = keep;
    return memory;
}
