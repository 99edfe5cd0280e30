/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"

PRINTF_LIKE(2, 0)
static void format_text(struct error *err, const char *format, va_list args)
{
    if (vsnprintf(err->text, sizeof err->text, format, args) < 0)
        err->text[0] = '\0';
}

bool(error_set)(struct error *err, enum error_kind kind, const char *format, ...)
{
    if (!err)
        return false;
    *err = (struct error){.kind = kind};
    va_list args;
    va_start(args, format);
    format_text(err, format, args);
    va_end(args);
    return false;
}

static enum error_kind kind_of(int os)
{
    switch (os) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
        return ERROR_NOT_FOUND;
    case EEXIST:
    case EADDRINUSE:
    case ENOTEMPTY:
    case EBUSY:
        return ERROR_CONFLICT;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENAMETOOLONG:
    case ENOMEM:
        return ERROR_LIMIT;
    case ETIMEDOUT:
        return ERROR_TIMEOUT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EAGAIN:
        return ERROR_UNAVAILABLE;
    case ECANCELED:
        return ERROR_CANCELLED;
    case EINVAL:
    case EILSEQ:
    case ELOOP:
        return ERROR_INVALID;
    default:
        return ERROR_INTERNAL;
    }
}

bool(error_os)(struct error *err, int os, const char *format, ...)
{
    if (!err)
        return false;
    *err = (struct error){.kind = kind_of(os), .os = os};
    va_list args;
    va_start(args, format);
    format_text(err, format, args);
    va_end(args);

    char reason[96];
    const char *text = os_error_text(os, reason, sizeof reason);
    size_t used = strlen(err->text);
    size_t need = strlen(text) + 2;
    if (used + need >= sizeof err->text) /* the cause matters more than the end of the context */
        used = need < sizeof err->text ? sizeof err->text - 1 - need : 0;
    snprintf(err->text + used, sizeof err->text - used, ": %s", text);
    return false;
}

bool(error_wrap)(struct error *err, const char *format, ...)
{
    if (!err)
        return false;
    char cause[sizeof err->text];
    memcpy(cause, err->text, sizeof cause);
    va_list args;
    va_start(args, format);
    format_text(err, format, args);
    va_end(args);

    size_t used = strlen(err->text);
    size_t need = strlen(cause) + 2;
    if (used + need >= sizeof err->text) {
        if (need >= sizeof err->text) {
            memcpy(err->text, cause, sizeof cause);
            return false;
        }
        used = sizeof err->text - 1 - need;
    }
    err->text[used] = ':';
    err->text[used + 1] = ' ';
    memcpy(err->text + used + 2, cause, need - 1);
    return false;
}

bool(error_about)(struct error *err, const char *field, const char *code)
{
    if (err) {
        err->field = field;
        err->code = code;
    }
    return false;
}

bool(error_retry)(struct error *err, int seconds)
{
    if (err)
        err->retry_after_s = seconds;
    return false;
}

const char *error_kind_name(enum error_kind kind)
{
    static const char *const names[] = {
        [ERROR_INVALID] = "invalid",
        [ERROR_NOT_FOUND] = "not_found",
        [ERROR_CONFLICT] = "conflict",
        [ERROR_DENIED] = "denied",
        [ERROR_LIMIT] = "limit",
        [ERROR_TIMEOUT] = "timeout",
        [ERROR_UNAVAILABLE] = "unavailable",
        [ERROR_CANCELLED] = "cancelled",
        [ERROR_INTERNAL] = "internal",
    };
    return names[kind];
}
