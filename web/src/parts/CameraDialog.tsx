// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'react';
import { useMessages } from '../i18n/language.tsx';
import { jpegOf } from '../lib/photo.ts';
import { CameraIcon, CloseIcon } from './icons.tsx';
import { Warning } from './Step.tsx';

interface Props {
  take: (photo: Blob) => Promise<void>;
  close: () => void;
}

export function CameraDialog({ take, close }: Props) {
  const t = useMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<'opening' | 'live' | 'refused' | 'absent'>('opening');
  const [round, setRound] = useState(0);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let gone = false;
    const size = { width: { ideal: 1920 }, height: { ideal: 1440 }, facingMode: 'user' };
    navigator.mediaDevices.getUserMedia({ video: size, audio: false }).then(
      (opened) => {
        stream = opened;
        if (gone || !video.current) return stopAll(stream);
        video.current.srcObject = opened;
      },
      (error: unknown) => {
        if (!gone) setState(error instanceof DOMException && error.name === 'NotFoundError' ? 'absent' : 'refused');
      },
    );
    return () => {
      gone = true;
      stopAll(stream);
    };
  }, [round]);
  const retry = () => {
    setState('opening');
    setRound(round + 1);
  };

  const shoot = async () => {
    const source = video.current;
    if (!source) return;
    const canvas = document.createElement('canvas');
    canvas.width = source.videoWidth;
    canvas.height = source.videoHeight;
    canvas.getContext('2d')?.drawImage(source, 0, 0);
    const photo = await jpegOf(canvas);
    if (photo) void take(photo);
    close();
  };

  return (
    <dialog ref={dialog} className="camera" aria-labelledby="camera-title" onClose={close}>
      <div className="camera-head">
        <h2 id="camera-title">{t.camera.title}</h2>
        <button type="button" className="round" aria-label={t.camera.close} onClick={close}>
          <CloseIcon />
        </button>
      </div>
      {state === 'refused' || state === 'absent' ? (
        <>
          <div role="alert"><Warning>{t.camera[state]}</Warning></div>
          <div className="row">
            <button type="button" className="button primary" onClick={retry}>{t.error.retry}</button>
            <button type="button" className="button" onClick={close}>{t.camera.close}</button>
          </div>
        </>
      ) : (
        <>
          <video ref={video} autoPlay muted playsInline onLoadedData={() => setState('live')} />
          <p className="hint">{t.camera.hint}</p>
          <button type="button" className="button primary" disabled={state !== 'live'} onClick={() => void shoot()}>
            <CameraIcon /> {t.camera.shoot}
          </button>
        </>
      )}
    </dialog>
  );
}

function stopAll(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
