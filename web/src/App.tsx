// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchBackgrounds, fetchLimits, fetchMusic, fetchVoices } from './api/client.ts';
import type { Job } from './api/types.ts';
import { useLanguage } from './i18n/language.tsx';
import { whenUnclaimed } from './lib/claim.ts';
import { excerpt } from './lib/text.ts';
import { Dock } from './parts/Dock.tsx';
import { Footer, Header, Notices } from './parts/Frame.tsx';
import { LookStep } from './parts/LookStep.tsx';
import { MessageStep } from './parts/MessageStep.tsx';
import { MoreStep } from './parts/MoreStep.tsx';
import { PhotoStep } from './parts/PhotoStep.tsx';
import { RecentList } from './parts/RecentList.tsx';
import { Stage } from './parts/Stage.tsx';
import { VoiceStep } from './parts/VoiceStep.tsx';
import { fieldOf, firstGap, formOf, useDraft, voiceOf, type Field } from './state/draft.ts';
import { useJob } from './state/job.ts';
import { useLoaded } from './state/loaded.ts';
import { usePhoto } from './state/photo.ts';
import { statusOf, storedRecent, unfinished, useRecent, type Recent } from './state/recent.ts';

export function App() {
  const { language, messages: t } = useLanguage();
  const [draft, change] = useDraft();
  const takePhoto = usePhoto(draft.face, change);
  const voices = useLoaded(fetchVoices, language);
  const backgrounds = useLoaded(fetchBackgrounds, language);
  const music = useLoaded(fetchMusic, language);
  const limits = useLoaded(fetchLimits, '');
  const [gap, setGap] = useState<Field | null>(null);
  const stage = useRef<HTMLElement>(null);
  const recent = useRecent();
  const { add, update } = recent;

  const voice = voiceOf(draft, voices.value, language);
  const credit = voices.value?.voices.find((item) => item.id === voice)?.credit ?? null;
  const sent = useRef<Omit<Recent, 'id' | 'at' | 'status'>>(null);
  const shownId = useRef<string | null>(null);
  const hasPhoto = useRef(false);
  hasPhoto.current = draft.photo !== null;

  const onAccepted = useCallback(
    (job: Job) => {
      shownId.current = job.id;
      if (sent.current) add({ ...sent.current, id: job.id, at: Date.now(), status: statusOf(job) });
    },
    [add],
  );
  const onChange = useCallback((job: Job) => update(job.id, statusOf(job)), [update]);
  const onGone = useCallback((id: string) => update(id, 'gone'), [update]);
  const job = useJob({ onAccepted, onChange, onGone });
  const { phase, start, show } = job;

  useEffect(() => {
    // A message that was being made when the page was left is picked up again.
    // Not where another tab shows it already; when that one is closed, if there is nothing else here.
    const waiting = unfinished(recent.list);
    if (!waiting) return;
    const stop = new AbortController();
    const take = (waited: boolean) => {
      if (shownId.current !== null) return;
      if (waited && (hasPhoto.current || unfinished(storedRecent())?.id !== waiting.id)) return;
      shownId.current = waiting.id;
      show(waiting.id);
    };
    whenUnclaimed(waiting.id, take, stop.signal);
    return () => stop.abort();
  }, [show]);

  const attention = useCallback((field: Field) => {
    setGap(field);
    focusField(field);
  }, []);

  useEffect(() => {
    const field = phase.kind === 'failed' ? fieldOf(phase.problem.field) : null;
    if (field) attention(field);
  }, [phase, attention]);

  useEffect(() => {
    // What one may do with the video takes more room than the progress did.
    if (phase.kind === 'done' && isSeen(stage.current)) reveal(stage.current);
  }, [phase.kind]);

  const make = useCallback(() => {
    const missing = firstGap(draft);
    if (missing) return attention(missing);
    setGap(null);
    sent.current = { text: excerpt(draft.text, 60), format: draft.format, credit };
    void start(formOf(draft, voice));
    toStage(stage.current);
  }, [attention, credit, draft, start, voice]);

  const open = (item: Recent) => {
    shownId.current = item.id;
    show(item.id);
    toStage(stage.current);
  };
  const shownRecent = recent.list.find((item) => item.id === shownId.current) ?? null;
  const fault = phase.kind === 'failed' ? { field: fieldOf(phase.problem.field), detail: phase.problem.message } : null;

  return (
    <>
      <a className="skip" href="#photo">{t.skip}</a>
      <Header />
      <main>
        <form className="columns" onSubmit={(event) => event.preventDefault()} noValidate>
          <div className="steps">
            <div className="hero">
              <h1>{t.headline}</h1>
              <p>{t.intro}</p>
            </div>
            <PhotoStep draft={draft} change={change} take={takePhoto} missing={gap === 'image'} fault={fault} />
            <MessageStep draft={draft} change={change} missing={gap === 'text'} fault={fault} />
            <VoiceStep draft={draft} change={change} voices={voices} chosen={voice} fault={fault} />
            <LookStep draft={draft} change={change} backgrounds={backgrounds} missing={gap === 'background'} fault={fault} />
            <MoreStep draft={draft} change={change} music={music} open={gap === 'details'} />
          </div>
          <Stage ref={stage} draft={draft} job={job} backgrounds={backgrounds.value} recent={shownRecent} limits={limits.value} make={make} />
        </form>
        <RecentList recent={recent} open={open} current={shownId.current} />
      </main>
      {(phase.kind === 'compose' || phase.kind === 'cancelled') && firstGap(draft) === null && <Dock stage={stage} make={make} />}
      <Footer credit={credit} limits={limits.value} />
      <Notices busy={phase.kind === 'sending' || phase.kind === 'working'} />
    </>
  );
}

export interface Fault {
  field: Field | null;
  detail: string;
}

function toStage(stage: HTMLElement | null): void {
  if (!stage) return;
  stage.focus({ preventScroll: true });
  reveal(stage);
}

function reveal(element: HTMLElement): void {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  element.scrollIntoView({ block: 'nearest', behavior: calm ? 'auto' : 'smooth' });
}

function isSeen(element: HTMLElement | null): element is HTMLElement {
  const box = element?.getBoundingClientRect();
  return box !== undefined && box.bottom > 0 && box.top < innerHeight;
}

function focusField(field: Field): void {
  const step = document.getElementById(`field-${field}`);
  const target = step?.matches('textarea, input, button, summary')
    ? step
    : step?.querySelector<HTMLElement>('input:checked, textarea, button, input, summary');
  (target ?? step)?.focus();
  step?.scrollIntoView({ block: 'center' });
}
