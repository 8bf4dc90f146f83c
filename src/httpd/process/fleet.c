/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/fleet.h"

#include <apr_general.h>
#include <apr_strings.h>

#include "httpd/process/background.h"
#include "httpd/process/log.h"

/* A lane: its server, how many revocations it is complete for, its floor, and then revocations. */
#define HEAD 24
#define ENTRY 17
/* Between two looks whether something was revoked here. */
#define STEP apr_time_from_msec(100)
/* A lane is written again after so long, as it ends after CLERK_FLEET_KEPT. */
#define RENEWED (CLERK_FLEET_KEPT / 4)
/* A revocation that could not be read, as another process was just writing it, is tried again after so long. If that
 * process was killed meanwhile, the revocation never becomes readable: Clerk, which got no answer, sends it again. */
#define RETRIED apr_time_from_sec(1)
/* Clocks of machines differ by less. */
#define SKEW apr_time_from_sec(60)

_Static_assert(HEAD + CLERK_REVOCATION_LOG_ENTRIES * ENTRY <= CLERK_SOCACHE_VALUE_MAX, "a lane fits into a value");

/* A lane as it was read. */
typedef struct lane {
    apr_uint64_t id; /* 0: there is none */
    apr_uint64_t appended;
    apr_int64_t floor;
    const unsigned char *entries;
    apr_size_t count;
} lane;

static void put(unsigned char *to, apr_uint64_t value)
{
    for (int i = 7; i >= 0; i--) {
        to[i] = (unsigned char)value;
        value >>= 8;
    }
}

static apr_uint64_t get(const unsigned char *from)
{
    apr_uint64_t value = 0;

    for (int i = 0; i < 8; i++) {
        value = value << 8 | from[i];
    }
    return value;
}

apr_status_t clerk_fleet_open(clerk_fleet *fleet)
{
    apr_uint64_t id = atomic_load(&fleet->memory->id);
    apr_status_t rv = APR_SUCCESS;

    /* After a graceful restart it is still the same server. */
    while (!id && rv == APR_SUCCESS) {
        rv = apr_generate_random_bytes((unsigned char *)&id, sizeof(id));
        atomic_store(&fleet->memory->id, id);
        atomic_store(&fleet->memory->lane, id % CLERK_FLEET_LANES);
    }
    return rv;
}

static apr_int64_t kept_since(void)
{
    return apr_time_sec(apr_time_now() - CLERK_FLEET_KEPT);
}

void clerk_fleet_note(const clerk_fleet *fleet, const clerk_revocation *revocation)
{
    if (fleet->memory) {
        clerk_revocation_log_append(&fleet->memory->log, revocation, kept_since());
    }
}

static int name_lane(clerk_socache_name *name, const clerk_fleet *fleet, apr_uint64_t number)
{
    static const unsigned char all_instances[CLERK_SOCACHE_DIGEST];
    char text[24];

    apr_snprintf(text, sizeof(text), "%" APR_UINT64_T_FMT, number);
    return clerk_socache_make_name(name, fleet->cache, CLERK_SOCACHE_REVOCATIONS, all_instances, text);
}

static apr_status_t write_lane(const clerk_fleet *fleet, apr_pool_t *pool)
{
    clerk_fleet_memory *memory = fleet->memory;
    clerk_revocation *list = apr_palloc(pool, CLERK_REVOCATION_LOG_ENTRIES * sizeof(*list));
    unsigned char *bytes = apr_palloc(pool, HEAD + CLERK_REVOCATION_LOG_ENTRIES * ENTRY), *at = bytes + HEAD;
    apr_time_t now = apr_time_now();
    clerk_socache_name name;
    apr_uint64_t tried = atomic_load(&memory->log.appended), appended;
    apr_status_t rv;
    int count = clerk_revocation_log_list(&memory->log, list, kept_since(), &appended);

    put(bytes, atomic_load(&memory->id));
    put(bytes + 8, appended);
    /* After the list: what was pushed out of it has left its time there by then. */
    put(bytes + 16, (apr_uint64_t)atomic_load(&memory->log.floor));
    for (int i = 0; i < count; i++, at += ENTRY) {
        put(at, list[i].place);
        put(at + 8, (apr_uint64_t)list[i].at << 32 | list[i].tag);
        at[16] = (unsigned char)list[i].family;
    }
    if (!name_lane(&name, fleet, atomic_load(&memory->lane))) {
        return APR_EGENERAL;
    }
    rv = clerk_socache_save(fleet->cache, &name, bytes, (apr_size_t)(at - bytes), now + CLERK_FLEET_KEPT, pool);
    if (rv == APR_SUCCESS) {
        atomic_store(&memory->written, appended);
        atomic_store(&memory->tried, tried);
        atomic_store(&memory->written_at, now);
    }
    return rv;
}

