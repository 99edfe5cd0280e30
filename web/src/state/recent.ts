// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useState } from 'react';
import { fetchJob } from '../api/client.ts';
import { isOver } from '../api/jobs.ts';
import { isProblem } from '../api/problem.ts';
import type { Format, Job, JobStatus } from '../api/types.ts';
import { readStored, writeStored } from '../lib/storage.ts';

export interface Recent {
  id: string;
  text: string;
  format: Format;
  credit: string | null;
  at: number; // milliseconds
  status: JobStatus | 'gone';
}

const KEY = 'vm.recent';
const MAX = 24;

export interface RecentList {
  list: Recent[];
  add: (item: Recent) => void;
  update: (id: string, status: Recent['status']) => void;
  forget: (id: string) => void;
}

/** One's own messages, newest first: the list lives in this browser, their state on the server. */
export function useRecent(): RecentList {
  const [list, setList] = useState<Recent[]>(() => readStored<Recent[]>(KEY) ?? []);
  useEffect(() => writeStored(KEY, list), [list]);

  const add = useCallback((item: Recent) => {
    setList((old) => [item, ...old.filter((other) => other.id !== item.id)].slice(0, MAX));
  }, []);
  const update = useCallback((id: string, status: Recent['status']) => {
    // What was stopped left nothing to come back to.
    if (status === 'cancelled') return setList((old) => old.filter((item) => item.id !== id));
    setList((old) =>
      old.some((item) => item.id === id && item.status !== status)
        ? old.map((item) => (item.id === id ? { ...item, status } : item))
        : old,
    );
  }, []);
  const forget = useCallback((id: string) => {
    setList((old) => old.filter((item) => item.id !== id));
  }, []);

  useEffect(() => {
    // Once, at the start: what became of them while the page was closed?
    for (const { id, status } of list) {
      if (status !== 'gone') void stateOf(id).then((state) => state && update(id, state));
    }
    // eslint-disable-next-line -- the list of the moment the page opened
  }, []);
  return { list, add, update, forget };
}

async function stateOf(id: string): Promise<Recent['status'] | null> {
  try {
    return (await fetchJob(id)).status;
  } catch (error) {
    return isProblem(error) && (error.status === 404 || error.status === 410) ? 'gone' : null;
  }
}

export function unfinished(list: Recent[]): Recent | null {
  return list.find((item) => item.status === 'queued' || item.status === 'running') ?? null;
}

export function statusOf(job: Job): JobStatus {
  return isOver(job) || job.status === 'running' ? job.status : 'queued';
}
