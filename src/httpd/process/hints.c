/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/hints.h"

#include <stdatomic.h>
#include <stddef.h>

static unsigned int count;
static _Atomic unsigned char *given; /* NULL: no hint can be given */

void clerk_hints_reset(void)
{
    count = 0;
    given = NULL;
}

unsigned int clerk_hints_number(void)
{
    return ++count;
}

apr_size_t clerk_hints_size(void)
{
    return count * sizeof(*given);
}

void clerk_hints_share(void *memory)
{
    given = memory;
}

int clerk_hints_take(unsigned int number)
{
    /* Looked at first, because writing would take the cache line from all other processors with each request. */
    return given && number && number <= count && !atomic_load(&given[number - 1])
           && !atomic_exchange(&given[number - 1], 1);
}
