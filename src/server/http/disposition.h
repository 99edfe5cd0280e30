/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Disposition (RFC 6266): the name that a download is saved under. */
#pragma once

#include "base/attributes.h"

/* attachment; filename="…", and the whole name as filename* (RFC 8187) where ASCII cannot hold it.
 * `name` is UTF-8; NULL when it is not. To be freed. */
MUST_USE char *disposition_attachment(const char *name);
