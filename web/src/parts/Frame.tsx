// SPDX-License-Identifier: Apache-2.0
import type { Limits } from '../api/types.ts';
import { useLanguage, useMessages, type Language } from '../i18n/language.tsx';
import { spanOf } from '../lib/text.ts';
import { useOnline, useUpdate } from '../state/app.ts';
import { Mark } from './icons.tsx';

const LANGUAGES: [Language, string][] = [
  ['ja', '日本語'],
  ['en', 'English'],
];

export function Header() {
  const { language, messages: t, choose } = useLanguage();
  return (
    <header className="top">
      <span className="brand">
        <Mark /> {t.name}
      </span>
      <div className="languages" role="group" aria-label={t.language}>
        {LANGUAGES.map(([code, name]) => (
          <button key={code} type="button" lang={code} aria-pressed={language === code} onClick={() => choose(code)}>
            {name}
          </button>
        ))}
      </div>
    </header>
  );
}

export function Footer({ credit, limits }: { credit: string | null; limits: Limits | null }) {
  const { language, messages: t } = useLanguage();
  const span = (seconds: number) => spanOf(seconds, language);
  return (
    <footer className="foot">
      {limits && <p>{t.app.privacy(span(limits.keep.uploads_s), span(limits.keep.videos_s))}</p>}
      {credit && <p>{t.app.credit(credit)}</p>}
    </footer>
  );
}

/** Being offline, and a new version: said at the bottom, in nobody's way. */
export function Notices({ busy }: { busy: boolean }) {
  const t = useMessages();
  const online = useOnline();
  const update = useUpdate();
  return (
    <div className="notices" role="status">
      {!online && <p className="notice">{t.app.offline}</p>}
      {update && !busy && (
        <p className="notice">
          {t.app.update}{' '}
          <button type="button" className="link" onClick={update}>
            {t.app.reload}
          </button>
        </p>
      )}
    </div>
  );
}
