/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jose.h"

const char *jose_status_text(jose_status status)
{
    switch (status) {
    case JOSE_OK:
        return "ok";
    case JOSE_MALFORMED:
        return "malformed";
    case JOSE_TOO_LARGE:
        return "too large or nested too deep";
    case JOSE_BAD_TYPE:
        return "wrong token type";
    case JOSE_BAD_ALGORITHM:
        return "algorithm missing, not supported or not fit for the key";
    case JOSE_CRITICAL:
        return "critical header extensions are not supported";
    case JOSE_NO_KEY:
        return "no key with this key id";
    case JOSE_KEY_UNUSABLE:
        return "key cannot be used for this";
    case JOSE_BAD_SIGNATURE:
        return "signature does not match";
    case JOSE_INTERNAL:
        return "out of memory or cryptographic library failure";
    }
    return "unknown status";
}
