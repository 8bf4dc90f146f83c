/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/instance/backend_limits.h"

#include <arpa/inet.h>
#include <string.h>

#include <apr_general.h>
#include <openssl/evp.h>

#include "shared/digest_set.h"

#define LINE 64
/* Words of the tables of allowances. Two users or addresses that fall on one word share it; which do, no client can
 * know. */
#define WORDS 4096
/* Words of the tables of digests: about as many as there are people active within a minute, and nonces within some. */
#define KNOWN_WORDS 131072
#define SPENT_WORDS 4096

/* What a call takes of a user's allowance. */
#define COST_OF_SUCCESS 1
#define COST_OF_FAILURE 4

/* Without any call that ends for so long, the API is slow. */
#define PATIENCE apr_time_from_sec(1)
/* What a thread that waits needs beyond its time. */
#define SLACK apr_time_from_sec(1)
#define POLL_FIRST apr_time_from_msec(1)
#define POLL_LAST apr_time_from_msec(8)

/* How many may fail: see outbound-calls.md "Rates". A burst of 0: as many as there are. */
typedef struct group_rates {
    clerk_allowance_rate in_all;
    clerk_allowance_rate address;
    clerk_allowance_rate user;
} group_rates;

static const group_rates rates[CLERK_BACKEND_GROUPS] = {
    [CLERK_BACKEND_STRANGERS] = {{apr_time_from_msec(500), 20}, {apr_time_from_sec(5), 10}, {0, 0}},
    [CLERK_BACKEND_NEW_SESSIONS]
    = {{apr_time_from_msec(500), 20}, {apr_time_from_sec(5), 10}, {apr_time_from_msec(2500), 20}},
    [CLERK_BACKEND_KNOWN_SESSIONS] = {{0, 0}, {0, 0}, {apr_time_from_msec(2500), 20}},
    [CLERK_BACKEND_PROFILES] = {{0, 0}, {0, 0}, {apr_time_from_msec(2500), 20}},
    [CLERK_BACKEND_NEW_MACHINES] = {{apr_time_from_msec(500), 20}, {apr_time_from_sec(5), 10}, {0, 0}},
    [CLERK_BACKEND_KNOWN_MACHINES] = {{0, 0}, {0, 0}, {apr_time_from_msec(500), 20}},
    [CLERK_BACKEND_CHECKS] = {{apr_time_from_msec(500), 20}, {0, 0}, {0, 0}},
};

/* The two kinds of places. */
enum {
    FOR_STRANGERS,
    FOR_SESSIONS,
    KINDS
};

/* Shared by all processes; the places, and the table of calls, lie behind it. */
typedef struct shared_tables {
    clerk_backend_allowance by_address[WORDS];
    clerk_backend_allowance by_user[WORDS];
    _Atomic apr_uint64_t known[KNOWN_WORDS]; /* digests of refresh and machine tokens that Clerk accepted */
    _Atomic apr_uint64_t spent[SPENT_WORDS]; /* digests of nonces that Clerk has answered */
} shared_tables;

struct clerk_backend_limits {
    shared_tables *tables;
    clerk_digest_set known;
    clerk_digest_set spent;
    clerk_places calls[KINDS];
    clerk_places waiting[KINDS];   /* until their time is over */
    clerk_places patient[KINDS];   /* as long as calls end */
    unsigned int for_new_sessions; /* of the places for sessions; for profiles and known machines too */
    clerk_single_flight *flights;
    unsigned char secret[16]; /* made before the fork, so that all children have the same */
};

/*
 * Shares of the workers: see outbound-calls.md "Concurrency". All of them together are three quarters: what needs no
 * call has the rest for itself, however slow the API is. Small servers make one call of each kind, and wait for none
 * where that would take all workers.
 */
typedef struct share {
    unsigned int part; /* of the workers: one in so many; 0: none */
    unsigned int least;
} share;

static const share shares_of_calls[KINDS] = {[FOR_STRANGERS] = {16, 1}, [FOR_SESSIONS] = {4, 1}};
static const share shares_of_waiting[KINDS] = {[FOR_STRANGERS] = {16, 0}, [FOR_SESSIONS] = {4, 0}};
static const share shares_of_patient[KINDS] = {[FOR_STRANGERS] = {0, 0}, [FOR_SESSIONS] = {8, 0}};

static unsigned int count_of(share of, unsigned int workers)
{
    unsigned int count = of.part ? workers / of.part : 0;

    return count > of.least ? count : of.least;
}

unsigned int clerk_backend_limits_places(unsigned int workers)
{
    unsigned int count = 0;

    for (int kind = 0; kind < KINDS; kind++) {
        count += count_of(shares_of_calls[kind], workers) + count_of(shares_of_waiting[kind], workers)
                 + count_of(shares_of_patient[kind], workers);
    }
    return count;
}

