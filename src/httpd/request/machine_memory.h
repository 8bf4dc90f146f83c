/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_MACHINE_MEMORY_H
#define HTTPD_REQUEST_MACHINE_MEMORY_H

#include <httpd.h>

#include "httpd/process/runtime.h"

/**
 * What Clerk has said about machine tokens, good or bad, in the cache of ClerkSOCache: for the time when this server's
 * token cache has lost it, and for the other servers of a fleet.
 * @param r whose pool it is from, and for the log
 * @return NULL if there is no such cache
 */
const clerk_backend_memory *clerk_machine_memory(const clerk_runtime *runtime, request_rec *r);

#endif
