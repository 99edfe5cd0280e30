/* SPDX-License-Identifier: Apache-2.0 */
/* Who wants to know when a job changes. */
#pragma once

struct watches;
struct job_watch;

struct watches *watches_new(void);
void watches_free(struct watches *watches);
struct job_watch *watches_add(struct watches *watches, const char *id, void (*wake)(void *context),
                              void *context);
/* Wakes those who watch this job; everybody when `id` is NULL. Not to be called under a lock that
 * somebody holds who adds or ends a watch. */
void watches_wake(struct watches *watches, const char *id);
