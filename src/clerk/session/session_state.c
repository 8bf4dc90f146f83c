/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/session_state.h"

#include <string.h>

#include <apr_strings.h>

#include "jose/json.h"
#include "text/text.h"

#define HTTP_OK_STATUS 200
#define HTTP_NOT_FOUND_STATUS 404
#define NOT_FOUND "resource_not_found"

const char *clerk_session_state_path(const char *session_id, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "/v1/sessions/", session_id, NULL);
}

static int is_text(const json_t *object, const char *name, const char *wanted)
{
    const char *text = jose_json_string(object, name);

    return text && !strcmp(text, wanted);
}

/* An error of Clerk's says in a code of its own what is wrong. */
static int is_not_found(const json_t *body)
{
    const json_t *error;
    size_t i;

    json_array_foreach(json_object_get(body, "errors"), i, error)
    {
        if (is_text(error, "code", NOT_FOUND)) {
            return 1;
        }
    }
    return 0;
}

clerk_session_state clerk_session_state_read(const char **pstatus, const clerk_backend_reply *reply,
                                             const char *session_id, const char *user_id, apr_pool_t *pool)
{
    const char *status;
    json_t *body;

    *pstatus = NULL;
    if ((reply->status != HTTP_OK_STATUS && reply->status != HTTP_NOT_FOUND_STATUS)
        || jose_json_parse_object(&body, reply->body, reply->body_len, JOSE_JSON_MAX_DEPTH, pool) != JOSE_OK) {
        return CLERK_SESSION_UNKNOWN;
    }
    if (reply->status == HTTP_NOT_FOUND_STATUS) {
        *pstatus = is_not_found(body) ? NOT_FOUND : NULL;
        return *pstatus ? CLERK_SESSION_IS_NONE : CLERK_SESSION_UNKNOWN;
    }
    status = jose_json_string(body, "status");
    if (!is_text(body, "object", "session") || !is_text(body, "id", session_id) || !is_text(body, "user_id", user_id)
        || !status || !clerk_text_is_id(status)) {
        return CLERK_SESSION_UNKNOWN;
    }
    *pstatus = status;
    /* One that this module does not know is not good either: the visitor gets a new token, if Clerk gives one. */
    return !strcmp(status, "active") || !strcmp(status, "pending") ? CLERK_SESSION_GOES_ON : CLERK_SESSION_IS_OVER;
}
