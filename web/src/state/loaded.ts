// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useState } from 'react';

export interface Loaded<T> {
  value: T | null;
  failed: boolean;
  reload: () => void;
}

/** A list from the server; asked for again when `key` (the language, say) changes. */
export function useLoaded<T>(load: () => Promise<T>, key: string): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [failed, setFailed] = useState(false);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let wanted = true;
    setFailed(false);
    load().then(
      (next) => wanted && setValue(next),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
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
