/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_INJECT_INJECT_TAG_H
#define HTTPD_INJECT_INJECT_TAG_H

#include <httpd.h>

/** The script element, without a nonce. */
typedef struct clerk_inject_tag {
    const char *attributes; /**< of the element, beginning with a space */
    char mark[16];          /**< for ETags: another one for another element */
} clerk_inject_tag;

/** The element for this request, from its pool. @return NULL: not without ClerkPages (logged) or a publishable key */
const clerk_inject_tag *clerk_inject_tag_of(request_rec *r);

/** The HTML text. @param nonce that the page's policy asks for, or NULL */
const char *clerk_inject_tag_text(request_rec *r, const clerk_inject_tag *tag, const char *nonce);

#endif
