// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from 'react';

export interface Player {
  playing: string | null; // the URL
  failed: string | null;
  toggle: (url: string) => void;
  stop: () => void;
}

/** One short sound at a time: voice samples and music previews. */
export function usePlayer(): Player {
  const audio = useRef<HTMLAudioElement | null>(null);
  const [playing, setPlaying] = useState<string | null>(null);
  const [failed, setFailed] = useState<string | null>(null);

  const stop = useCallback(() => {
    audio.current?.pause();
    audio.current = null;
    setPlaying(null);
  }, []);
  const toggle = useCallback(
    (url: string) => {
      const same = playing === url;
      stop();
      setFailed(null);
      if (same) return;
      const next = new Audio(url);
      audio.current = next;
      setPlaying(url);
      next.onended = () => audio.current === next && stop();
      const refused = () => {
        if (audio.current !== next) return;
        stop();
        setFailed(url);
      };
      next.onerror = refused;
      next.play().catch(refused);
    },
    [playing, stop],
  );
  useEffect(() => () => audio.current?.pause(), []);
  return { playing, failed, toggle, stop };
}
