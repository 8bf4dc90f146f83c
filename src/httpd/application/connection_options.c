/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/connection_options.h"

#include <apr_strings.h>

#define CONNECTION "Connection"

/* RFC 9110, 7.6.1, RFC 9110, 7.8 and RFC 9110, 10.1.4; HTTP2-Settings belongs to an upgrade to HTTP/2 (RFC 7540 3.2.1).
 */
static const char *const known_options[] = {"close", "keep-alive", "upgrade", "te", "http2-settings"};

#define KNOWN_OPTIONS (sizeof(known_options) / sizeof(known_options[0]))

/* apr_table_do() callback: note which of the known options a field names. @param pfound a bit each */
static int find_known(void *pfound, const char *name, const char *value)
{
    static const char separators[] = ", \t";
    unsigned int *found = pfound;

    (void)name;
    while (*(value += strspn(value, separators))) {
        apr_size_t len = strcspn(value, separators);

        for (unsigned int i = 0; i < KNOWN_OPTIONS; i++) {
            if (strlen(known_options[i]) == len && !strncasecmp(known_options[i], value, len)) {
                *found |= 1U << i;
            }
        }
        value += len;
    }
    return 1;
}

void clerk_connection_options_limit(request_rec *r)
{
    const char *options = apr_table_get(r->headers_in, CONNECTION);
    unsigned int found = 0;

    /* What nearly every request says: httpd has merged several fields into one. */
    if (!options || !strcasecmp(options, "keep-alive") || !strcasecmp(options, "close")) {
        return;
    }
    apr_table_do(find_known, &found, r->headers_in, CONNECTION, NULL);
    options = NULL;
    for (unsigned int i = 0; i < KNOWN_OPTIONS; i++) {
        if (found & (1U << i)) {
            options = options ? apr_pstrcat(r->pool, options, ", ", known_options[i], NULL) : known_options[i];
        }
    }
    if (options) {
        apr_table_setn(r->headers_in, CONNECTION, options);
    } else {
        apr_table_unset(r->headers_in, CONNECTION);
    }
}