/* More than there can be leaders at a time: each is a worker. */
static unsigned int flights_for(unsigned int workers)
{
    return workers > 256 ? 2 * workers : 512;
}

static apr_size_t places_size(unsigned int workers)
{
    return APR_ALIGN(clerk_backend_limits_places(workers) * sizeof(clerk_place), LINE);
}

apr_size_t clerk_backend_limits_size(unsigned int workers)
{
    return APR_ALIGN(sizeof(shared_tables), LINE) + places_size(workers)
           + clerk_single_flight_size(flights_for(workers));
}

static unsigned int at_least_one(unsigned int count)
{
    return count ? count : 1;
}

/* The next so many places. @param most for one owner */
static clerk_places lay_out(clerk_place **pplace, unsigned int count, unsigned int most)
{
    clerk_places places = {*pplace, count, most};

    *pplace += count;
    return places;
}

apr_status_t clerk_backend_limits_create(clerk_backend_limits **plimits, void *memory, unsigned int workers,
                                         apr_pool_t *pool)
{
    clerk_backend_limits *limits = apr_pcalloc(pool, sizeof(*limits));
    clerk_place *place = (clerk_place *)(void *)((char *)memory + APR_ALIGN(sizeof(shared_tables), LINE));
    unsigned int sessions = count_of(shares_of_calls[FOR_SESSIONS], workers);

    limits->tables = memory;
    limits->known = (clerk_digest_set){limits->tables->known, KNOWN_WORDS};
    limits->spent = (clerk_digest_set){limits->tables->spent, SPENT_WORDS};
    limits->flights
        = clerk_single_flight_create((char *)(void *)place + places_size(workers), flights_for(workers), pool);
    for (int kind = 0; kind < KINDS; kind++) {
        unsigned int calls = count_of(shares_of_calls[kind], workers);
        unsigned int waiting = count_of(shares_of_waiting[kind], workers);
        unsigned int patient = count_of(shares_of_patient[kind], workers);

        limits->calls[kind] = lay_out(&place, calls, kind == FOR_SESSIONS && calls > 8 ? 4 : at_least_one(calls / 2));
        /* A page of one user's may have many parts. */
        limits->waiting[kind]
            = lay_out(&place, waiting, kind == FOR_SESSIONS ? waiting - waiting / 4 : at_least_one(waiting / 2));
        limits->patient[kind] = lay_out(&place, patient, patient);
    }
    /* Of two places or more, known sessions have at least one for themselves. */
    limits->for_new_sessions = sessions > 1 ? sessions - at_least_one(sessions / 4) : sessions;
    *plimits = limits;
    return apr_generate_random_bytes(limits->secret, sizeof(limits->secret));
}

clerk_single_flight *clerk_backend_limits_single_flight(const clerk_backend_limits *limits)
{
    return limits->flights;
}

/* A digest of a text for one purpose. The secret keeps everybody from choosing texts that fall on the same word. */
static apr_uint64_t digest_of(const clerk_backend_limits *limits, char purpose, unsigned int instance, const void *text,
                              apr_size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE] = {0};
    apr_uint64_t digest;

    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)
        && EVP_DigestUpdate(context, limits->secret, sizeof(limits->secret))
        && EVP_DigestUpdate(context, &purpose, sizeof(purpose))
        && EVP_DigestUpdate(context, &instance, sizeof(instance)) && EVP_DigestUpdate(context, text, len)) {
        (void)EVP_DigestFinal_ex(context, bytes, NULL);
    }
    EVP_MD_CTX_free(context);
    memcpy(&digest, bytes, sizeof(digest));
    return digest;
}

/* What counts as one client: an IPv4 address, or the /64 that an IPv6 host has for itself. */
static apr_uint64_t address_digest(const clerk_backend_limits *limits, char purpose, unsigned int instance,
                                   const char *ip)
{
    struct in6_addr six;

    if (ip && inet_pton(AF_INET6, ip, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six)) {
        return digest_of(limits, purpose, instance, &six, 8);
    }
    ip = !ip ? "" : strrchr(ip, ':') ? strrchr(ip, ':') + 1 : ip;
    return digest_of(limits, purpose, instance, ip, strlen(ip));
}

/* 0 means that a word is empty. */
static apr_uint64_t text_digest(const clerk_backend_limits *limits, char purpose, unsigned int instance,
                                const char *text)
{
    return digest_of(limits, purpose, instance, text, strlen(text)) | 1;
}

static apr_uint64_t token_digest(const clerk_backend_limits *limits, unsigned int instance, const char *token)
{
    return text_digest(limits, 'r', instance, token);
}

