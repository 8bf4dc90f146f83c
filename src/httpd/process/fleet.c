/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/fleet.h"

#include <apr_general.h>

#include "httpd/process/background.h"
#include "httpd/process/log.h"

/* Between two looks whether something was revoked here. */
#define STEP apr_time_from_msec(100)
/* A lane is written again after so long, as it ends after CLERK_FLEET_VALUES_STORED. */
#define RENEWED (CLERK_FLEET_KEPT / 4)
/* A revocation that could not be read, as another process was just writing it, is tried again after so long. If that
 * process was killed meanwhile, the revocation never becomes readable: Clerk, which got no answer, sends it again. */
#define RETRIED apr_time_from_sec(1)
/* Clocks of machines differ by less. */
#define SKEW apr_time_from_sec(60)
/* A lane is in the directory for so long after it was written, or a minute less: longer than what is in it counts, and
 * shorter than it is stored, whatever the clocks say. */
#define LISTED (CLERK_FLEET_KEPT + SKEW)
/* Looks that did not find all lanes until that is logged: one that got lost is written again by the next look of its
 * server. */
#define MISSES 3
/* How long a store that has lost what it had is not believed for lack of a lane: a server that lives writes its own
 * again within a look, and httpd tries a store again after five seconds. */
#define AWAITED apr_time_from_sec(30)

_Static_assert(LISTED + 2 * SKEW <= CLERK_FLEET_VALUES_STORED, "what is in the directory is in the store");

/* What is known of the store. */
typedef enum state {
    WELL,
    SILENT,
    INCOMPLETE,
    SLOW,
    FULL
} state;

/* A look at all lanes. */
typedef struct look {
    const clerk_fleet *fleet;
    apr_pool_t *pool;
    apr_time_t begun;
    clerk_fleet_directory directory;
    apr_uint64_t servers;
    int is_complete; /* what the directory lists was found */
    int lacks;       /* a lane that was in the directory before is not there */
    int is_full;     /* all lanes are those of others */
} look;

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
        clerk_revocation_log_append(&fleet->memory->log, revocation, apr_time_sec(apr_time_now()), kept_since());
    }
}

/* The store may hang: the end of the child does not wait for it value by value. */
static int read_lane(clerk_fleet_lane *lane, const clerk_fleet *fleet, apr_uint64_t number, apr_pool_t *pool)
{
    return !clerk_background_is_ending() && clerk_fleet_values_read_lane(lane, fleet->cache, number, pool);
}

