// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from 'react';
import { cancelJob } from '../api/client.ts';
import { followJob, startJob } from '../api/jobs.ts';
import { isProblem, networkProblem, Problem, problemOfJob } from '../api/problem.ts';
import type { Job } from '../api/types.ts';

/** What the stage of the page shows. */
export type Phase =
  | { kind: 'compose' }
  | { kind: 'sending'; sent: number }
  | { kind: 'working'; job: Job; lost: boolean; stopping: boolean }
  | { kind: 'done'; job: Job }
  | { kind: 'cancelled' }
  | { kind: 'failed'; problem: Problem };

export interface JobControl {
  phase: Phase;
  start: (form: FormData) => Promise<void>;
  /** Shows a job of before: goes on following it, or shows how it ended. */
  show: (id: string) => void;
  cancel: () => void;
  compose: () => void;
}

interface Events {
  onAccepted: (job: Job) => void;
  onChange: (job: Job) => void;
  onGone: (id: string) => void;
}

export function useJob({ onAccepted, onChange, onGone }: Events): JobControl {
  const [phase, setPhase] = useState<Phase>({ kind: 'compose' });
  const stopFollowing = useRef<() => void>(() => {});
  const upload = useRef<AbortController | null>(null);
  const current = useRef<string | null>(null);
  useEffect(() => () => stopFollowing.current(), []);

  const leave = useCallback(() => {
    stopFollowing.current();
    upload.current?.abort();
    upload.current = null;
    current.current = null;
  }, []);

  const follow = useCallback(
    (first: Job) => {
      current.current = first.id;
      setPhase({ kind: 'working', job: first, lost: false, stopping: false });
      stopFollowing.current = followJob(first.id, {
        onJob: (job) => {
          onChange(job);
          setPhase((old) => phaseOf(job, old));
        },
        onGone: (problem) => {
          if (problem.status === 404 || problem.status === 410) onGone(first.id);
          setPhase({ kind: 'failed', problem: new Problem({ code: 'gone' }, problem.status) });
        },
        onTrouble: (lost) => {
          setPhase((old) => (old.kind === 'working' && old.lost !== lost ? { ...old, lost } : old));
        },
      });
    },
    [onChange, onGone],
  );

  const start = useCallback(
    async (form: FormData) => {
      leave();
      const sending = new AbortController();
      upload.current = sending;
      setPhase({ kind: 'sending', sent: 0 });
      try {
        const onSent = (sent: number) => setPhase({ kind: 'sending', sent });
        const job = await startJob(form, onSent, sending.signal);
        onAccepted(job);
        follow(job);
      } catch (error) {
        if (sending.signal.aborted) return setPhase({ kind: 'cancelled' });
        setPhase({ kind: 'failed', problem: isProblem(error) ? error : networkProblem() });
      }
    },
    [follow, leave, onAccepted],
  );

  const show = useCallback(
    (id: string) => {
      leave();
      follow({ id, status: 'queued', progress: 0 });
    },
    [follow, leave],
  );

  const cancel = useCallback(() => {
    upload.current?.abort();
    const id = current.current;
    if (!id) return;
    setPhase((old) => (old.kind === 'working' ? { ...old, stopping: true } : old));
    cancelJob(id).catch(() => {
      setPhase((old) => (old.kind === 'working' ? { ...old, stopping: false } : old));
    });
  }, []);

  const compose = useCallback(() => {
    leave();
    setPhase({ kind: 'compose' });
  }, [leave]);

  return { phase, start, show, cancel, compose };
}

function phaseOf(job: Job, old: Phase): Phase {
  switch (job.status) {
    case 'done':
      return { kind: 'done', job };
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'error':
      return { kind: 'failed', problem: problemOfJob(job) };
    default:
      return { kind: 'working', job, lost: false, stopping: old.kind === 'working' && old.stopping };
  }
}
