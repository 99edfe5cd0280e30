// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from 'react';
import { useMessages } from '../i18n/language.tsx';
import type { Messages } from '../i18n/en.ts';
import { stageName } from '../lib/stage.ts';
import { roundLeft } from '../lib/text.ts';
import type { Phase } from '../state/job.ts';

interface Props {
  phase: Extract<Phase, { kind: 'sending' | 'working' }>;
  cancel: () => void;
}

/** What is being done now, in words. */
export function workName(phase: Props['phase'], t: Messages): string {
  if (phase.kind === 'sending') return t.make.sending;
  if (phase.stopping) return t.make.cancelling;
  return phase.lost ? t.make.reconnecting : stageName(phase.job, t);
}

/** Sending takes the first five percent of the bar, so that it never goes back. */
const SENDING = 5;

export function Progress({ phase, cancel }: Props) {
  const t = useMessages();
  const highest = useRef(0);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus({ preventScroll: true }), []);

  const now = phase.kind === 'sending' ? phase.sent * SENDING : SENDING + (phase.job.progress * (100 - SENDING)) / 100;
  highest.current = Math.max(highest.current, now);
  const percent = Math.min(100, Math.round(highest.current));
  const stopping = phase.kind === 'working' && phase.stopping;
  const eta = phase.kind === 'working' && phase.job.status === 'running' && !phase.lost ? (phase.job.eta_s ?? null) : null;
  const left = eta === null ? '' : eta < 1.5 ? t.make.soon : t.make.left(roundLeft(eta));
  return (
    <div className="progress">
      <div className="progress-head">
        <strong className="percent" aria-hidden="true">{t.make.percent(percent)}</strong>
        <span className="left">{left}</span>
      </div>
      <div className="bar" role="progressbar" aria-label={t.make.title} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={`${t.make.percent(percent)} ${left}`}>
        <span style={{ transform: `scaleX(${percent / 100})` }} />
      </div>
      <p className="stage-name">{workName(phase, t)}</p>
      <button ref={button} type="button" className="button" onClick={cancel} aria-disabled={stopping}>{t.make.cancel}</button>
    </div>
  );
}