static apr_status_t write_lane(const clerk_fleet *fleet, apr_pool_t *pool)
{
    clerk_fleet_memory *memory = fleet->memory;
    apr_time_t now = apr_time_now();
    apr_uint64_t tried = atomic_load(&memory->log.appended), appended;
    apr_status_t rv = APR_EGENERAL;

    if (!clerk_background_is_ending()) {
        rv = clerk_fleet_values_write_lane(&appended, fleet->cache, atomic_load(&memory->lane),
                                           atomic_load(&memory->id), &memory->log, kept_since(), pool);
    }
    if (rv == APR_SUCCESS) {
        atomic_store(&memory->written, appended);
        atomic_store(&memory->tried, tried);
        atomic_store(&memory->written_at, now);
    }
    return rv;
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

/* A server whose clock is wrong shall not revoke what will be issued for years. */
static apr_int64_t at_most_now(apr_int64_t at)
{
    apr_int64_t latest = apr_time_sec(apr_time_now() + SKEW);

    return at < latest ? at : latest;
}

static void apply_lane(look *this, apr_uint64_t number, const clerk_fleet_lane *lane)
{
    const clerk_fleet *fleet = this->fleet;
    clerk_revocation_log_reading reading
        = clerk_revocation_log_mark_read(&fleet->memory->places[number].mark, lane->id, &lane->range);

    this->servers++;
    if (reading == CLERK_REVOCATION_LOG_OLDER) {
        this->is_complete = 0;
    }
    /* One that was pushed out long ago says nothing any more. */
    if (reading == CLERK_REVOCATION_LOG_GAP && lane->range.floor >= kept_since()) {
        clerk_revocations_raise_floor(fleet->revocations, at_most_now(lane->range.floor));
    }
    for (apr_size_t i = 0; i < lane->count; i++) {
        clerk_revocation revocation = clerk_fleet_values_get(lane, i);

        if (revocation.at) {
            revocation.at = (apr_uint32_t)at_most_now(revocation.at);
            clerk_revocations_add(fleet->revocations, &revocation);
        }
    }
}

/* Whether a lane is used until then. The clock of who wrote so may be wrong by any time: then it says nothing. */
static int is_used(const look *this, apr_time_t until)
{
    return until > this->begun && until <= this->begun + LISTED + SKEW;
}

static void read_others(look *this)
{
    const clerk_fleet *fleet = this->fleet;
    clerk_fleet_memory *memory = fleet->memory;

    for (apr_uint64_t number = 0; number < CLERK_FLEET_LANES; number++) {
        clerk_fleet_place *place = &memory->places[number];
        int is_listed = is_used(this, this->directory.until[number]);
        clerk_fleet_lane lane;

        if (is_listed) {
            atomic_store(&place->until, this->directory.until[number]);
        }
        if (number == atomic_load(&memory->lane) || !is_used(this, atomic_load(&place->until))) {
            continue;
        }
        if (!read_lane(&lane, fleet, number, this->pool)) {
            this->is_complete &= !is_listed;
            this->lacks = 1;
        } else if (lane.id != atomic_load(&memory->id)) {
            apply_lane(this, number, &lane);
        }
        /* However long the store takes, the others are told first what was revoked here meanwhile. */
        if (atomic_load(&memory->written_at) && is_waiting(fleet, apr_time_now())) {
            (void)write_lane(fleet, this->pool);
        }
    }
}

/* Take the next lane that nobody uses: servers that start at the same time begin to look at different ones.
 * @return 0: there is none */
static int move(const look *this)
{
    clerk_fleet_memory *memory = this->fleet->memory;

    for (apr_uint64_t i = 0; i < CLERK_FLEET_LANES; i++) {
        apr_uint64_t number = (atomic_load(&memory->id) + i) % CLERK_FLEET_LANES;

        if (!is_used(this, atomic_load(&memory->places[number].until))) {
            atomic_store(&memory->lane, number);
            return 1;
        }
    }
    return 0;
}

/* Look for a lane for this server, if another one uses its own. @return whether the store has what was written there */
static int find_own(look *this)
{
    clerk_fleet_memory *memory = this->fleet->memory;
    clerk_fleet_lane lane;

    while (read_lane(&lane, this->fleet, atomic_load(&memory->lane), this->pool)) {
        apr_uint64_t number = atomic_load(&memory->lane);

        if (lane.id == atomic_load(&memory->id)) {
            return lane.range.appended == atomic_load(&memory->written);
        }
        apply_lane(this, number, &lane);
        atomic_store(&memory->places[number].until, this->begun + LISTED);
        if (!move(this)) {
            this->is_full = 1;
            return 0;
        }
    }
    return 0;
}

/* Whether a lane may be missing because the store has just lost it. */
static int is_awaiting(const look *this)
{
    apr_time_t kept = this->begun - atomic_load(&this->fleet->memory->kept_from);

    return this->lacks && kept >= 0 && kept < AWAITED;
}

/* Have this server in the directory for as long as it should be. */
static apr_status_t list_own(look *this)
{
    const clerk_fleet_memory *memory = this->fleet->memory;
    apr_uint64_t own = atomic_load(&memory->lane);
    apr_time_t until = atomic_load(&memory->written_at) + LISTED, off = this->directory.until[own] - until;

    if (off >= -SKEW && off <= SKEW) {
        return APR_SUCCESS;
    }
    if (clerk_background_is_ending()) {
        return APR_EGENERAL;
    }
    /* Again: others may have changed it meanwhile. */
    clerk_fleet_values_read_directory(&this->directory, this->fleet->cache, this->pool);
    for (int i = 0; i < CLERK_FLEET_LANES; i++) {
        this->directory.until[i] = is_used(this, this->directory.until[i]) ? this->directory.until[i] : 0;
    }
    this->directory.until[own] = until;
    return clerk_fleet_values_write_directory(this->fleet->cache, &this->directory, this->pool);
}

static void log_state(const clerk_fleet *fleet, state now)
{
    const char *soon = fleet->closed ? ", and requests with session tokens are answered with 503 soon" : "";

    if (atomic_exchange(&fleet->memory->state, now) == (apr_int64_t)now) {
        return;
    }
    if (now == WELL) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, fleet->server,
                     CLERK_LOGNO(3284) "the store of ClerkSOCache answers again: revocations are exchanged with the "
                                       "other servers");
    } else if (now == SILENT) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, fleet->server,
                     CLERK_LOGNO(3283) "the store of ClerkSOCache does not keep what is written to it: revocations are "
                                       "not exchanged with the other servers%s",
                                 soon);
    } else if (now == INCOMPLETE) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, fleet->server,
                     CLERK_LOGNO(3287) "what another server has revoked is missing in the store of ClerkSOCache, or is "
                                       "older there than it was%s",
                                 soon);
    } else if (now == SLOW) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, fleet->server,
                     CLERK_LOGNO(3288) "the store of ClerkSOCache is slow: it takes more than %d s to read what the "
                                       "other servers have revoked%s",
                                 (int)apr_time_sec(clerk_fleet_patience(fleet)), soon);
    } else {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, fleet->server,
            CLERK_LOGNO(3289) "the store of ClerkSOCache has no room for this server among the others, which are "
                              "too many: they may not learn what is revoked here%s",
                        soon);
    }
}

