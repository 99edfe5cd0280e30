// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useState } from 'react';

export interface Loaded<T> {
  value: T | null;
  failed: boolean;
  reload: () => void;
}

const AGAIN_MS = 4000; // a server that is being restarted is back by then

/**
 * A list from the server; asked for again when `key` (the language, say) changes, and, where it
 * could not be had, every few seconds and when the network is back.
 */
export function useLoaded<T>(load: () => Promise<T>, key: string): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [failed, setFailed] = useState(false);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    load().then(
      (next) => {
        if (!wanted) return;
        setValue(next);
        setFailed(false);
      },
      () => {
        if (!wanted) return;
        setFailed(true);
        timer = setTimeout(() => setRound((n) => n + 1), AGAIN_MS);
      },
    );
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [load, key, round]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    if (!failed) return;
    window.addEventListener('online', reload);
    return () => window.removeEventListener('online', reload);
  }, [failed, reload]);
  return { value, failed, reload };
}
