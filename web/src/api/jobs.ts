// SPDX-License-Identifier: Apache-2.0
import { claim } from '../lib/claim.ts';
import { pauseAfter } from '../lib/pause.ts';
import { fetchJob, jobPath, requestLanguage } from './client.ts';
import { isProblem, networkProblem, problemFromText, type Problem } from './problem.ts';
import type { Job } from './types.ts';

const POLL_MS = 1500; // while events do not come through
const LONGEST_POLL_MS = 15_000; // somebody is waiting

export function isOver(job: Job): boolean {
  return job.status === 'done' || job.status === 'error' || job.status === 'cancelled';
}

/**
 * Sends the form and resolves with the accepted job. XMLHttpRequest, because fetch does not tell
 * how much of an upload has left.
 */
export function startJob(
  form: FormData,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', '/api/video/generate');
    xhr.setRequestHeader('Prefer', 'respond-async');
    xhr.setRequestHeader('Accept-Language', requestLanguage());
    xhr.upload.onprogress = (event) => {
      if (event.lengthComputable) onSent(event.loaded / event.total);
    };
    xhr.onerror = () => reject(networkProblem());
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    xhr.onload = () => {
      if (xhr.status !== 202 && xhr.status !== 200) {
        const wait = xhr.getResponseHeader('Retry-After');
        reject(problemFromText(xhr.responseText, xhr.status, wait));
        return;
      }
      try {
        resolve(accepted(JSON.parse(xhr.responseText), xhr.getResponseHeader('Location')));
      } catch {
        reject(problemFromText('', xhr.status, null));
      }
    };
    signal.addEventListener('abort', () => xhr.abort(), { once: true });
    xhr.send(form);
  });
}

/** A synchronous answer names the job `job_id`; an asynchronous one is the job. */
function accepted(reply: Partial<Job> & { job_id?: string }, location: string | null): Job {
  const id = reply.id ?? reply.job_id ?? location?.split('/').pop();
  if (!id) throw new Error('no job id');
  return { progress: 0, status: 'queued', ...reply, id };
}

interface Listener {
  onJob: (job: Job) => void;
  /** The job cannot be followed any more: it is gone (404), or the server refuses. */
  onGone: (problem: Problem) => void;
  /** The connection is lost (true) or back (false); following goes on by itself. */
  onTrouble: (lost: boolean) => void;
}

/** Follows a job, which is this tab's from now on, by server-sent events, and by asking while those fail. Returns how to stop. */
export function followJob(id: string, listener: Listener): () => void {
  let stopped = false;
  let asking = false;
  let failures = 0; // to reach the server, in a row
  let timer: ReturnType<typeof setTimeout> | undefined;
  const events = new EventSource(`${jobPath(id)}/events?lang=${requestLanguage()}`);

  const release = claim(id);

  const stop = () => {
    stopped = true;
    release();
    clearTimeout(timer);
    window.removeEventListener('online', now);
    events.close();
  };
  const take = (job: Job) => {
    if (stopped) return;
    failures = 0;
    listener.onTrouble(false);
    if (isOver(job)) stop();
    listener.onJob(job);
  };
  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      take(await fetchJob(id));
    } catch (error) {
      if (stopped) return;
      if (isProblem(error) && error.status >= 400 && error.status < 500 && error.status !== 429) {
        stop();
        listener.onGone(error);
        return;
      }
      failures++;
      listener.onTrouble(true);
    } finally {
      asking = false;
    }
    if (!stopped) timer = setTimeout(ask, failures ? Math.min(pauseAfter(failures), LONGEST_POLL_MS) : POLL_MS);
  };
  const now = () => {
    if (failures === 0) return;
    clearTimeout(timer);
    void ask();
  };
  window.addEventListener('online', now);

  events.addEventListener('job', (event) => {
    clearTimeout(timer);
    timer = undefined;
    take(JSON.parse((event as MessageEvent<string>).data) as Job);
  });
  events.onerror = () => {
    if (!stopped && timer === undefined) timer = setTimeout(ask, 0);
  };
  return stop;
}
