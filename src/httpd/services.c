/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/services.h"

#include "httpd/lifecycle.h"

static clerk_keys_status acquire_keys(void *baton, clerk_keys_pin *pin, clerk_keys_want want, apr_uint32_t seen,
                                      apr_pool_t *pool)
{
    const clerk_runtime *runtime = baton;

    if (runtime->static_keys) {
        pin->set = runtime->static_keys;
        pin->generation = 1;
        pin->entry = NULL;
        return want == CLERK_KEYS_CURRENT ? CLERK_KEYS_OK : CLERK_KEYS_UNCHANGED;
    }
    return clerk_keystore_acquire(pin, clerk_process_keystore(), (unsigned int)runtime->slot, want, seen, pool);
}

static void release_keys(void *baton, clerk_keys_pin *pin)
{
    const clerk_runtime *runtime = baton;

    if (!runtime->static_keys) {
        clerk_keystore_release(clerk_process_keystore(), pin);
    }
}

static void call_backend(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    clerk_runtime *runtime = baton;

    clerk_backend_api_call(&runtime->backend, reply, call, pool);
}

void clerk_httpd_services(clerk_services *services, clerk_runtime *runtime, apr_time_t now)
{
    services->baton = runtime;
    services->now = now;
    services->acquire_keys = acquire_keys;
    services->release_keys = release_keys;
    services->backend = runtime->instance->secret_key ? call_backend : NULL;
}
