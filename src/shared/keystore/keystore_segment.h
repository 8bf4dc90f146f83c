/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_SEGMENT_H
#define SHARED_KEYSTORE_KEYSTORE_SEGMENT_H

/*
 * Private to the key store: the layout of the shared segment, and the only code that reads and writes its documents,
 * texts, leases and allowances. None of it waits. None of it trusts what it reads: a process can be killed between any
 * two instructions, so every length is checked and every document has a digest.
 */

#include <stdatomic.h>

#include <apr_pools.h>
#include <apr_time.h>

#include "shared/allowance.h"
#include "shared/lease.h"

#if ATOMIC_INT_LOCK_FREE != 2 || ATOMIC_LONG_LOCK_FREE != 2 || ATOMIC_LLONG_LOCK_FREE != 2
#error "the shared key set needs lock-free 32-bit and 64-bit atomics"
#endif

/** The longest document that can be shared, bytes. */
#define SEGMENT_DOCUMENT_MAX 65536
/** Room for the text of the last error, its NUL included. */
#define SEGMENT_ERROR_SIZE 160

typedef _Atomic apr_uint32_t segment_u32;
typedef _Atomic apr_uint64_t segment_u64;
typedef _Atomic apr_int64_t segment_time; /* microseconds since 1970, or 0 */

typedef struct segment_document {
    segment_u64 len;
    segment_u64 digest[4]; /* SHA-256 of the document */
    segment_u64 words[SEGMENT_DOCUMENT_MAX / 8];
} segment_document;

/** The two allowances for early fetches. */
typedef enum segment_allowance {
    SEGMENT_UNKNOWN_KID,
    SEGMENT_BAD_SIGNATURE,
    SEGMENT_DAMAGED,
    SEGMENT_ALLOWANCES
} segment_allowance;

/** The shared state of one source. */
typedef struct segment_slot {
    /* Read by every request. */
    segment_u32 generation; /* 0: no document; else documents[generation & 1] is the published one */
    segment_u32 attempts;   /* fetches that have ended: a change tells those who wait that the fetch is over */
    segment_time fetched_at;
    segment_time next_refresh;
    segment_time retry_at;    /* no fetch before this time */
    apr_uint64_t padding[12]; /* keeps the members below out of the cache line of those above */
    /* Written by the holder of the lease only. */
    clerk_lease lease; /* when it expires, and a number for its holder; 0: free */
    segment_time failing_since;
    segment_u32 failures_in_a_row;
    segment_u32 refused;         /* the last failure was about our credential */
    segment_u32 lapsed;          /* that the keys are too old to be used was logged */
    segment_u32 persist_failing; /* that the file cannot be written was logged */
    segment_u64 last_error[SEGMENT_ERROR_SIZE / 8];
    /* Written by all. */
    clerk_allowance
        allowance[SEGMENT_ALLOWANCES]; /* the "theoretical arrival time" of the generic cell rate algorithm */
    segment_u64 fetches;
    segment_u64 failures;
    segment_u64 early_refreshes;
    segment_u64 early_refused;
    segment_document documents[2];
} segment_slot;

/** Bytes for @a count slots. */
apr_size_t clerk_keystore_segment_size(unsigned int count);

/**
 * Lay out a zeroed segment.
 * @return APR_SUCCESS; APR_EINVAL (too small or not aligned to 8 bytes); APR_EMISMATCH (not zeroed: it is in use)
 */
apr_status_t clerk_keystore_segment_init(void *memory, apr_size_t size, unsigned int count);

/** Whether the segment is one that clerk_keystore_segment_init() laid out. @return APR_SUCCESS, APR_EMISMATCH */
apr_status_t clerk_keystore_segment_check(const void *memory, apr_size_t size, unsigned int count);

/** The i-th slot, 0 <= i < count. */
segment_slot *clerk_keystore_segment_slot(void *memory, unsigned int i);

/**
 * Copy the published document.
 * @param ptext from @a pool, ends in a NUL that is not counted
 * @param pgeneration the generation of the document; also set if it is damaged
 * @return APR_SUCCESS; APR_NOTFOUND (there is none yet); APR_EMISMATCH (it is damaged: a writer was stopped in the
 *         middle for longer than its lease); APR_EAGAIN (it kept changing); APR_ENOMEM (its digest could not be
 *         computed, which says nothing about the document)
 */
apr_status_t clerk_keystore_segment_copy(const segment_slot *slot, char **ptext, apr_size_t *plen,
                                         apr_uint32_t *pgeneration, apr_pool_t *pool);

/**
 * Write a document into the other buffer and publish that. For the holder of the lease.
 * @return APR_SUCCESS; APR_ENOSPC (longer than SEGMENT_DOCUMENT_MAX); APR_EBUSY (another process published meanwhile)
 */
apr_status_t clerk_keystore_segment_publish(segment_slot *slot, const char *text, apr_size_t len);

/**
 * Set or read the text of the last error. It is truncated to fit and always ends in a NUL; while it changes, a reader
 * may get a mix of two.
 */
void clerk_keystore_segment_set_error(segment_slot *slot, const char *text);
void clerk_keystore_segment_get_error(const segment_slot *slot, char text[SEGMENT_ERROR_SIZE]);

/** Whether an early fetch is allowed now: a burst of 3, then one in 10 seconds. */
int clerk_keystore_segment_allowance_has(const segment_slot *slot, segment_allowance which, apr_time_t now);
/** Use up one. @return 0 if there is none */
int clerk_keystore_segment_allowance_take(segment_slot *slot, segment_allowance which, apr_time_t now);

/** A number that differs from call to call, process to process and run to run. For jitter, not for secrets. */
apr_uint64_t clerk_keystore_segment_random(void);

#endif
