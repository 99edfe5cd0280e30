// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState, type ChangeEvent } from 'react';
import sample from '../../../assets/sample/portrait.jpg';
import smallSample from '../../../assets/sample/portrait_small.jpg';
import type { Fault } from '../App.tsx';
import type { Face } from '../api/types.ts';
import { useMessages } from '../i18n/language.tsx';
import type { Messages } from '../i18n/en.ts';
import { fromTheLeft, type Change, type Draft, type Photo } from '../state/draft.ts';
import { useDrop } from '../state/drop.ts';
import { CameraDialog } from './CameraDialog.tsx';
import { FaceMarks } from './FaceMarks.tsx';
import { CameraIcon, Person, PhotoIcon } from './icons.tsx';
import { People } from './People.tsx';
import { Good, Step, Warning } from './Step.tsx';

interface Props {
  draft: Draft;
  change: (change: Change) => void;
  take: (file: Blob | null) => Promise<void>;
  missing: boolean;
  fault: Fault | null;
}

const TYPES = 'image/jpeg,image/png,image/webp,image/avif,image/heic,image/heif,.heic,.heif';

export function PhotoStep({ draft, change, take, missing, fault }: Props) {
  const t = useMessages();
  const input = useRef<HTMLInputElement>(null);
  const [camera, setCamera] = useState(false);
  const [sampling, setSampling] = useState<'no' | 'loading' | 'failed'>('no');
  const over = useDrop((file) => void take(file));
  const photo = draft.photo?.state === 'broken' && !draft.photo.shown ? null : draft.photo; // what is there to see
  const hadPhoto = useRef(false);
  const choose = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    // The button that was pressed disappears with the photo: keep the keyboard's place.
    if (hadPhoto.current && !photo && document.activeElement === document.body) choose.current?.focus();
    hadPhoto.current = photo !== null;
  }, [photo]);

  const chosen = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = ''; // so that the same file can be chosen again
    if (file) void take(file);
  };
  const useSample = async () => {
    setSampling('loading');
    const picture = await fetch(sample).then((response) => (response.ok ? response.blob() : null)).catch(() => null);
    setSampling(picture ? 'no' : 'failed');
    if (!picture) return;
    // Somebody who tries it out shall not have to think of a message first.
    change((now) => (now.text.trim() === '' ? { text: t.message.ideaList[0]?.[1] ?? '' } : {}));
    await take(picture);
  };
  const canShoot = 'mediaDevices' in navigator;
  const faultText = fault?.field === 'image' && photo ? fault.detail : null;

  return (
    <Step id="photo" number={1} title={t.photo.title} hint={t.photo.hint}>
      <input ref={input} className="hidden" type="file" accept={TYPES} onChange={chosen} tabIndex={-1} aria-hidden="true" />
      <div className={`photo ${photo ? 'has' : 'empty'} ${over ? 'over' : ''}`} id="field-image">
        {photo ? <Chosen photo={photo} draft={draft} /> : <Invitation over={over} />}
        {photo && photo.faces.length > 1 && (
          <People photo={photo} chosen={draft.face} choose={(face) => change({ face })} />
        )}
        <div className="photo-actions">
          <button ref={choose} type="button" className={photo ? 'button' : 'button primary'} onClick={() => input.current?.click()} aria-describedby="photo-state">
            <PhotoIcon /> {photo ? t.photo.change : t.photo.choose}
          </button>
          {canShoot && (
            <button type="button" className="button" onClick={() => setCamera(true)}>
              <CameraIcon /> {t.photo.camera}
            </button>
          )}
          {photo ? (
            <button type="button" className="link" onClick={() => void take(null)}>{t.photo.remove}</button>
          ) : (
            <button type="button" className="sample" onClick={() => void useSample()}>
              <img src={smallSample} alt="" width="40" height="40" /> {t.photo.sample}
            </button>
          )}
        </div>
      </div>
      <div id="photo-state" role="status">
        {draft.photo && <State photo={draft.photo} chosen={draft.face} />}
        {!draft.photo && sampling === 'loading' && <p className="say busy">{t.photo.sampleLoading}</p>}
        {!draft.photo && sampling === 'failed' && <Warning>{t.photo.sampleFailed}</Warning>}
        {!draft.photo && sampling === 'no' && missing && <Warning>{t.photo.missing}</Warning>}
        {faultText && <Warning>{faultText}</Warning>}
      </div>
      {camera && <CameraDialog take={take} close={() => setCamera(false)} />}
    </Step>
  );
}

function Invitation({ over }: { over: boolean }) {
  const t = useMessages();
  return (
    <div className="invitation">
      <Person />
      <p className={over ? '' : 'drop'}>{over ? t.photo.dropNow : t.photo.drop}</p>
    </div>
  );
}

function Chosen({ photo, draft }: { photo: Photo; draft: Draft }) {
  const t = useMessages();
  if (!photo.shown) return <p className="no-preview"><PhotoIcon /> {t.photo.noPreview}</p>;
  return (
    <div className="photo-view">
      <img src={photo.url} alt={t.photo.alt} />
      <FaceMarks photo={photo} chosen={draft.face} />
    </div>
  );
}

function State({ photo, chosen }: { photo: Photo; chosen: number | null }) {
  const t = useMessages();
  switch (photo.state) {
    case 'checking':
      return <p className="say busy">{t.photo.checking}</p>;
    case 'none':
      return <Warning>{t.photo.none}</Warning>;
    case 'broken':
      return <Warning>{photo.problem ?? t.photo.notPicture}</Warning>;
    case 'unchecked':
      return <p className="say">{t.photo.unchecked}</p>;
    case 'ready': {
      const face = photo.faces.find((item) => item.index === chosen);
      if (face && !face.usable) return <Warning>{faceProblem(face, t)}</Warning>;
      if (face && photo.faces.length > 1) {
        return <Good>{t.photo.speaks(fromTheLeft(photo.faces).indexOf(face) + 1)}</Good>;
      }
      return <Good>{t.photo.found}</Good>;
    }
  }
}

function faceProblem(face: Face, t: Messages): string {
  const code = face.code ?? '';
  if (code.includes('small')) return t.photo.tooSmall;
  if (code.includes('profile')) return t.photo.profile;
  return face.problem || t.photo.unusable;
}
