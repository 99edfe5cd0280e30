// SPDX-License-Identifier: Apache-2.0
import type { Job, ProblemDocument } from './types.ts';

/** Something went wrong that the person can be told about. `field` names the input to look at. */
export class Problem extends Error {
  readonly code: string;
  readonly field: string | null;
  readonly status: number;
  readonly retryAfter: number | null;

  constructor(document: ProblemDocument, status: number, retryAfter: number | null = null) {
    super(document.detail || document.title || '');
    this.name = 'Problem';
    this.code = document.code ?? '';
    this.field = document.field ?? null;
    this.status = document.status ?? status;
    this.retryAfter = retryAfter;
  }
}

/** The server could not be reached at all. */
export function networkProblem(): Problem {
  return new Problem({ code: 'network' }, 0);
}

export function isProblem(value: unknown): value is Problem {
  return value instanceof Problem;
}

export function problemFromText(text: string, status: number, retryAfter: string | null): Problem {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  const wait = Number.isFinite(seconds) ? seconds : null;
  try {
    const document: unknown = JSON.parse(text);
    if (document !== null && typeof document === 'object') {
      return new Problem(document as ProblemDocument, status, wait);
    }
  } catch {
    // Not a problem document (a proxy's page, say): the status alone has to do.
  }
  return new Problem({ code: status === 503 ? 'busy' : 'unexpected' }, status, wait);
}

export function problemOfJob(job: Job): Problem {
  if (typeof job.error === 'string') return new Problem({ detail: job.error, code: 'job' }, 0);
  return new Problem(job.error ?? { code: 'job' }, job.error?.status ?? 0);
}
