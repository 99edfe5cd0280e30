/* SPDX-License-Identifier: Apache-2.0 */
/* How a head is turned: the rotation that lays the canonical face over the landmarks best. */
#pragma once

struct face;

/* Sets roll, yaw and pitch from the points. */
void pose_estimate(struct face *face);
