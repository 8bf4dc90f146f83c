/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/fleet_values.h"

#include <apr_strings.h>

/* A lane: its server, the range of its list, and then revocations. */
#define HEAD 32
#define ENTRY 17
#define NUMBER ((apr_size_t)8)

_Static_assert(HEAD + CLERK_REVOCATION_LOG_ENTRIES * ENTRY <= CLERK_SOCACHE_VALUE_MAX, "a lane fits into a value");

static void put(unsigned char *to, apr_uint64_t value)
{
    for (apr_size_t i = NUMBER; i-- > 0;) {
        to[i] = (unsigned char)value;
        value >>= 8;
    }
}

static apr_uint64_t get(const unsigned char *from)
{
    apr_uint64_t value = 0;

    for (apr_size_t i = 0; i < NUMBER; i++) {
        value = value << 8 | from[i];
    }
    return value;
}

static int make_name(clerk_socache_name *name, clerk_socache *cache, const char *text)
{
    static const unsigned char all_instances[CLERK_SOCACHE_DIGEST];

    return clerk_socache_make_name(name, cache, CLERK_SOCACHE_REVOCATIONS, all_instances, text);
}

static int name_lane(clerk_socache_name *name, clerk_socache *cache, apr_uint64_t number)
{
    char text[24];

    apr_snprintf(text, sizeof(text), "%" APR_UINT64_T_FMT, number);
    return make_name(name, cache, text);
}

int clerk_fleet_values_read_lane(clerk_fleet_lane *lane, clerk_socache *cache, apr_uint64_t number, apr_pool_t *pool)
{
    clerk_socache_name name;
    apr_size_t size = 0;
    const unsigned char *bytes = name_lane(&name, cache, number) ? clerk_socache_load(&size, cache, &name, pool) : NULL;

    if (!bytes || size < HEAD || (size - HEAD) % ENTRY != 0) {
        return 0;
    }
    lane->id = get(bytes);
    lane->range.first = get(bytes + NUMBER);
    lane->range.appended = get(bytes + 2 * NUMBER);
    lane->range.floor = (apr_int64_t)get(bytes + 3 * NUMBER);
    lane->entries = bytes + HEAD;
    lane->count = (size - HEAD) / ENTRY;
    return lane->id != 0;
}

clerk_revocation clerk_fleet_values_get(const clerk_fleet_lane *lane, apr_size_t i)
{
    const unsigned char *at = lane->entries + i * ENTRY;
    apr_uint64_t name = get(at + NUMBER);

    return (clerk_revocation){at[2 * NUMBER] ? CLERK_REVOCATIONS_OF_ORGANIZATIONS : CLERK_REVOCATIONS_OF_USERS, get(at),
                              (apr_uint32_t)name, (apr_uint32_t)(name >> 32)};
}

apr_status_t clerk_fleet_values_write_lane(apr_uint64_t *pappended, clerk_socache *cache, apr_uint64_t number,
                                           apr_uint64_t id, const clerk_revocation_log *log, apr_int64_t since,
                                           apr_pool_t *pool)
{
    clerk_revocation *list = apr_palloc(pool, CLERK_REVOCATION_LOG_ENTRIES * sizeof(*list));
    unsigned char *bytes = apr_palloc(pool, HEAD + CLERK_REVOCATION_LOG_ENTRIES * ENTRY), *at = bytes + HEAD;
    clerk_revocation_log_range range;
    clerk_socache_name name;
    int count = clerk_revocation_log_list(log, list, since, &range);

    put(bytes, id);
    put(bytes + NUMBER, range.first);
    put(bytes + 2 * NUMBER, range.appended);
    put(bytes + 3 * NUMBER, (apr_uint64_t)range.floor);
    for (int i = 0; i < count; i++, at += ENTRY) {
        put(at, list[i].place);
        put(at + NUMBER, (apr_uint64_t)list[i].at << 32 | list[i].tag);
        at[2 * NUMBER] = (unsigned char)list[i].family;
    }
    *pappended = range.appended;
    return name_lane(&name, cache, number) ? clerk_socache_save(cache, &name, bytes, (apr_size_t)(at - bytes),
                                                                apr_time_now() + CLERK_FLEET_VALUES_STORED, pool)
                                           : APR_EGENERAL;
}

void clerk_fleet_values_read_directory(clerk_fleet_directory *directory, clerk_socache *cache, apr_pool_t *pool)
{
    clerk_socache_name name;
    apr_size_t size = 0;
    const unsigned char *bytes
        = make_name(&name, cache, "directory") ? clerk_socache_load(&size, cache, &name, pool) : NULL;

    *directory = (clerk_fleet_directory){{0}};
    for (int i = 0; bytes && size == (apr_size_t)CLERK_FLEET_LANES * NUMBER && i < CLERK_FLEET_LANES; i++) {
        directory->until[i] = (apr_time_t)get(bytes + (apr_size_t)i * NUMBER);
    }
}

apr_status_t clerk_fleet_values_write_directory(clerk_socache *cache, const clerk_fleet_directory *directory,
                                                apr_pool_t *pool)
{
    unsigned char bytes[CLERK_FLEET_LANES * NUMBER] = {0};
    clerk_socache_name name;

    for (int i = 0; i < CLERK_FLEET_LANES; i++) {
        put(bytes + (apr_size_t)i * NUMBER, (apr_uint64_t)directory->until[i]);
    }
    return make_name(&name, cache, "directory") ? clerk_socache_save(cache, &name, bytes, sizeof(bytes),
                                                                     apr_time_now() + CLERK_FLEET_VALUES_STORED, pool)
                                                : APR_EGENERAL;
}
