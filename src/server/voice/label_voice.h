/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest voice that HTS Engine loads: one state of one frame of one sample, no questions. */
#pragma once

#include "base/bytes.h"

struct bytes label_voice(void);
