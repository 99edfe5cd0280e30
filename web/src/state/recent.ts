// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from 'react';
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
  const [list, setList] = useState<Recent[]>(storedRecent);
  const own = useRef(list); // where the browser stores nothing
  useEffect(() => {
    const other = (event: StorageEvent) => {
      if (event.key === KEY || event.key === null) setList((own.current = storedRecent()));
    };
    window.addEventListener('storage', other);
    return () => window.removeEventListener('storage', other);
  }, []);

  // What is stored is changed, not this tab's copy of it: other tabs make messages, too.
  const edit = useCallback((how: (old: Recent[]) => Recent[]) => {
    const old = readStored<Recent[]>(KEY) ?? own.current;
    const next = how(old);
    if (JSON.stringify(next) === JSON.stringify(old)) return;
    own.current = next;
    writeStored(KEY, next);
    setList(next);
  }, []);
  const add = useCallback(
    (item: Recent) => edit((old) => [item, ...old.filter((other) => other.id !== item.id)].slice(0, MAX)),
    [edit],
  );
  const forget = useCallback((id: string) => edit((old) => old.filter((item) => item.id !== id)), [edit]);
  const update = useCallback(
    (id: string, status: Recent['status']) => {
      // What was stopped left nothing to come back to.
      if (status === 'cancelled') return forget(id);
      edit((old) => old.map((item) => (item.id === id ? { ...item, status } : item)));
    },
    [edit, forget],
  );

  useEffect(() => {
    const ask = (which: Recent[]) => {
      for (const { id } of which) void stateOf(id).then((state) => state && update(id, state));
    };
    // What became of them while the page was closed, and of those being made while it was hidden?
    ask(storedRecent().filter(({ status }) => status !== 'gone'));
    const back = () => {
      if (document.visibilityState === 'visible') ask(storedRecent().filter(({ status }) => status === 'queued' || status === 'running'));
    };
    document.addEventListener('visibilitychange', back);
    return () => document.removeEventListener('visibilitychange', back);
  }, [update]);
  return { list, add, update, forget };
}

/** The list as this browser has it now, whichever tab changed it. */
export function storedRecent(): Recent[] {
  return readStored<Recent[]>(KEY) ?? [];
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
