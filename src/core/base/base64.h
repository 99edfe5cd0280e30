/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, with padding). */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;

MUST_USE bool base64_encode(struct bytes bytes, struct buf *out, struct error *err);
