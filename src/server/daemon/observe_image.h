/* SPDX-License-Identifier: Apache-2.0 */
/* Figures about what cuts people out and the device that it runs on. */
#pragma once

struct metrics_writer;
struct scheduler;
struct segment;

/* `turns` is the line in front of it (engines_turns). */
void observe_image(struct segment *segment, struct scheduler *turns, struct metrics_writer *writer);