static lane read_lane(const clerk_fleet *fleet, apr_uint64_t number, apr_pool_t *pool)
{
    lane found = {0};
    clerk_socache_name name;
    apr_size_t size = 0;
    const unsigned char *bytes
        = name_lane(&name, fleet, number) ? clerk_socache_load(&size, fleet->cache, &name, pool) : NULL;

    if (bytes && size >= HEAD && (size - HEAD) % ENTRY == 0) {
        found.id = get(bytes);
        found.appended = get(bytes + 8);
        found.floor = (apr_int64_t)get(bytes + 16);
        found.entries = bytes + HEAD;
        found.count = (size - HEAD) / ENTRY;
    }
    return found;
}

/* A server whose clock is wrong shall not revoke what will be issued for years. */
static apr_int64_t at_most_now(apr_int64_t at)
{
    apr_int64_t latest = apr_time_sec(apr_time_now() + SKEW);

    return at < latest ? at : latest;
}

static void apply_lane(const clerk_fleet *fleet, const lane *found)
{
    /* One that was pushed out long ago says nothing any more. */
    if (found->floor >= kept_since()) {
        clerk_revocations_raise_floor(fleet->revocations, at_most_now(found->floor));
    }
    for (apr_size_t i = 0; i < found->count; i++) {
        const unsigned char *at = found->entries + i * ENTRY;
        apr_uint64_t name = get(at + 8);
        const clerk_revocation revocation
            = {at[16] ? CLERK_REVOCATIONS_OF_ORGANIZATIONS : CLERK_REVOCATIONS_OF_USERS, get(at), (apr_uint32_t)name,
               (apr_uint32_t)at_most_now((apr_int64_t)(name >> 32))};

        if (revocation.at) {
            clerk_revocations_add(fleet->revocations, &revocation);
        }
    }
}

/* Whether the lane has what this server has written. */
static int is_ours(const clerk_fleet *fleet, const lane *found)
{
    return found->id == atomic_load(&fleet->memory->id) && found->appended == atomic_load(&fleet->memory->written);
}

/* Whether this server has revoked something that is not in the store, and can be written now. */
static int is_waiting(const clerk_fleet *fleet, apr_time_t now)
{
    const clerk_fleet_memory *memory = fleet->memory;
    apr_uint64_t appended = atomic_load(&memory->log.appended);
    apr_time_t since = now - atomic_load(&memory->written_at);

    return atomic_load(&memory->written) != appended
           && (atomic_load(&memory->tried) != appended || since > RETRIED || since < 0);
}

/* Of two empty lanes, which this server takes: servers that start at the same time begin to look at different ones. */
static int is_nearer(const clerk_fleet *fleet, apr_uint64_t one, apr_uint64_t other)
{
    apr_uint64_t from = CLERK_FLEET_LANES - atomic_load(&fleet->memory->id) % CLERK_FLEET_LANES;

    return other == CLERK_FLEET_LANES || (one + from) % CLERK_FLEET_LANES < (other + from) % CLERK_FLEET_LANES;
}

