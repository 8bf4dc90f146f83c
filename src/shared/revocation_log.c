/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/revocation_log.h"

/* @return its number */
static apr_uint64_t append(clerk_revocation_log *log, const clerk_revocation *revocation, apr_int64_t now,
                           apr_int64_t since)
{
    apr_uint64_t number = atomic_fetch_add(&log->appended, 1);
    clerk_revocation_log_entry *entry = &log->entries[number % CLERK_REVOCATION_LOG_ENTRIES];
    apr_int64_t pushed_out = (apr_int64_t)(atomic_load(&entry->name) >> 32), floor = atomic_load(&log->floor);

    while (atomic_load(&entry->noted) >= since && pushed_out > floor
           && !atomic_compare_exchange_weak(&log->floor, &floor, pushed_out)) {
    }
    atomic_store(&entry->number, 0);
    atomic_store(&entry->place, revocation->place);
    atomic_store(&entry->name, (apr_uint64_t)revocation->at << 32 | revocation->tag);
    atomic_store(&entry->family, revocation->family);
    atomic_store(&entry->noted, now);
    atomic_store(&entry->number, number + 1);
    return number;
}

/* Whether the entry has had to make room for another one. */
static int is_pushed_out(const clerk_revocation_log *log, apr_uint64_t number)
{
    return atomic_load(&log->appended) > number + CLERK_REVOCATION_LOG_ENTRIES;
}

void clerk_revocation_log_append(clerk_revocation_log *log, const clerk_revocation *revocation, apr_int64_t now,
                                 apr_int64_t since)
{
    /* The process may have been held up so long that others have filled the log meanwhile. */
    while (is_pushed_out(log, append(log, revocation, now, since))) {
    }
}

/* @return 0 if it is being written, or was overwritten */
static int read_entry(clerk_revocation *revocation, apr_int64_t *pnoted, const clerk_revocation_log *log,
                      apr_uint64_t number)
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
    *pnoted = atomic_load(&entry->noted);
    return atomic_load(&entry->number) == number + 1;
}

int clerk_revocation_log_list(const clerk_revocation_log *log, clerk_revocation *list, apr_int64_t since,
                              clerk_revocation_log_range *range)
{
    apr_uint64_t appended = atomic_load(&log->appended);
    apr_int64_t noted;
    int count = 0;

    range->first = appended > CLERK_REVOCATION_LOG_ENTRIES ? appended - CLERK_REVOCATION_LOG_ENTRIES : 0;
    range->appended = appended;
    for (apr_uint64_t number = range->first; number < appended; number++) {
        if (read_entry(&list[count], &noted, log, number)) {
            count += noted >= since;
        } else if (is_pushed_out(log, number)) {
            range->first = number + 1;
        } else if (number < range->appended) {
            /* The list says that it is not complete, and is made again soon. */
            range->appended = number;
        }
    }
    /* A process was killed as it wrote an entry, which was pushed out meanwhile. */
    range->appended = range->appended > range->first ? range->appended : range->first;
    /* Last: what was pushed out of the list has left its time there by now. */
    range->floor = atomic_load(&log->floor);
    return count;
}

clerk_revocation_log_reading clerk_revocation_log_mark_read(clerk_revocation_log_mark *mark, apr_uint64_t id,
                                                            const clerk_revocation_log_range *range)
{
    apr_uint64_t read = atomic_load(&mark->id) == id ? atomic_load(&mark->read) : 0;

    if (range->appended < read) {
        return CLERK_REVOCATION_LOG_OLDER;
    }
    atomic_store(&mark->id, id);
    atomic_store(&mark->read, range->appended);
    return range->first > read ? CLERK_REVOCATION_LOG_GAP : CLERK_REVOCATION_LOG_FOLLOWS;
}
