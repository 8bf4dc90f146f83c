/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/request.h"

#include <string.h>
#include <strings.h>

#include "text/text.h"

static int is_text(const char *value, const char *wanted)
{
    return value && !strcmp(value, wanted);
}

/* What jQuery and htmx add to their requests. WebViews send X-Requested-With with every navigation: the name of the
 * application. */
static int is_from_script(const clerk_request *request)
{
    return request->hx_request
           || (request->x_requested_with && !strcasecmp(request->x_requested_with, "XMLHttpRequest"));
}

int clerk_request_is_navigation(const clerk_request *request)
{
    return !strcmp(request->method, "GET") && clerk_request_is_shown(request);
}

int clerk_request_is_shown(const clerk_request *request)
{
    if (request->sec_fetch_dest || request->sec_fetch_mode) {
        return is_text(request->sec_fetch_dest, "document") || is_text(request->sec_fetch_dest, "iframe")
               || is_text(request->sec_fetch_mode, "navigate");
    }
    return request->accept && clerk_text_begins_with(request->accept, "text/html") && !is_from_script(request);
}

int clerk_request_is_same_origin(const clerk_request *request)
{
    int says_so = is_text(request->sec_fetch_site, "same-origin");

    if (request->sec_fetch_site && !says_so) {
        return 0;
    }
    /* Where its page hides its address (Referrer-Policy), a browser sends "null"; that names no other site. */
    if (!request->origin || (says_so && !strcmp(request->origin, "null"))) {
        return says_so;
    }
    return !strcmp(request->origin, request->origin_url);
}
