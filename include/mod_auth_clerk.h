/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_AUTH_CLERK_H
#define MOD_AUTH_CLERK_H

/* The interface for other modules. Look the function up with APR_RETRIEVE_OPTIONAL_FN(clerk_user_id). */

#include <httpd.h>
#include <apr_optional.h>

/**
 * The Clerk user id that this module has verified for the request, its parent request, or the request it was internally
 * redirected from; NULL if there is none, as with the token of a machine that acts for no user. The text lives as long
 * as the request.
 */
APR_DECLARE_OPTIONAL_FN(const char *, clerk_user_id, (request_rec * r));

#endif
