/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_BASE64URL_H
#define JOSE_BASE64URL_H

#include "jose/jose.h"

/**
 * Decode canonical, unpadded base64url (RFC 7515, appendix C; RFC 4648, section 5): URL alphabet only, no
 * padding, no white space, unused bits zero. The empty text decodes to no bytes.
 * @param pdata the bytes, from @a pool, with a NUL after the last one that is not counted
 * @param plen number of bytes
 * @return JOSE_OK or JOSE_MALFORMED
 */
jose_status jose_base64url_decode(unsigned char **pdata, apr_size_t *plen, jose_slice text, apr_pool_t *pool);

/** Encode to unpadded base64url. The text is from @a pool and ends in a NUL. */
char *jose_base64url_encode(const void *data, apr_size_t len, apr_pool_t *pool);

#endif
