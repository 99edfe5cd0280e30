// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef } from 'react';
import { findFaces } from '../api/client.ts';
import { isProblem } from '../api/problem.ts';
import type { Face } from '../api/types.ts';
import { fitPhoto, measure } from '../lib/photo.ts';
import { pause, pauseAfter } from '../lib/pause.ts';
import { keepPicture, keptPicture } from '../lib/pictures.ts';
import type { Change, Photo } from './draft.ts';

/**
 * Takes a photo into the draft and has it checked while the person goes on. The one of before a
 * reload comes back by itself, with the `face` that was chosen in it.
 */
export function usePhoto(face: number | null, change: (change: Change) => void): (file: Blob | null) => Promise<void> {
  const running = useRef<AbortController | null>(null);
  const shown = useRef<string | null>(null);
  const before = useRef(face);

  const take = useCallback(
    async (file: Blob | null, wanted: number | null) => {
      running.current?.abort();
      const check = new AbortController();
      running.current = check;
      if (shown.current) URL.revokeObjectURL(shown.current);
      shown.current = null;
      change({ photo: null, face: null });
      if (!file) return void keepPicture(KEPT, null);

      const blob = await fitPhoto(file);
      const url = URL.createObjectURL(blob);
      const size = await measure(url);
      if (check.signal.aborted) return URL.revokeObjectURL(url);
      shown.current = url;
      void keepPicture(KEPT, blob);
      const photo: Photo = {
        blob,
        url,
        shown: size !== null,
        width: size?.width ?? 3,
        height: size?.height ?? 4,
        state: 'checking',
        faces: [],
        problem: null,
      };
      change({ photo });
      for (let tries = 1; !check.signal.aborted; tries++) {
        const result = await checked(photo, check.signal);
        if (check.signal.aborted) return;
        const still = result.faces.some((item) => item.index === wanted);
        change({ photo: { ...photo, ...result }, face: still ? wanted : best(result.faces) });
        if (result.state !== 'unchecked') return;
        await pause(pauseAfter(tries), check.signal);
      }
    },
    [change],
  );

  useEffect(() => {
    void keptPicture(KEPT).then((kept) => {
      if (kept && running.current === null) void take(kept, before.current);
    });
    return () => running.current?.abort();
  }, [take]);
  return useCallback((file: Blob | null) => take(file, null), [take]);
}

const KEPT = 'photo';

type Checked = Pick<Photo, 'state' | 'faces' | 'problem' | 'width' | 'height'>;

async function checked(photo: Photo, signal: AbortSignal): Promise<Checked> {
  const { width, height } = photo;
  try {
    const reply = await findFaces(photo.blob, signal);
    const state = reply.faces.length > 0 ? 'ready' : 'none';
    return { state, faces: reply.faces, problem: null, width: reply.width, height: reply.height };
  } catch (error) {
    const refused = isProblem(error) && error.status >= 400 && error.status < 500 && error.status !== 429;
    if (!refused) return { state: 'unchecked', faces: [], problem: null, width, height };
    const state = error.code.includes('no_face') || error.code === 'no_face' ? 'none' : 'broken';
    return { state, faces: [], problem: error.message || null, width, height };
  }
}

/** The first usable face (the server lists the largest first), or none to choose among. */
export function best(faces: Face[]): number | null {
  return (faces.find((face) => face.usable) ?? faces[0])?.index ?? null;
}
