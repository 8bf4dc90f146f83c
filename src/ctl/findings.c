/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/findings.h"

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

void clerk_findings_add(clerk_findings *doctor, clerk_findings_level level, const char *check, const char *cure,
                        const char *format, ...)
{
    const json_t *known;
    va_list arguments;
    json_t *finding;
    char *text;
    size_t i;

    va_start(arguments, format);
    text = apr_pvsprintf(doctor->setup->pool, format, arguments);
    va_end(arguments);
    json_array_foreach(doctor->findings, i, known)
    {
        if (!strcmp(clerk_findings_text(known, "text"), text)) {
            return;
        }
    }
    finding = json_pack("{s:s, s:s, s:s, s:s?}", "check", check, "level",
                        level == CLERK_FINDINGS_ERROR ? "error" : "warning", "text", text, "cure", cure);
    (void)json_array_append_new(doctor->findings, finding ? finding : json_pack("{s:s}", "check", check));
}

void clerk_findings_looked_at(clerk_findings *doctor, const char *check)
{
    const json_t *known;
    size_t i;

    json_array_foreach(doctor->checks, i, known)
    {
        if (!strcmp(json_string_value(known), check)) {
            return;
        }
    }
    (void)json_array_append_new(doctor->checks, json_string(check));
}

const char *clerk_findings_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}
