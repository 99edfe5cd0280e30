/* SPDX-License-Identifier: Apache-2.0 */
/* Figures about what cuts people out and the device that it runs on. */
#pragma once

struct metrics_writer;
struct segment;

void observe_image(struct segment *segment, struct metrics_writer *writer);
