// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'react';
import { fetchVideo, jobPath } from '../api/client.ts';
import type { Job } from '../api/types.ts';
import { useMessages } from '../i18n/language.tsx';
import type { Recent } from '../state/recent.ts';
import { SaveIcon, ShareIcon } from './icons.tsx';
import { Good } from './Step.tsx';

function videoUrl(job: Job): string {
  return job.video_url ?? `${jobPath(job.id)}/video`;
}

/** The day and how the message begins, where the server says it. */
function nameOf(job: Job): string {
  return job.file_name ?? 'video-message.mp4';
}

export function Result({ job }: { job: Job }) {
  const t = useMessages();
  const [broken, setBroken] = useState(false);
  return (
    <>
      <video key={job.id} src={videoUrl(job)} poster={`${jobPath(job.id)}/thumbnail`} controls playsInline autoPlay preload="auto" aria-label={t.make.video} onError={() => setBroken(true)} />
      {broken && <p className="preview-empty">{t.make.noPlay}</p>}
    </>
  );
}

interface Props {
  job: Job;
  recent: Recent | null;
  again: () => void;
}

Result.Actions = function Actions({ job, recent, again }: Props) {
  const t = useMessages();
  const [said, setSaid] = useState('');
  const save = useRef<HTMLAnchorElement>(null);
  useEffect(() => save.current?.focus({ preventScroll: true }), []);
  const url = videoUrl(job);
  const file = useShareable(url, nameOf(job));
  const share = async () => setSaid((await shareVideo(file, t.make.shareTitle)) ? '' : (await copyLink(url)) ? t.make.copied : t.make.copyFailed);
  return (
    <div className="result">
      <div aria-hidden="true"><Good>{t.make.done}</Good></div>
      <div className="row">
        <a ref={save} className="button primary" href={`${url}${url.includes('?') ? '&' : '?'}download=1`} download={nameOf(job)}>
          <SaveIcon /> {t.make.download}
        </a>
        <button type="button" className="button" onClick={() => void share()}><ShareIcon /> {t.make.share}</button>
      </div>
      <p className="say" role="status">{said}</p>
      {recent?.credit && <p className="hint">{t.app.credit(recent.credit)}</p>}
      <button type="button" className="link" onClick={again}>{t.make.again}</button>
    </div>
  );
};

/**
 * The video as a file for the share sheet, fetched beforehand: a sheet opens only right after a
 * touch, and a download would come between. Null where there is no sheet.
 */
function useShareable(url: string, name: string): Promise<File> | null {
  const [file, setFile] = useState<Promise<File> | null>(null);
  useEffect(() => {
    if (!('canShare' in navigator)) return;
    const fetched = fetchVideo(url).then((blob) => new File([blob], name, { type: 'video/mp4' }));
    fetched.catch(() => {}); // told when somebody wants to share it
    setFile(fetched);
  }, [url, name]);
  return file;
}

/** Hands the file to the system's share sheet; false where there is none. Closing it is no failure. */
async function shareVideo(fetched: Promise<File> | null, title: string): Promise<boolean> {
  if (!fetched) return false;
  try {
    const data = { files: [await fetched], title };
    if (!navigator.canShare(data)) return false;
    await navigator.share(data);
    return true;
  } catch (error) {
    return error instanceof DOMException && error.name === 'AbortError';
  }
}

async function copyLink(url: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(new URL(url, location.href).href);
    return true;
  } catch {
    return false;
  }
}
