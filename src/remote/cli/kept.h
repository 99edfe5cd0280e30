/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that a host keeps for a client that is not there: away behind a cut, or gone for good.
 */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct cli;
struct error;

/* For vma status --kept: prints them. */
MUST_USE bool kept_show(struct cli *cli, const char *host, bool json, struct error *err);
/* For vma stop --kept: ends them, with what they run. */
MUST_USE bool kept_end(struct cli *cli, const char *host, struct error *err);
