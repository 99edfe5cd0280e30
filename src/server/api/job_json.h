/* SPDX-License-Identifier: Apache-2.0 */
/* A job as clients see it. */
#pragma once

#include "api/problem_table.h"

struct job;
struct jv;

/* The object of GET /api/video/jobs/{id} and of events. */
struct jv *job_json(const struct job *job, enum language language);
/* The synchronous answer of a job that is done. */
struct jv *job_answer(const struct job *job, enum language language);
/* What its video, or another file of it, is called when somebody keeps it. To be freed. */
char *job_file_name(const struct job *job, const char *ending);
/* Why a job failed or was cancelled, as an error to answer with. */
void job_error(const struct job *job, struct error *err);
