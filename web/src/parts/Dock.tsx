// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState, type RefObject } from 'react';
import { useMessages } from '../i18n/language.tsx';

interface Props {
  stage: RefObject<HTMLElement | null>;
  make: () => void;
}

/**
 * On a telephone the button that makes the video is far below the first steps. Once nothing is
 * missing, a second one waits at the lower edge until the real one is seen. Only for eyes and
 * fingers: the keyboard and screen readers have the one.
 */
export function Dock({ stage, make }: Props) {
  const t = useMessages();
  const [away, setAway] = useState(false);
  useEffect(() => {
    const desk = stage.current?.querySelector('.desk');
    if (!desk) return;
    const seen = new IntersectionObserver(([entry]) => setAway(entry?.isIntersecting === false));
    seen.observe(desk);
    return () => seen.disconnect();
  }, [stage]);
  if (!away) return null;
  return (
    <div className="dock" aria-hidden="true">
      <button type="button" tabIndex={-1} className="button primary big" onClick={make}>{t.make.button}</button>
    </div>
  );
}
