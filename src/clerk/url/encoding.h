/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_ENCODING_H
#define CLERK_URL_ENCODING_H

#include <apr_pools.h>

/* Percent-encoding, forms (`application/x-www-form-urlencoded`) and UTF-8, as browsers read and write them. */

/** Write `%XX` at @a out. @return the position after it */
char *clerk_encoding_percent_encode(char *out, unsigned char byte);

/** The byte of a `%XX` at @a text; -1 if there is none. */
int clerk_encoding_percent_decode(const char *text, apr_size_t len);

/** The length of the UTF-8 sequence at @a text, or 0 if it is not valid. @param len at least 1 */
apr_size_t clerk_encoding_utf8_sequence(const unsigned char *text, apr_size_t len);

/** Decode a name or value of a form. Invalid UTF-8 becomes U+FFFD. @return @a plen bytes and a NUL, from @a pool */
const char *clerk_encoding_form_read(const char *text, apr_size_t len, apr_size_t *plen, apr_pool_t *pool);

/** Encode a name or value of a form. @param out room for three times @a len @return the position after the last byte */
char *clerk_encoding_form_write(char *out, const char *text, apr_size_t len);

/** Encode a name or value of a form, which is then safe in a query. @return from @a pool */
const char *clerk_encoding_form(const char *value, apr_pool_t *pool);

#endif
