// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import { cutOut } from '../api/client.ts';
import type { Photo } from './draft.ts';

/** The person cut out of the photo, for the preview; null until there, or where it cannot be had. */
export function useCutOut(photo: Photo | null, wanted: boolean): string | null {
  const [done, setDone] = useState<{ blob: Blob; url: string } | null>(null);
  const blob = photo?.blob ?? null;
  const ready = photo?.state === 'ready';
  useEffect(() => {
    if (!wanted || !ready || !blob || done?.blob === blob) return;
    const stop = new AbortController();
    cutOut(blob, stop.signal)
      .then((png) => {
        if (!stop.signal.aborted) setDone({ blob, url: URL.createObjectURL(png) });
      })
      .catch(() => {}); // The preview then shows a soft outline.
    return () => stop.abort();
  }, [blob, ready, wanted, done]);
  useEffect(() => () => void (done && URL.revokeObjectURL(done.url)), [done]);
  return done && done.blob === blob ? done.url : null;
}
