/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_EXPRESSIONS_H
#define HTTPD_APPLICATION_EXPRESSIONS_H

#include <ap_expr.h>

/** insert_filter hook: the handler runs next. From now on, expressions (in response headers) must not authenticate. */
void clerk_expressions_settle(request_rec *r);

/**
 * expr_lookup hook: `clerk('path')` and `%{clerk:path}`, any claim as text; `'value' in clerk('path')`, the elements
 * of an array claim; `%{CLERK_USER_ID}` and the other variables of directives.md "Variables". Empty if AuthType Clerk
 * does not apply, if the visitor is not signed in, or if there is no such claim or it has control characters or more
 * than CLERK_CLAIM_TEXT_MAX bytes.
 *
 * An expression that is evaluated before authentication (`<If>`, `Require expr`) authenticates the request then; the
 * outcome is kept.
 */
int clerk_expressions_lookup(ap_expr_lookup_parms *parms);

#endif
