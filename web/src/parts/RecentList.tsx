// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import { jobPath } from '../api/client.ts';
import { useLanguage } from '../i18n/language.tsx';
import type { Recent, RecentList as List } from '../state/recent.ts';
import { CloseIcon, PlayIcon, WarnIcon } from './icons.tsx';

interface Props {
  recent: List;
  open: (item: Recent) => void;
  current: string | null;
}

export function RecentList({ recent, open, current }: Props) {
  const { language, messages: t } = useLanguage();
  if (recent.list.length === 0) return null;
  const date = new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
  return (
    <section className="recents" aria-labelledby="recent-title">
      <h2 id="recent-title">{t.recent.title}</h2>
      <p className="hint">{t.recent.hint}</p>
      <ul>
        {recent.list.map((item) => (
          <li key={item.id} className={item.id === current ? 'current' : ''}>
            <button type="button" className="recent" onClick={() => open(item)} disabled={item.status === 'gone'}>
              <Thumbnail item={item} />
              <span className="recent-text" dir="auto">{item.text}</span>
              <span className="option-note recent-when">
                <span>{t.recent.status[item.status]}</span> <time dateTime={new Date(item.at).toISOString()}>{date.format(item.at)}</time>
              </span>
            </button>
            <button type="button" className="round small" aria-label={t.recent.forget(item.text)} onClick={() => recent.forget(item.id)}>
              <CloseIcon />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Thumbnail({ item }: { item: Recent }) {
  const [broken, setBroken] = useState(false);
  const ready = item.status === 'done' && !broken;
  return (
    <span className="thumb" aria-hidden="true">
      {ready && <img src={`${jobPath(item.id)}/thumbnail`} alt="" loading="lazy" onError={() => setBroken(true)} />}
      {item.status === 'done' && <span className="thumb-play"><PlayIcon /></span>}
      {(item.status === 'queued' || item.status === 'running') && <span className="thumb-busy" />}
      {(item.status === 'error' || item.status === 'gone') && <WarnIcon />}
    </span>
  );
}
