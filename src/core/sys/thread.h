/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From now on the calling thread leaves the processors to the others where there are too few: for
 * work that burns while other threads must answer at once. */
void thread_step_back(void);