static clerk_backend_group group_of(const clerk_backend_limits *limits, unsigned int instance,
                                    const clerk_backend_call *call)
{
    apr_uint64_t digest;

    if (call->cause == CLERK_BACKEND_FOR_MACHINE) {
        digest = token_digest(limits, instance, call->machine_token);
        return clerk_digest_set_has(limits->known, digest) ? CLERK_BACKEND_KNOWN_MACHINES : CLERK_BACKEND_NEW_MACHINES;
    }
    if (call->cause == CLERK_BACKEND_FOR_ANY_CLIENT) {
        return CLERK_BACKEND_STRANGERS;
    }
    if (call->cause == CLERK_BACKEND_FOR_PROFILE) {
        return CLERK_BACKEND_PROFILES;
    }
    if (call->cause == CLERK_BACKEND_FOR_CHECK) {
        return CLERK_BACKEND_CHECKS;
    }
    /* Without a refresh token it is about a session that has not expired. */
    if (!call->refresh_token) {
        return CLERK_BACKEND_KNOWN_SESSIONS;
    }
    digest = token_digest(limits, instance, call->refresh_token);
    return clerk_digest_set_has(limits->known, digest) ? CLERK_BACKEND_KNOWN_SESSIONS : CLERK_BACKEND_NEW_SESSIONS;
}

clerk_backend_caller clerk_backend_limits_caller(const clerk_backend_limits *limits, unsigned int instance,
                                                 const clerk_backend_call *call)
{
    clerk_backend_caller caller = {.group = group_of(limits, instance, call)};
    const char *user = call->machine_token ? call->machine_token : call->user_id;

    caller.address = address_digest(limits, (char)('A' + caller.group), instance, call->client_ip);
    caller.user = text_digest(limits, (char)('U' + caller.group), instance, user ? user : "");
    caller.nonce = caller.group == CLERK_BACKEND_STRANGERS ? text_digest(limits, 'n', instance, call->path) : 0;
    return caller;
}

void clerk_backend_limits_note(clerk_backend_limits *limits, unsigned int instance, const char *token, int accepted)
{
    apr_uint64_t digest = token_digest(limits, instance, token);

    if (accepted) {
        clerk_digest_set_add(limits->known, digest);
    } else {
        clerk_digest_set_remove(limits->known, digest);
    }
}

int clerk_backend_limits_is_spent(const clerk_backend_limits *limits, const clerk_backend_caller *caller)
{
    return caller->nonce && clerk_digest_set_has(limits->spent, caller->nonce);
}

void clerk_backend_limits_spend(clerk_backend_limits *limits, const clerk_backend_caller *caller)
{
    if (caller->nonce) {
        clerk_digest_set_add(limits->spent, caller->nonce);
    }
}

static apr_interval_time_t longer(apr_interval_time_t wait, const clerk_backend_allowance *allowance,
                                  clerk_allowance_rate rate, apr_time_t now)
{
    apr_interval_time_t other = rate.burst ? clerk_allowance_wait(&allowance->spent, rate, now) : 0;

    return other > wait ? other : wait;
}

apr_interval_time_t clerk_backend_limits_wait(const clerk_backend_limits *limits,
                                              const clerk_backend_failures *failures,
                                              const clerk_backend_caller *caller, apr_time_t now)
{
    const shared_tables *tables = limits->tables;
    const group_rates *rate = &rates[caller->group];
    apr_interval_time_t wait = longer(0, &failures->group[caller->group], rate->in_all, now);

    wait = longer(wait, &tables->by_address[caller->address % WORDS], rate->address, now);
    return longer(wait, &tables->by_user[caller->user % WORDS], rate->user, now);
}

static int reserve(clerk_allowance_hold *hold, clerk_backend_allowance *allowance, clerk_allowance_rate rate, int cost,
                   apr_time_t now)
{
    return !rate.burst || clerk_allowance_reserve(hold, &allowance->reserved, rate, cost, now);
}

static void settle(clerk_allowance_hold *hold, clerk_backend_allowance *allowance, clerk_allowance_rate rate, int cost,
                   apr_time_t now)
{
    /* In this order: who looks in between waits for one more call, and does not find one free that is not. */
    if (rate.burst && cost) {
        clerk_allowance_charge(&allowance->spent, rate, cost, now);
    }
    if (hold->taken) {
        clerk_allowance_give_back(hold, &allowance->reserved, rate, cost, now);
    }
}

int clerk_backend_limits_reserve(clerk_backend_reservation *reservation, clerk_backend_limits *limits,
                                 clerk_backend_failures *failures, const clerk_backend_caller *caller, apr_time_t now)
{
    shared_tables *tables = limits->tables;
    const group_rates *rate = &rates[caller->group];

    memset(reservation, 0, sizeof(*reservation));
    /* People come in crowds, with tokens that Clerk has signed: theirs count when they have ended. */
    if (!clerk_backend_limits_is_stranger(caller)) {
        return 1;
    }
    if (reserve(&reservation->in_all, &failures->group[caller->group], rate->in_all, 1, now)
        && reserve(&reservation->address, &tables->by_address[caller->address % WORDS], rate->address, 1, now)
        && reserve(&reservation->user, &tables->by_user[caller->user % WORDS], rate->user, COST_OF_FAILURE, now)) {
        return 1;
    }
    clerk_backend_limits_settle(reservation, limits, failures, caller, CLERK_BACKEND_NOT_MADE, now);
    return 0;
}

