/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_REFERRER_H
#define CLERK_BROWSER_REFERRER_H

#include "clerk/browser/context.h"

/** Whether the Referer is of another origin, and not of Clerk's own pages (protocol.md 9.4). */
int clerk_referrer_is_foreign(clerk_context *context);

#endif
