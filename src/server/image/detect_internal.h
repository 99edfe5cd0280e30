/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "image/detect.h"

enum { DETECT_SIDE = 128, DETECT_ANCHORS = 896 };

/* The network's outputs, as detections in the photo; `square` is where its input came from. */
int detections_decode(const float *boxes, const float *scores, struct box square,
                      struct detection out[DETECT_ANCHORS]);

/* Weighted suppression: what overlaps the best becomes its mean. `all` is used up. */
int detections_merge(struct detection *all, int count, struct detection out[MAX_DETECTIONS]);
