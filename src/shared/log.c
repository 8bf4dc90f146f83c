/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "text/text.h"

/* Set before threads start, only read afterwards. */
static clerk_log_sink *log_sink;
static void *log_baton;

void clerk_log_set_sink(clerk_log_sink *sink, void *baton)
{
    log_sink = sink;
    log_baton = baton;
}

void clerk_log(clerk_log_level level, int number, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    if (!log_sink) {
        return;
    }
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0) {
        return;
    }
    for (char *c = text; *c; c++) {
        if (clerk_text_is_control(*c)) {
            *c = '?';
        }
    }
    log_sink(log_baton, level, number, text);
}
