/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/party.h"

#include <string.h>

#include "text/text.h"

int clerk_party_is_pattern(const char *text)
{
    return strchr(text, '*') != NULL;
}

/* Whether a host, perhaps with a port, is below a domain that one owner can have: not `com`. */
static int is_own_domain(const char *host)
{
    apr_size_t len = strcspn(host, ":");

    return memchr(host, '.', len) || (len == strlen("localhost") && !strncmp(host, "localhost", len));
}

const char *clerk_party_pattern_problem(const char *pattern)
{
    const char *star = strchr(pattern, '*');

    if (!(clerk_text_begins_with(pattern, "https://*.") || clerk_text_begins_with(pattern, "http://*."))
        || strchr(star + 1, '*')) {
        return "is no pattern: the star stands for the first label of the host, as in https://*.example.com";
    }
    return is_own_domain(star + 2) ? NULL : "is a pattern for a whole top-level domain";
}

/* The length of a label of a host as browsers write it. */
static apr_size_t label_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_");
}

static int matches(const char *pattern, const char *origin)
{
    const char *star = strchr(pattern, '*');
    apr_size_t before = (apr_size_t)(star - pattern), label;

    if (strncmp(pattern, origin, before)) {
        return 0;
    }
    label = label_length(origin + before);
    return label && !strcmp(origin + before + label, star + 1);
}

int clerk_party_is_listed(const apr_array_header_t *parties, const char *origin, const clerk_party_site *site)
{
    const char *here;

    for (int i = 0; i < parties->nelts; i++) {
        const char *party = APR_ARRAY_IDX(parties, i, const char *);

        if (!strcmp(party, origin) && !clerk_party_is_pattern(party) && strcmp(party, CLERK_PARTY_OWN)) {
            return 1;
        }
    }
    for (int i = 0; i < parties->nelts; i++) {
        const char *party = APR_ARRAY_IDX(parties, i, const char *);

        if (clerk_party_is_pattern(party) && matches(party, origin)) {
            return 1;
        }
        if (!strcmp(party, CLERK_PARTY_OWN) && site && site->own_origin) {
            here = site->own_origin(site->baton);
            if (here && !strcmp(here, origin)) {
                return 1;
            }
        }
    }
    return 0;
}
