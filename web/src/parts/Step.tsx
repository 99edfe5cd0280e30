// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';
import { useMessages } from '../i18n/language.tsx';
import type { Loaded } from '../state/loaded.ts';
import { CheckIcon, WarnIcon } from './icons.tsx';

interface StepProps {
  id: string;
  number: number;
  title: string;
  hint?: string;
  children: ReactNode;
}

/** One numbered step of the form. */
export function Step({ id, number, title, hint, children }: StepProps) {
  return (
    <section className="step" id={id} aria-labelledby={`${id}-title`} tabIndex={-1}>
      <div className="step-head">
        <span className="number" aria-hidden="true">{number}</span>
        <h2 id={`${id}-title`}>{title}</h2>
        {hint && <p className="hint">{hint}</p>}
      </div>
      {children}
    </section>
  );
}

export function Warning({ id, children }: { id?: string; children: ReactNode }) {
  return (
    <p className="say warning" id={id}>
      <WarnIcon /> <span>{children}</span>
    </p>
  );
}

export function Good({ children }: { children: ReactNode }) {
  return (
    <p className="say good">
      <CheckIcon /> <span>{children}</span>
    </p>
  );
}

/** That a list could not be had, with a way to ask again before the page does by itself. */
export function NotLoaded<T>({ list, children }: { list: Loaded<T>; children: ReactNode }) {
  const t = useMessages();
  return (
    <div className="not-loaded">
      <Warning>{children}</Warning>
      <button type="button" className="button" onClick={() => list.trying || list.reload()} aria-disabled={list.trying}>
        {list.trying ? t.error.retrying : t.error.retry}
      </button>
    </div>
  );
}
