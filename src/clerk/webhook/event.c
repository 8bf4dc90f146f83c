/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/webhook/event.h"

#include <string.h>

#include "jose/json.h"

static const char *const type_texts[CLERK_EVENT_TYPES] = {
    [CLERK_EVENT_OTHER] = "other",
    [CLERK_EVENT_SESSION_ENDED] = "session.ended",
    [CLERK_EVENT_SESSION_REMOVED] = "session.removed",
    [CLERK_EVENT_SESSION_REVOKED] = "session.revoked",
    [CLERK_EVENT_USER_UPDATED] = "user.updated",
    [CLERK_EVENT_USER_DELETED] = "user.deleted",
    [CLERK_EVENT_MEMBERSHIP_UPDATED] = "organizationMembership.updated",
    [CLERK_EVENT_MEMBERSHIP_DELETED] = "organizationMembership.deleted",
    [CLERK_EVENT_ORGANIZATION_DELETED] = "organization.deleted",
};

const char *clerk_event_type_text(clerk_event_type type)
{
    return (unsigned int)type < CLERK_EVENT_TYPES ? type_texts[type] : type_texts[CLERK_EVENT_OTHER];
}

static clerk_event_type type_of(const char *text)
{
    for (int type = CLERK_EVENT_OTHER + 1; type < CLERK_EVENT_TYPES; type++) {
        if (!strcmp(text, type_texts[type])) {
            return (clerk_event_type)type;
        }
    }
    return CLERK_EVENT_OTHER;
}

/* `timestamp`, in milliseconds since 1970. */
static apr_time_t time_of(const json_t *event, apr_time_t sent)
{
    const json_t *value = json_object_get(event, "timestamp");
    double milliseconds = json_number_value(value);
    apr_time_t latest = apr_time_as_msec(sent) + 999; /* the header has whole seconds */

    return json_is_number(value) && milliseconds >= 1000 && milliseconds <= (double)latest
               ? (apr_time_t)milliseconds * 1000
               : sent;
}

static const char *id_in(const json_t *object, const char *name)
{
    const char *id = jose_json_string(object, name);

    return id && *id && strlen(id) <= CLERK_REVOKED_ID_MAX ? id : NULL;
}

static const char *read_session(clerk_event *event, const json_t *data)
{
    event->revokes = 1;
    event->who.kind = CLERK_REVOKED_SESSION;
    event->who.session_id = id_in(data, "id");
    event->who.user_id = id_in(data, "user_id");
    return event->who.session_id && event->who.user_id ? NULL : "it names no session and user";
}

/* A user who is banned or locked is so in each event until that ends. Events after that revoke nothing. */
static const char *read_user(clerk_event *event, const json_t *data)
{
    event->who.kind = CLERK_REVOKED_USER;
    event->who.user_id = event->changed_user = id_in(data, "id");
    event->revokes = event->type == CLERK_EVENT_USER_DELETED || json_is_true(json_object_get(data, "banned"))
                     || json_is_true(json_object_get(data, "locked"));
    return event->who.user_id ? NULL : "it names no user";
}

static const char *read_membership(clerk_event *event, const json_t *data)
{
    event->revokes = 1;
    event->who.kind = CLERK_REVOKED_MEMBERSHIP;
    event->who.user_id = id_in(json_object_get(data, "public_user_data"), "user_id");
    event->who.org_id = id_in(json_object_get(data, "organization"), "id");
    return event->who.user_id && event->who.org_id ? NULL : "it names no user and organization";
}

static const char *read_organization(clerk_event *event, const json_t *data)
{
    event->revokes = 1;
    event->who.kind = CLERK_REVOKED_ORGANIZATION;
    event->who.org_id = id_in(data, "id");
    return event->who.org_id ? NULL : "it names no organization";
}

const char *clerk_event_read(clerk_event *event, jose_slice body, apr_time_t sent, apr_pool_t *pool)
{
    json_t *json;
    const json_t *data;
    const char *type;

    memset(event, 0, sizeof(*event));
    if (jose_json_parse_object(&json, body.data, body.len, JOSE_JSON_MAX_DEPTH, pool) != JOSE_OK) {
        return "its body is no JSON object";
    }
    type = jose_json_string(json, "type");
    if (!type) {
        return "it has no type";
    }
    event->type = type_of(type);
    event->at = time_of(json, sent);
    data = json_object_get(json, "data");
    switch (event->type) {
    case CLERK_EVENT_SESSION_ENDED:
    case CLERK_EVENT_SESSION_REMOVED:
    case CLERK_EVENT_SESSION_REVOKED:
        return read_session(event, data);
    case CLERK_EVENT_USER_UPDATED:
    case CLERK_EVENT_USER_DELETED:
        return read_user(event, data);
    case CLERK_EVENT_MEMBERSHIP_UPDATED:
    case CLERK_EVENT_MEMBERSHIP_DELETED:
        return read_membership(event, data);
    case CLERK_EVENT_ORGANIZATION_DELETED:
        return read_organization(event, data);
    default:
        return NULL;
    }
}
