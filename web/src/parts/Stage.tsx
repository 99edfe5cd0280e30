// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, type Ref } from 'react';
import { isProblem, type Problem } from '../api/problem.ts';
import type { BackgroundPreset, Limits } from '../api/types.ts';
import { useLanguage, useMessages } from '../i18n/language.tsx';
import type { Messages } from '../i18n/en.ts';
import { RATIO } from '../lib/framing.ts';
import { spanOf } from '../lib/text.ts';
import type { Draft } from '../state/draft.ts';
import type { JobControl, Phase } from '../state/job.ts';
import type { Recent } from '../state/recent.ts';
import { FramePreview } from './FramePreview.tsx';
import { Progress, workName } from './Progress.tsx';
import { Result } from './Result.tsx';
import { WarnIcon } from './icons.tsx';

interface Props {
  ref: Ref<HTMLElement>;
  draft: Draft;
  job: JobControl;
  backgrounds: BackgroundPreset[] | null;
  recent: Recent | null;
  limits: Limits | null;
  make: () => void;
}

/** Where the video comes to be: the preview, then the progress, then the video itself. */
export function Stage({ ref, draft, job, backgrounds, recent, limits, make }: Props) {
  const t = useMessages();
  const { phase } = job;
  const busy = phase.kind === 'sending' || phase.kind === 'working';
  const format = phase.kind !== 'compose' && phase.kind !== 'cancelled' && recent ? recent.format : draft.format;
  return (
    <section className="stage" ref={ref} tabIndex={-1} aria-label={t.make.title} id="stage">
      <div className="frame" data-format={format} style={{ aspectRatio: String(RATIO[format]) }}>
        {phase.kind === 'done' ? (
          <Result job={phase.job} />
        ) : (
          <FramePreview draft={draft} backgrounds={backgrounds} />
        )}
        {busy && <div className="veil" aria-hidden="true" />}
      </div>
      <p className="sr" role="status">{announcement(phase, t)}</p>
      <div className="desk">
        {busy && <Progress phase={phase} cancel={job.cancel} />}
        {phase.kind === 'done' && <Result.Actions job={phase.job} recent={recent} again={job.compose} />}
        {phase.kind === 'failed' && <Failed problem={phase.problem} draft={draft} limits={limits} retry={make} back={job.compose} />}
        {(phase.kind === 'compose' || phase.kind === 'cancelled') && (
          <>
            {phase.kind === 'cancelled' && <p className="say" aria-hidden="true">{t.make.cancelled}</p>}
            <button type="button" className="button primary big" onClick={make}>{t.make.button}</button>
          </>
        )}
      </div>
    </section>
  );
}

/**
 * What a screen reader says of it: each stage once, each quarter of the way, and the end. Errors
 * are alerts of their own.
 */
function announcement(phase: Phase, t: Messages): string {
  switch (phase.kind) {
    case 'sending':
      return t.make.sending;
    case 'working': {
      const quarter = 25 * Math.floor(phase.job.progress / 25);
      return `${workName(phase, t)}${quarter > 0 ? ` ${t.make.percent(quarter)}` : ''}`;
    }
    case 'done':
      return t.make.done;
    case 'cancelled':
      return t.make.cancelled;
    default:
      return '';
  }
}

interface FailedProps {
  problem: Problem;
  draft: Draft;
  limits: Limits | null;
  retry: () => void;
  back: () => void;
}

function Failed({ problem, draft, limits, retry, back }: FailedProps) {
  const { language, messages: t } = useLanguage();
  const gone = problem.code === 'gone' && limits ? t.error.goneAfter(spanOf(limits.keep.videos_s, language)) : null;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!problem.field) button.current?.focus({ preventScroll: true });
  }, [problem]);
  const noPhoto = !draft.photo;
  return (
    <div className="failed">
      <div role="alert">
        <h2><WarnIcon /> {t.error.title}</h2>
        <p>{gone ?? sentence(problem, t)}</p>
        {noPhoto && problem.code !== 'gone' && <p>{t.error.needPhoto}</p>}
      </div>
      <div className="row">
        {problem.code !== 'gone' && <button ref={button} type="button" className="button primary" onClick={retry}>{t.error.retry}</button>}
        <button type="button" className="button" onClick={back}>{t.error.back}</button>
      </div>
    </div>
  );
}

/** What to do, in the person's words: the server's own sentence where it sent one. */
export function sentence(problem: unknown, t: Messages): string {
  if (!isProblem(problem)) return t.error.unexpected;
  if (problem.message) return problem.message;
  switch (problem.code) {
    case 'network':
      return t.error.network;
    case 'busy':
      return t.error.busy;
    case 'gone':
      return t.error.gone;
    case 'job':
      return t.error.job;
    default:
      return t.error.unexpected;
  }
}
