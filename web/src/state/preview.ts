// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import { fetchPreview } from '../api/client.ts';
import { smallCopy } from '../lib/photo.ts';
import { previewFormOf, type Draft } from './draft.ts';

const WAIT_MS = 200; // somebody who looks through the backgrounds asks for the last one only

/**
 * The server's own still of what the video will show. Null until it is there, and where it cannot
 * be had: the page then shows what it can by itself.
 */
export function usePreview(draft: Draft): string | null {
  const { photo, face, format, background, backgroundImage } = draft;
  const [still, setStill] = useState<{ key: string; url: string } | null>(null);
  const usable = photo?.state === 'ready' && photo.shown && photo.faces.some((item) => item.index === face && item.usable);
  const choice = background.kind === 'color' ? background.color : background.kind === 'preset' ? background.preset : (backgroundImage?.url ?? '');
  const key = usable ? [photo.url, face, format, background.kind, choice].join(' ') : '';

  useEffect(() => {
    if (!key || !photo || (background.kind === 'upload' && !backgroundImage)) return;
    const stop = new AbortController();
    const ask = async () => {
      const [image, behind] = await Promise.all([smallCopy(photo.blob), backgroundImage && smallCopy(backgroundImage.blob)]);
      const jpeg = await fetchPreview(previewFormOf(draft, image, behind), stop.signal);
      if (!stop.signal.aborted) setStill({ key, url: URL.createObjectURL(jpeg) });
    };
    const timer = setTimeout(() => void ask().catch(() => {}), WAIT_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
    // The key holds everything that the still depends on.
  }, [key]);
  useEffect(() => () => void (still && URL.revokeObjectURL(still.url)), [still]);
  return still && still.key === key ? still.url : null;
}
