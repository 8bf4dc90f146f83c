/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/request.h"

#include <string.h>

int clerk_request_is_navigation(const clerk_request *request)
{
    if (strcmp(request->method, "GET")) {
        return 0;
    }
    if (request->sec_fetch_dest) {
        return !strcmp(request->sec_fetch_dest, "document") || !strcmp(request->sec_fetch_dest, "iframe");
    }
    return request->accept && strstr(request->accept, "text/html");
}
