/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_CLAIM_VALUE_H
#define CLERK_SESSION_CLAIM_VALUE_H

#include <jansson.h>

/** Whether a text has no control character (C0 and DEL), so that it may go into a header, a variable or a log line. */
int clerk_text_is_clean(const char *text);

/** A string member without control characters, as it stands in @a object; NULL where there is none such. */
const char *clerk_claim_text(const json_t *object, const char *name);

#endif
