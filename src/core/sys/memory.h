/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Gives back to the system what was freed, after work that took much for a short time. */
void memory_trim(void);
