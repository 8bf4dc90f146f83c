/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_FORM_FIELDS_H
#define TEXT_FORM_FIELDS_H

#include <apr_pools.h>
#include <apr_tables.h>

/*
 * The fields of a form as a browser has sent them: application/x-www-form-urlencoded (url.spec.whatwg.org) or
 * multipart/form-data (RFC 7578 and html.spec.whatwg.org). A body is taken only if a browser that gets the fields back
 * (form_inputs.h) is certain to send the same names and values again.
 */

typedef enum clerk_form_fields_verdict {
    CLERK_FORM_FIELDS_OK,
    CLERK_FORM_FIELDS_FILE,   /**< there is a file in it */
    CLERK_FORM_FIELDS_OTHER,  /**< another type of body */
    CLERK_FORM_FIELDS_INEXACT /**< malformed, or nothing that a browser sends again unchanged: a NUL, an empty name, a
                                 line end other than CRLF, a header in a part that a text field has not */
} clerk_form_fields_verdict;

typedef struct clerk_form_field {
    const char *name; /**< not empty; in a multipart body still escaped (`"` as `%22`), as a browser escapes it again */
    const char *value; /**< with CRLF as line ends */
    int is_file;       /**< a field for a file, with none chosen; the value is "" */
    int is_charset;    /**< `_charset_`, whose value a browser may replace by the name of the encoding */
} clerk_form_field;

typedef struct clerk_form_fields {
    apr_array_header_t *list; /**< of clerk_form_field, in the order of the body */
    int multipart;
    int utf8; /**< all names and values are UTF-8 */
} clerk_form_fields;

/**
 * Read the body of a form.
 * @param fields set if the result is CLERK_FORM_FIELDS_OK; all of it is from @a pool
 * @param content_type of the request, or NULL
 * @param body may contain any bytes
 */
clerk_form_fields_verdict clerk_form_fields_read(clerk_form_fields *fields, const char *content_type, const char *body,
                                                 apr_size_t len, apr_pool_t *pool);

#endif
