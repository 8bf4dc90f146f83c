/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_CONNECTION_OPTIONS_H
#define HTTPD_APPLICATION_CONNECTION_OPTIONS_H

#include <httpd.h>

/**
 * Leave in the request's Connection field only the options that concern the connection itself (RFC 9110 7.6.1). A proxy
 * removes the fields that all others name before it passes the request on, and with them what was set for the
 * application: X-Clerk-* fields, fields of mod_headers that hold the user, and the credentials that were verified here.
 */
void clerk_connection_options_limit(request_rec *r);

#endif