/* Read the lanes of all. @return whether the store had our own one */
static int read_lanes(const clerk_fleet *fleet, apr_pool_t *pool)
{
    clerk_fleet_memory *memory = fleet->memory;
    apr_uint64_t own = atomic_load(&memory->lane), empty = CLERK_FLEET_LANES, servers = 1;
    int has_own = 0, is_taken = 0;

    for (apr_uint64_t number = 0; number < CLERK_FLEET_LANES && !clerk_background_is_ending(); number++) {
        const lane found = read_lane(fleet, number, pool);

        if (number == own) {
            has_own = is_ours(fleet, &found);
            is_taken = found.id && found.id != atomic_load(&memory->id);
        }
        if (!found.id) {
            empty = is_nearer(fleet, number, empty) ? number : empty;
        } else if (found.id != atomic_load(&memory->id)) {
            apply_lane(fleet, &found);
            servers++;
        }
    }
    if (is_taken && empty < CLERK_FLEET_LANES) {
        atomic_store(&memory->lane, empty);
    }
    atomic_store(&memory->servers, servers);
    return has_own;
}

/* All lanes were read, that of this server too: the store works. */
static void note_success(const clerk_fleet *fleet, apr_time_t now)
{
    clerk_fleet_memory *memory = fleet->memory;
    apr_time_t last = atomic_load(&memory->known_at);

    /* What was revoked elsewhere and has left the store since is not known here, nor who has a token from before. */
    if (now - last > CLERK_FLEET_KEPT - 2 * SKEW) {
        clerk_revocations_raise_floor(fleet->revocations, apr_time_sec(now - CLERK_FLEET_KEPT + 2 * SKEW));
    }
    atomic_store(&memory->known_at, now);
    if (atomic_exchange(&memory->is_failing, 0)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, fleet->server,
                     CLERK_LOGNO(3284) "the store of ClerkSOCache answers again: revocations are exchanged with the "
                                       "other servers");
    }
}

static void note_failure(const clerk_fleet *fleet)
{
    if (!atomic_exchange(&fleet->memory->is_failing, 1)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, fleet->server,
                     CLERK_LOGNO(3283) "the store of ClerkSOCache does not keep what is written to it: revocations are "
                                       "not exchanged with the other servers%s",
                                 fleet->closed ? ", and requests with session tokens are answered with 503 soon" : "");
    }
}

static void poll_store(const clerk_fleet *fleet, apr_pool_t *pool)
{
    clerk_fleet_memory *memory = fleet->memory;
    /* Before anything is read: what others write meanwhile is known at the next time only. */
    apr_time_t now = apr_time_now();
    apr_time_t written = atomic_load(&memory->written_at);
    int takes_values = 1, has_own;

    /* At first the lanes have to be read: one that a server has left, which was stopped, still says what it revoked. */
    if (written && (now - written > RENEWED || is_waiting(fleet, now))) {
        takes_values = write_lane(fleet, pool) == APR_SUCCESS;
    }
    /* A store that is full still gives out what was written before. */
    has_own = read_lanes(fleet, pool) && takes_values;
    /* The end does not wait for a store that hangs to do so lane by lane, and what was read in part says nothing. */
    if (clerk_background_is_ending()) {
        return;
    }
    if (!has_own && write_lane(fleet, pool) == APR_SUCCESS) {
        const lane own = read_lane(fleet, atomic_load(&memory->lane), pool);

        has_own = is_ours(fleet, &own);
    }
    if (has_own) {
        note_success(fleet, now);
    } else {
        note_failure(fleet);
    }
}

apr_interval_time_t clerk_fleet_tick(const clerk_fleet *fleet, apr_pool_t *scratch)
{
    clerk_fleet_memory *memory = fleet->memory;
    apr_time_t now = apr_time_now(), polled = atomic_load(&memory->polled_at);

    if (now - polled >= fleet->poll || now < polled) {
        atomic_store(&memory->polled_at, now);
        poll_store(fleet, scratch);
    } else if (is_waiting(fleet, now) && !atomic_load(&memory->is_failing)) {
        /* At once, so that the others find it at their next look. */
        (void)write_lane(fleet, scratch);
    }
    return STEP;
}
