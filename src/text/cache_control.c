/* SPDX-License-Identifier: Apache-2.0 */
#include "text/cache_control.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "text/text.h"

typedef struct directive {
    const char *text;
    apr_size_t len;      /* without white space around it */
    apr_size_t name_len; /* up to '=' */
} directive;

/* Read the next directive and move @a ptext behind it; empty ones are skipped. @return 0 at the end */
static int next(directive *found, const char **ptext)
{
    const char *p = *ptext + strspn(*ptext, ", \t");
    int quoted = 0;

    found->text = p;
    for (; *p && (quoted || *p != ','); p++) {
        if (quoted && *p == '\\' && p[1]) {
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        }
    }
    *ptext = p;
    found->len = (apr_size_t)(p - found->text);
    while (found->len > 0 && strchr(" \t", found->text[found->len - 1])) {
        found->len--;
    }
    p = memchr(found->text, '=', found->len);
    found->name_len = p ? (apr_size_t)(p - found->text) : found->len;
    return found->len > 0;
}

static int is_named(const directive *it, const char *name)
{
    return strlen(name) == it->name_len && !strncasecmp(it->text, name, it->name_len);
}

static int is_one_of(const directive *it, const char *const *names)
{
    while (*names && !is_named(it, *names)) {
        names++;
    }
    return *names != NULL;
}

/* What two values say together. */
typedef struct sum {
    int no_store, no_cache, is_private;
    const char *age; /* the smallest max-age, or NULL */
    apr_size_t age_len;
    apr_array_header_t *others; /* of directive */
} sum;

static apr_int64_t seconds_of(const char *digits, apr_size_t len)
{
    apr_int64_t seconds = 0;

    for (apr_size_t i = 0; i < len; i++) {
        if (!clerk_text_is_digit(digits[i])) {
            return 0;
        }
        seconds = seconds < 1000000000 ? seconds * 10 + (digits[i] - '0') : seconds;
    }
    return seconds;
}

static void add_age(sum *to, const directive *it)
{
    const apr_size_t skipped = it->name_len + (it->name_len < it->len);
    const char *age = it->text + skipped;
    const apr_size_t len = it->len - skipped;

    if (!to->age || seconds_of(age, len) < seconds_of(to->age, to->age_len)) {
        to->age = age;
        to->age_len = len;
    }
}

static void add_other(sum *to, const directive *it)
{
    for (int i = 0; i < to->others->nelts; i++) {
        const directive *other = &APR_ARRAY_IDX(to->others, i, directive);

        if (other->len == it->len && !strncasecmp(other->text, it->text, it->len)) {
            return;
        }
    }
    APR_ARRAY_PUSH(to->others, directive) = *it;
}

static void add(sum *to, const char *value)
{
    directive it;

    while (next(&it, &value)) {
        if (is_named(&it, "no-store")) {
            to->no_store = 1;
        } else if (is_named(&it, "no-cache") && it.name_len == it.len) {
            to->no_cache = 1;
        } else if (is_named(&it, "private") && it.name_len == it.len) {
            to->is_private = 1;
        } else if (is_named(&it, "max-age")) {
            add_age(to, &it);
        } else {
            add_other(to, &it);
        }
    }
}

static const char *text_of(const sum *all, apr_pool_t *pool)
{
    static const char *const shared[] = {"public", "private", "s-maxage", NULL};
    static const char *const freshness[]
        = {"no-cache", "s-maxage", "immutable", "stale-while-revalidate", "stale-if-error", NULL};
    const char *text = all->is_private ? ", private" : "";

    if (all->no_store) {
        return "no-store";
    }
    if (all->no_cache) {
        text = apr_pstrcat(pool, text, ", no-cache", NULL);
    } else if (all->age) {
        text = apr_pstrcat(pool, text, ", max-age=", apr_pstrmemdup(pool, all->age, all->age_len), NULL);
    }
    for (int i = 0; i < all->others->nelts; i++) {
        const directive *it = &APR_ARRAY_IDX(all->others, i, directive);

        if (!(all->is_private && is_one_of(it, shared)) && !(all->no_cache && is_one_of(it, freshness))) {
            text = apr_pstrcat(pool, text, ", ", apr_pstrmemdup(pool, it->text, it->len), NULL);
        }
    }
    return *text ? text + 2 : text;
}

const char *clerk_cache_control_strictest(const char *one, const char *other, apr_pool_t *pool)
{
    sum all = {0};

    if (!strcmp(one, other)) {
        return one;
    }
    all.others = apr_array_make(pool, 4, sizeof(directive));
    add(&all, one);
    add(&all, other);
    return text_of(&all, pool);
}

int clerk_cache_control_is_valid(const char *text)
{
    directive it;
    int some = 0;

    if (!clerk_text_is_clean(text)) {
        return 0;
    }
    for (; next(&it, &text); some = 1) {
        for (apr_size_t i = 0; i < it.name_len; i++) {
            if (!clerk_text_is_alnum(it.text[i]) && it.text[i] != '-') {
                return 0;
            }
        }
        if (it.name_len == 0 || it.name_len + 1 == it.len) {
            return 0;
        }
    }
    return some;
}
