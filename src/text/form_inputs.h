/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_FORM_INPUTS_H
#define TEXT_FORM_INPUTS_H

#include "text/form_fields.h"

/* The fields of a form as inputs of a page, from which a browser sends the same names and values again. */

/** HTML: the attributes of the form element that make a browser encode the fields as they were encoded. */
const char *clerk_form_inputs_attributes(const clerk_form_fields *fields);

/** HTML in UTF-8: an input that is not shown, for each field. Nothing in a name or value is markup. From @a pool. */
const char *clerk_form_inputs_html(const clerk_form_fields *fields, apr_pool_t *pool);

#endif
