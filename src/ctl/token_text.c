/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/token_text.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "clerk/machine/machine_form.h"
#include "jose/jws.h"

static const char *kind_of(clerk_token_type type)
{
    static const char *const kinds[] = {[CLERK_TOKEN_SESSION] = "session token",
                                        [CLERK_TOKEN_API_KEY] = "API key",
                                        [CLERK_TOKEN_M2M] = "M2M token",
                                        [CLERK_TOKEN_OAUTH] = "OAuth token"};

    return kinds[type];
}

json_t *clerk_token_text_of(const char *token, clerk_output *out)
{
    jose_slice text = {token, token ? strlen(token) : 0};
    json_t *object;
    clerk_machine_form form;
    jose_jws *jws = NULL;
    jose_status status;

    if (!token || !*token) {
        return json_null();
    }
    clerk_output_token(out, token);
    form = clerk_machine_form_of(text, out->pool);
    status = jose_jws_decode(&jws, text, out->pool);
    object = json_pack("{s:s, s:i}", "looks_like", kind_of(form.type), "length", (int)text.len);
    if (status == JOSE_OK) {
        (void)json_object_set_new(object, "header", json_deep_copy(jws->header));
        (void)json_object_set_new(object, "claims", json_deep_copy(jws->payload));
    } else if (form.type == CLERK_TOKEN_SESSION) {
        (void)json_object_set_new(object, "problem",
                                  json_string(status == JOSE_TOO_LARGE
                                                  ? "it is too large"
                                                  : "it is no JWT: three parts of base64url between dots, and JSON in "
                                                    "the first two"));
    } else {
        (void)json_object_set_new(object, "problem",
                                  json_string("it is opaque: only Clerk's Backend API knows what it stands for"));
    }
    return object;
}

/* " (2026-11-28 14:30:00 UTC, 12 s ago)", or "" if the claim is no time. */
static const char *time_note(const char *name, const json_t *value, apr_time_t now, apr_pool_t *pool)
{
    static const char *const names[] = {"exp", "nbf", "iat"};
    double seconds = json_number_value(value);
    apr_time_exp_t date;
    apr_int64_t age;

    for (apr_size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(name, names[i]) && json_is_number(value) && seconds > 0 && seconds < 253402300800.0
            && apr_time_exp_gmt(&date, apr_time_from_sec((apr_int64_t)seconds)) == APR_SUCCESS) {
            age = apr_time_sec(now) - (apr_int64_t)seconds;
            return apr_psprintf(pool, "  (%d-%02d-%02d %02d:%02d:%02d UTC, %" APR_INT64_T_FMT " s %s)",
                                date.tm_year + 1900, date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min,
                                date.tm_sec, age < 0 ? -age : age, age < 0 ? "from now" : "ago");
        }
    }
    return "";
}

static void print_members(clerk_output *out, const char *title, const json_t *object, apr_time_t now)
{
    const char *name;
    json_t *value;

    clerk_output_print(out, "  %s\n", title);
    json_object_foreach((json_t *)object, name, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

        clerk_output_print(out, "    %-12s %s%s\n", clerk_output_word(out, name), text ? text : "?",
                           time_note(name, value, now, out->pool));
        free(text);
    }
}

void clerk_token_text_print(clerk_output *out, const json_t *token, apr_time_t now)
{
    const json_t *header = json_object_get(token, "header"), *problem = json_object_get(token, "problem");

    if (!json_is_object(token)) {
        return;
    }
    clerk_output_print(out, "\nThe token, as it is written; it looks like a%s %s of %d bytes:\n",
                       json_string_value(json_object_get(token, "looks_like"))[0] == 'A'
                               || json_string_value(json_object_get(token, "looks_like"))[0] == 'O'
                           ? "n"
                           : "",
                       json_string_value(json_object_get(token, "looks_like")),
                       (int)json_integer_value(json_object_get(token, "length")));
    if (problem) {
        clerk_output_print(out, "  %s\n", json_string_value(problem));
    }
    if (header) {
        print_members(out, "header", header, now);
        print_members(out, "claims", json_object_get(token, "claims"), now);
    }
}
