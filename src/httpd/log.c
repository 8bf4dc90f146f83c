/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/log.h"

#include "shared/log.h"

static const int ap_levels[] = {APLOG_ERR, APLOG_WARNING, APLOG_NOTICE, APLOG_INFO, APLOG_DEBUG};

static void sink(void *baton, clerk_log_level level, int number, const char *text)
{
    const server_rec *server = baton;

    ap_log_error(APLOG_MARK, ap_levels[level], 0, server, "AC%04d: %s", number, text);
}

void clerk_httpd_log_attach(server_rec *server)
{
    clerk_log_set_sink(server ? sink : NULL, server);
}
