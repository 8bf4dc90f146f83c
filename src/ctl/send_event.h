/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SEND_EVENT_H
#define CTL_SEND_EVENT_H

#include "ctl/setup.h"

/** A webhook message that is to be made. Members that are NULL have a default. */
typedef struct clerk_send_event {
    const char *secret; /**< secret-ref */
    const char *type;   /**< such as session.revoked */
    const char *data;   /**< JSON of the member `data` */
    const char *event;  /**< file with the whole body, or "-", instead of type and data */
    const char *id;     /**< svix-id */
    const char *to;     /**< URL to send it to; NULL: print it */
} clerk_send_event;

/** Sign a test event, and send it or print it. */
clerk_output_code clerk_send_event_run(clerk_setup *setup, const clerk_send_event *event);

#endif
