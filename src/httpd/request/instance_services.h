/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_INSTANCE_SERVICES_H
#define HTTPD_REQUEST_INSTANCE_SERVICES_H

#include <httpd.h>

#include "clerk/services.h"
#include "httpd/process/runtime.h"

/** Fill in the services that clerk_authenticate() needs, for one instance and one request. */
void clerk_instance_services_bind(clerk_services *services, clerk_runtime *runtime, request_rec *r, apr_time_t now);

#endif
