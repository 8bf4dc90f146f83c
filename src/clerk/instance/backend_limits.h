/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_INSTANCE_BACKEND_LIMITS_H
#define CLERK_INSTANCE_BACKEND_LIMITS_H

#include "clerk/services.h"
#include "shared/allowance.h"
#include "shared/places.h"
#include "shared/single_flight.h"

/*
 * What calls of the Backend API may take of this machine and of the customer's quota at Clerk, counted over all
 * processes (outbound-calls.md): how many are made at the same time, how many threads wait for one, and how many may
 * fail. Calls belong to one of seven groups, and no group uses up what another one has, but for the places that nonces
 * share with new machine tokens, and sessions with known ones.
 */
typedef enum clerk_backend_group {
    CLERK_BACKEND_STRANGERS,    /**< any client: nonces */
    CLERK_BACKEND_NEW_SESSIONS, /**< an authentic token, with a refresh token that Clerk has not accepted here before */
    CLERK_BACKEND_KNOWN_SESSIONS, /**< an authentic token, current, or with a refresh token that Clerk has */
    CLERK_BACKEND_PROFILES,       /**< an authentic token, whose user's profile is needed */
    CLERK_BACKEND_NEW_MACHINES,   /**< any client: a machine token that Clerk has not confirmed here before */
    CLERK_BACKEND_KNOWN_MACHINES, /**< a machine token that Clerk has confirmed */
    CLERK_BACKEND_CHECKS,         /**< background work, one call after another: no worker waits, no place is taken */
    CLERK_BACKEND_GROUPS
} clerk_backend_group;

/** The limits of a server, for all its instances. */
typedef struct clerk_backend_limits clerk_backend_limits;

/** Bytes of shared memory for a server of so many worker threads. */
apr_size_t clerk_backend_limits_size(unsigned int workers);

/** How many of the workers calls, and waiting for them, take at the same time at most. */
unsigned int clerk_backend_limits_places(unsigned int workers);

/**
 * Lay out the memory. Parent process, before the fork.
 * @param memory zeroed, aligned to 64 bytes, shared by all children, clerk_backend_limits_size(workers) bytes
 */
apr_status_t clerk_backend_limits_create(clerk_backend_limits **plimits, void *memory, unsigned int workers,
                                         apr_pool_t *pool);

/** The table of calls that several threads need the reply of. */
clerk_single_flight *clerk_backend_limits_single_flight(const clerk_backend_limits *limits);

/** A call as the limits see it. */
typedef struct clerk_backend_caller {
    clerk_backend_group group;
    apr_uint64_t address; /**< digest of the client's address (IPv6: its /64), the instance and the group */
    apr_uint64_t user;    /**< digest of the user, the instance and the group */
    apr_uint64_t nonce;   /**< STRANGERS: digest of what is asked for and the instance; else 0 */
} clerk_backend_caller;

/** @param instance its number, so that instances have nothing to do with each other */
clerk_backend_caller clerk_backend_limits_caller(const clerk_backend_limits *limits, unsigned int instance,
                                                 const clerk_backend_call *call);

/* How many may fail. */

/** What calls have cost that have ended, and that with what those under way may cost. */
typedef struct clerk_backend_allowance {
    clerk_allowance spent;
    clerk_allowance reserved;
} clerk_backend_allowance;

/** What may fail in all, for one instance: zeroed shared memory. */
typedef struct clerk_backend_failures {
    clerk_backend_allowance group[CLERK_BACKEND_GROUPS];
} clerk_backend_failures;

/** How long until this caller may cause a call, whatever becomes of those under way; 0: now, or when these succeed. */
apr_interval_time_t clerk_backend_limits_wait(const clerk_backend_limits *limits,
                                              const clerk_backend_failures *failures,
                                              const clerk_backend_caller *caller, apr_time_t now);

/** What one call may cost. */
typedef struct clerk_backend_reservation {
    clerk_allowance_hold in_all;
    clerk_allowance_hold address;
    clerk_allowance_hold user;
} clerk_backend_reservation;

/** How a call ended. */
typedef enum clerk_backend_ending {
    CLERK_BACKEND_NOT_MADE,
    CLERK_BACKEND_SUCCEEDED, /**< 2xx: Clerk gave what was asked for */
    CLERK_BACKEND_FAILED
} clerk_backend_ending;

/**
 * Set aside what a call that any client can cause costs if it fails, so that calls which fail together are no more than
 * one after another. Other calls count when they have ended.
 * @return 0: what is left is set aside for calls under way
 */
int clerk_backend_limits_reserve(clerk_backend_reservation *reservation, clerk_backend_limits *limits,
                                 clerk_backend_failures *failures, const clerk_backend_caller *caller, apr_time_t now);

/** Count a call that was reserved, and give back what it did not cost. */
void clerk_backend_limits_settle(clerk_backend_reservation *reservation, clerk_backend_limits *limits,
                                 clerk_backend_failures *failures, const clerk_backend_caller *caller,
                                 clerk_backend_ending ending, apr_time_t now);

/** Note whether Clerk accepts a refresh token or a machine token, for the group of later callers. */
void clerk_backend_limits_note(clerk_backend_limits *limits, unsigned int instance, const char *token, int accepted);

/** Whether any client can be the cause of the call. */
int clerk_backend_limits_is_stranger(const clerk_backend_caller *caller);

/** Whether the call takes one of the places of sessions, which others may be waiting for. */
int clerk_backend_limits_is_of_sessions(const clerk_backend_caller *caller);

/**
 * Whether Clerk has answered this nonce before, of late: it is good once. Tabs that wake up together bring the same
 * one, and a browser whose nonce cookie is not deleted brings it with each page.
 */
int clerk_backend_limits_is_spent(const clerk_backend_limits *limits, const clerk_backend_caller *caller);

/** Clerk has answered the nonce: with what it stands for, or that it stands for nothing. */
void clerk_backend_limits_spend(clerk_backend_limits *limits, const clerk_backend_caller *caller);

/* How many at the same time. */

/** Take a place for a call, if there is one. @return 0: try again later */
int clerk_backend_limits_enter(clerk_backend_limits *limits, clerk_place_ticket *ticket,
                               const clerk_backend_caller *caller, apr_time_t now, apr_interval_time_t duration);

/** A thread that waits for a place, or for another thread's call. */
typedef struct clerk_backend_wait {
    const clerk_backend_caller *caller;
    _Atomic(apr_uint64_t) *progress; /**< counts the calls that have ended */
    apr_uint64_t seen;
    apr_time_t moved_at; /**< when `progress` was last seen to move; 0: it has not waited yet */
    apr_time_t deadline;
    apr_interval_time_t pause;
    clerk_place_ticket place;   /**< to wait until the deadline, */
    clerk_place_ticket patient; /**< or as long as calls end */
} clerk_backend_wait;

/**
 * Sleep for some milliseconds. How many threads of each group wait is bounded. Some more of visitors' threads may wait
 * as long as calls end: they give up after a second in which none does.
 * @return 0: it has waited long enough, or must not wait
 */
int clerk_backend_limits_sleep(clerk_backend_limits *limits, clerk_backend_wait *wait);

/** How many threads wait for calls of sessions; for tests. */
unsigned int clerk_backend_limits_waiting(const clerk_backend_limits *limits, apr_time_t now);

/** The wait is over. */
void clerk_backend_limits_wake(clerk_backend_wait *wait);

#endif
