/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/revocation_log.h"

void clerk_revocation_log_append(clerk_revocation_log *log, const clerk_revocation *revocation, apr_int64_t since)
{
    apr_uint64_t number = atomic_fetch_add(&log->appended, 1);
    clerk_revocation_log_entry *entry = &log->entries[number % CLERK_REVOCATION_LOG_ENTRIES];
    apr_int64_t pushed_out = (apr_int64_t)(atomic_load(&entry->name) >> 32), floor = atomic_load(&log->floor);

    while (pushed_out >= since && pushed_out > floor
           && !atomic_compare_exchange_weak(&log->floor, &floor, pushed_out)) {
    }
    atomic_store(&entry->number, 0);
    atomic_store(&entry->place, revocation->place);
    atomic_store(&entry->name, (apr_uint64_t)revocation->at << 32 | revocation->tag);
    atomic_store(&entry->family, revocation->family);
    atomic_store(&entry->number, number + 1);
}

/* @return 0 if it is being written, or was overwritten */
static int read_entry(clerk_revocation *revocation, const clerk_revocation_log *log, apr_uint64_t number)
{
    const clerk_revocation_log_entry *entry = &log->entries[number % CLERK_REVOCATION_LOG_ENTRIES];
    apr_uint64_t name;

    if (atomic_load(&entry->number) != number + 1) {
        return 0;
    }
    name = atomic_load(&entry->name);
    revocation->place = atomic_load(&entry->place);
    revocation->tag = (apr_uint32_t)name;
    revocation->at = (apr_uint32_t)(name >> 32);
    revocation->family = (clerk_revocations_family)atomic_load(&entry->family);
    return atomic_load(&entry->number) == number + 1;
}

int clerk_revocation_log_list(const clerk_revocation_log *log, clerk_revocation *list, apr_int64_t since,
                              apr_uint64_t *pappended)
{
    apr_uint64_t appended = atomic_load(&log->appended);
    apr_uint64_t first = appended > CLERK_REVOCATION_LOG_ENTRIES ? appended - CLERK_REVOCATION_LOG_ENTRIES : 0;
    int count = 0;

    *pappended = appended;
    for (apr_uint64_t number = first; number < appended; number++) {
        if (!read_entry(&list[count], log, number)) {
            /* The list says that it is not complete, and is made again soon. */
            *pappended = number < *pappended ? number : *pappended;
        } else if ((apr_int64_t)list[count].at >= since) {
            count++;
        }
    }
    return count;
}