/* All lanes were read, that of this server too: the store works. */
static void note_success(const look *this)
{
    const clerk_fleet *fleet = this->fleet;
    clerk_fleet_memory *memory = fleet->memory;
    apr_time_t last = atomic_load(&memory->known_at), took = apr_time_now() - this->begun;

    /* What was revoked elsewhere and has left the store since is not known here, nor who has a token from before. */
    if (this->begun - last > CLERK_FLEET_KEPT - 2 * SKEW) {
        clerk_revocations_raise_floor(fleet->revocations, apr_time_sec(this->begun - CLERK_FLEET_KEPT + 2 * SKEW));
    }
    /* As of the beginning: what others wrote meanwhile is known at the next time only. */
    atomic_store(&memory->known_at, this->begun);
    atomic_store(&memory->servers, this->servers);
    atomic_store(&memory->misses, 0);
    log_state(fleet, took > clerk_fleet_patience(fleet) ? SLOW : WELL);
}

static void poll_store(const clerk_fleet *fleet, apr_pool_t *pool)
{
    clerk_fleet_memory *memory = fleet->memory;
    look this = {fleet, pool, apr_time_now(), {{0}}, 1, 1, 0, 0};
    apr_time_t written = atomic_load(&memory->written_at);
    int takes_values = 1, had_own, has_own;

    /* At first the lanes have to be read: one that a server has left, which was stopped, still says what it revoked. */
    if (written && (this.begun - written > RENEWED || is_waiting(fleet, this.begun))) {
        takes_values = write_lane(fleet, pool) == APR_SUCCESS;
    }
    clerk_fleet_values_read_directory(&this.directory, fleet->cache, pool);
    read_others(&this);
    has_own = find_own(&this);
    /* In the directory as well: the lane may just have been written. */
    had_own = has_own && is_used(&this, this.directory.until[atomic_load(&memory->lane)]);
    if (!has_own && write_lane(fleet, pool) == APR_SUCCESS) {
        has_own = find_own(&this);
    }
    /* A store that is full still gives out what was written before. */
    takes_values = takes_values && list_own(&this) == APR_SUCCESS;
    /* What was read in part says nothing. */
    if (clerk_background_is_ending()) {
        return;
    }
    if (!had_own || !takes_values) {
        atomic_store(&memory->kept_from, this.begun);
    }
    if (this.is_full) {
        log_state(fleet, FULL);
    } else if (!has_own || !takes_values) {
        log_state(fleet, SILENT);
    } else if (this.is_complete && !is_awaiting(&this)) {
        note_success(&this);
    } else if (atomic_fetch_add(&memory->misses, 1) + 1 >= MISSES) {
        log_state(fleet, INCOMPLETE);
    }
}

apr_interval_time_t clerk_fleet_tick(const clerk_fleet *fleet, apr_pool_t *scratch)
{
    clerk_fleet_memory *memory = fleet->memory;
    apr_time_t now = apr_time_now(), polled = atomic_load(&memory->polled_at);

    /* Somebody has set the clock back: what was made of the time before refuses what is issued from now on no longer.
     */
    if (atomic_load(&fleet->revocations->head->floor) > apr_time_sec(now + SKEW)) {
        clerk_revocations_lower_floor(fleet->revocations, apr_time_sec(now));
    }
    if (now - polled >= fleet->poll || now < polled) {
        atomic_store(&memory->polled_at, now);
        poll_store(fleet, scratch);
    } else if (is_waiting(fleet, now) && atomic_load(&memory->state) != SILENT) {
        /* At once, so that the others find it at their next look. */
        (void)write_lane(fleet, scratch);
    }
    return STEP;
}