void clerk_backend_limits_settle(clerk_backend_reservation *reservation, clerk_backend_limits *limits,
                                 clerk_backend_failures *failures, const clerk_backend_caller *caller,
                                 clerk_backend_ending ending, apr_time_t now)
{
    static const int of_user[] = {0, COST_OF_SUCCESS, COST_OF_FAILURE};
    shared_tables *tables = limits->tables;
    const group_rates *rate = &rates[caller->group];
    int failed = ending == CLERK_BACKEND_FAILED;

    settle(&reservation->in_all, &failures->group[caller->group], rate->in_all, failed, now);
    settle(&reservation->address, &tables->by_address[caller->address % WORDS], rate->address, failed, now);
    settle(&reservation->user, &tables->by_user[caller->user % WORDS], rate->user, of_user[ending], now);
}

int clerk_backend_limits_is_stranger(const clerk_backend_caller *caller)
{
    return caller->group == CLERK_BACKEND_STRANGERS || caller->group == CLERK_BACKEND_NEW_MACHINES;
}

int clerk_backend_limits_is_of_sessions(const clerk_backend_caller *caller)
{
    return !clerk_backend_limits_is_stranger(caller) && caller->group != CLERK_BACKEND_CHECKS;
}

static int kind_of(const clerk_backend_caller *caller)
{
    return clerk_backend_limits_is_stranger(caller) ? FOR_STRANGERS : FOR_SESSIONS;
}

static apr_uint64_t owner_of(const clerk_backend_caller *caller)
{
    return clerk_backend_limits_is_stranger(caller) ? caller->address : caller->user;
}

int clerk_backend_limits_enter(clerk_backend_limits *limits, clerk_place_ticket *ticket,
                               const clerk_backend_caller *caller, apr_time_t now, apr_interval_time_t duration)
{
    const clerk_places *places = &limits->calls[kind_of(caller)];
    int is_partial = caller->group == CLERK_BACKEND_NEW_SESSIONS || caller->group == CLERK_BACKEND_PROFILES
                     || caller->group == CLERK_BACKEND_KNOWN_MACHINES;
    unsigned int usable = is_partial ? limits->for_new_sessions : places->count;

    if (caller->group == CLERK_BACKEND_CHECKS) {
        ticket->lease = 0;
        return 1;
    }
    return clerk_places_take(ticket, places, usable, owner_of(caller), now, duration);
}

/* Whether a thread may wait: until its time is over, or as long as calls end. */
static int may_wait(clerk_backend_limits *limits, clerk_backend_wait *wait, apr_time_t now)
{
    const clerk_places *waiting = &limits->waiting[kind_of(wait->caller)];
    const clerk_places *patient = &limits->patient[kind_of(wait->caller)];
    apr_uint64_t owner = owner_of(wait->caller);
    apr_interval_time_t duration = wait->deadline - now + SLACK;

    if (wait->place.lease) {
        return 1;
    }
    if (clerk_places_take(&wait->place, waiting, waiting->count, owner, now, duration)) {
        clerk_places_give_back(&wait->patient);
        return 1;
    }
    if (!wait->patient.lease && !clerk_places_take(&wait->patient, patient, patient->count, owner, now, duration)) {
        return 0;
    }
    return now - wait->moved_at <= PATIENCE;
}

int clerk_backend_limits_sleep(clerk_backend_limits *limits, clerk_backend_wait *wait)
{
    apr_uint64_t progress = atomic_load(wait->progress);
    apr_time_t now = apr_time_now();

    if (!wait->moved_at || progress != wait->seen) {
        wait->seen = progress;
        wait->moved_at = now;
    }
    if (now >= wait->deadline || !may_wait(limits, wait, now)) {
        return 0;
    }
    wait->pause = !wait->pause ? POLL_FIRST : 2 * wait->pause < POLL_LAST ? 2 * wait->pause : POLL_LAST;
    apr_sleep(wait->pause);
    return 1;
}

void clerk_backend_limits_wake(clerk_backend_wait *wait)
{
    clerk_places_give_back(&wait->place);
    clerk_places_give_back(&wait->patient);
}

unsigned int clerk_backend_limits_waiting(const clerk_backend_limits *limits, apr_time_t now)
{
    return clerk_places_held(&limits->waiting[FOR_SESSIONS], now)
           + clerk_places_held(&limits->patient[FOR_SESSIONS], now);
}
