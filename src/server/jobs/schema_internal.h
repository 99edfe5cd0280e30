/* SPDX-License-Identifier: Apache-2.0 */
/* The database's tables and how they came to be. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct error;
struct sql;

/* Brings the database to the newest version, one migration after the other. ERROR_INVALID when
 * it is damaged or somebody else's, ERROR_CONFLICT when a newer program made it. */
MUST_USE bool schema_prepare(struct sql *sql, struct error *err);
