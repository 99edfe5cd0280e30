// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from 'react';
import { pauseAfter } from '../lib/pause.ts';

export interface Loaded<T> {
  value: T | null;
  failed: boolean;
  trying: boolean; // it is being asked for just now
  reload: () => void;
}

/**
 * A list from the server; asked for again when `key` (the language, say) changes, and, where it
 * could not be had, after ever longer pauses, when the network is back, and when somebody comes
 * back to the page or asks for it.
 */
export function useLoaded<T>(load: () => Promise<T>, key: string): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [failed, setFailed] = useState(false);
  const [trying, setTrying] = useState(true);
  const [round, setRound] = useState(0);
  const failures = useRef(0);
  const again = useCallback(() => setRound((n) => n + 1), []);
  const reload = useCallback(() => {
    failures.current = 0;
    again();
  }, [again]);

  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    setTrying(true);
    const settle = (lost: boolean) => {
      setFailed(lost);
      setTrying(false);
      failures.current = lost ? failures.current + 1 : 0;
    };
    load().then(
      (next) => {
        if (!wanted) return;
        setValue(next);
        settle(false);
      },
      () => {
        if (!wanted) return;
        settle(true);
        timer = setTimeout(again, pauseAfter(failures.current));
      },
    );
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [load, key, round, again]);

  useEffect(() => {
    if (!failed) return;
    const back = () => {
      if (document.visibilityState === 'visible') reload();
    };
    window.addEventListener('online', reload);
    document.addEventListener('visibilitychange', back);
    return () => {
      window.removeEventListener('online', reload);
      document.removeEventListener('visibilitychange', back);
    };
  }, [failed, reload]);
  return { value, failed, trying, reload };
}
