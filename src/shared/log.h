/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_LOG_H
#define SHARED_LOG_H

/*
 * Logging for src/shared and src/clerk, which do not know httpd. Every message has a stable number, printed as AC%04d,
 * and says what happened, to which instance, and what to do about it. It never contains a token, a secret or a cookie.
 * Numbers: 1000-1999 src/shared, 2000-2999 src/clerk, 3000-3999 src/httpd.
 */

typedef enum clerk_log_level {
    CLERK_LOG_ERROR,
    CLERK_LOG_WARNING,
    CLERK_LOG_NOTICE,
    CLERK_LOG_INFO,
    CLERK_LOG_DEBUG
} clerk_log_level;

/** Where messages go. Called from any thread; @a text is one line without the number. */
typedef void clerk_log_sink(void *baton, clerk_log_level level, int number, const char *text);

/** Install the sink (NULL: messages are dropped, the default). Call before threads start. */
void clerk_log_set_sink(clerk_log_sink *sink, void *baton);

/** Log one line. Control characters are replaced by '?'; a text over 1 KB is truncated. */
void clerk_log(clerk_log_level level, int number, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

#endif
