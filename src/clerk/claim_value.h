/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_CLAIM_VALUE_H
#define CLERK_CLAIM_VALUE_H

#include <apr.h>
#include <jansson.h>

/** The largest time in a token, in seconds on either side of 1970: the range of an ECMAScript date. It fits 64 bits in
 *  microseconds too. */
#define CLERK_CLAIM_SECONDS_MAX APR_INT64_C(8640000000000)

/**
 * A time claim (`exp`, `nbf`, `iat`): a JSON number, integer or real, cut off towards zero (clerk-protocol 4.3).
 * @param pseconds 0 on failure
 * @return 1, or 0 where @a value is NULL, no number, or beyond CLERK_CLAIM_SECONDS_MAX
 */
int clerk_claim_seconds(apr_int64_t *pseconds, const json_t *value);

/** Whether a text has no control character (C0 and DEL), so that it may go into a header, a variable or a log line. */
int clerk_text_is_clean(const char *text);

/** A string member without control characters, as it stands in @a object; NULL where there is none such. */
const char *clerk_claim_text(const json_t *object, const char *name);

#endif
