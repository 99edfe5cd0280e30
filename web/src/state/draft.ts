// SPDX-License-Identifier: Apache-2.0
import { useEffect, useReducer } from 'react';
import { fileName } from '../api/client.ts';
import type { Face, Format, VoicesReply } from '../api/types.ts';
import { keepPicture, keptPicture } from '../lib/pictures.ts';
import { readStored, writeStored } from '../lib/storage.ts';
import { codePoints, languageOf, MAX_TEXT } from '../lib/text.ts';

export type BackgroundKind = 'keep' | 'blur' | 'color' | 'preset' | 'upload';

export interface Background {
  kind: BackgroundKind;
  color: string;
  preset: string | null;
}

/** Where the check of a photo stands. `broken` stops the making, `unchecked` does not. */
export type PhotoState = 'checking' | 'ready' | 'none' | 'broken' | 'unchecked';

export interface Photo {
  blob: Blob;
  url: string;
  shown: boolean; // can this browser show it?
  width: number;
  height: number;
  state: PhotoState;
  faces: Face[];
  problem: string | null;
}

export interface Details {
  speed: number;
  pitch: number;
  intonation: number;
  volume: number;
  pause: number;
  motion: boolean;
  music: string;
}

export interface Draft {
  photo: Photo | null;
  face: number | null; // index, null: the largest
  text: string;
  voice: string | null; // null: by the language of the text
  background: Background;
  backgroundImage: { blob: Blob; url: string } | null;
  format: Format;
  details: Details;
}

export const NORMAL: Details = {
  speed: 1,
  pitch: 0,
  intonation: 1,
  volume: 1,
  pause: 1,
  motion: true,
  music: 'none',
};

const EMPTY: Draft = {
  photo: null,
  face: null,
  text: '',
  voice: null,
  background: { kind: 'keep', color: '#f6d5c8', preset: null },
  backgroundImage: null,
  format: '1:1',
  details: NORMAL,
};

export type Change = Partial<Draft> | ((draft: Draft) => Partial<Draft>);

const KEY = 'vm.draft';
const BEHIND = 'background';
type Kept = Pick<Draft, 'text' | 'voice' | 'background' | 'format' | 'details' | 'face'>;

/** What was typed and chosen comes back after a reload of this tab; pictures follow a moment later. */
function restored(): Draft {
  const kept = readStored<Partial<Kept>>(KEY, () => sessionStorage) ?? {};
  const draft: Draft = { ...EMPTY, ...kept };
  draft.background = { ...EMPTY.background, ...kept.background };
  draft.details = { ...NORMAL, ...kept.details };
  return draft;
}

function reduce(draft: Draft, change: Change): Draft {
  return { ...draft, ...(typeof change === 'function' ? change(draft) : change) };
}

export function useDraft(): [Draft, (change: Change) => void] {
  const [draft, change] = useReducer(reduce, null, restored);
  const { text, voice, background, format, details, photo, face, backgroundImage } = draft;
  const chosen = photo?.faces.length ? face : undefined; // before it was looked at, nobody was chosen
  useEffect(() => {
    const known = readStored<Partial<Kept>>(KEY, () => sessionStorage)?.face ?? null;
    const kept: Kept = { text, voice, background, format, details, face: chosen === undefined ? known : chosen };
    writeStored(KEY, kept, () => sessionStorage);
  }, [text, voice, background, format, details, chosen]);

  useEffect(() => {
    if (background.kind !== 'upload' || backgroundImage) return;
    void keptPicture(BEHIND).then((blob) => {
      if (blob) change({ backgroundImage: { blob, url: URL.createObjectURL(blob) } });
      else change((now) => (now.backgroundImage ? {} : { background: { ...now.background, kind: 'keep' } }));
    });
    // Once, at the start: the picture of before a reload.
  }, []);
  const behind = backgroundImage?.blob ?? null;
  useEffect(() => {
    if (behind) void keepPicture(BEHIND, behind);
  }, [behind]);
  return [draft, change];
}

export type Field = 'image' | 'text' | 'voice_profile' | 'background' | 'format' | 'details';

/** The first thing that keeps the video from being made, in the order of the page. */
export function firstGap(draft: Draft): Field | null {
  const { photo } = draft;
  if (!photo || photo.state === 'none' || photo.state === 'broken') return 'image';
  if (draft.text.trim() === '' || codePoints(draft.text) > MAX_TEXT) return 'text';
  if (draft.background.kind === 'upload' && !draft.backgroundImage) return 'background';
  return null;
}

/** The input on the page that a problem document's field is about. */
export function fieldOf(name: string | null): Field | null {
  switch (name) {
    case 'image':
    case 'face':
      return 'image';
    case 'text':
    case 'voice_profile':
    case 'format':
      return name;
    case 'background':
    case 'background_image':
      return 'background';
    case 'bgm':
    case 'speed':
    case 'pitch':
    case 'intonation':
    case 'volume':
    case 'pause':
    case 'motion':
      return 'details';
    default:
      return null;
  }
}

/** The chosen voice, or the default for the text's language (else the page's). */
export function voiceOf(draft: Draft, reply: VoicesReply | null, pageLanguage: string): string | null {
  if (!reply) return draft.voice;
  if (draft.voice && reply.voices.some((voice) => voice.id === draft.voice)) return draft.voice;
  const language = languageOf(draft.text) ?? pageLanguage;
  const first = reply.voices.find((voice) => voice.language.startsWith(language));
  return reply.default[language] ?? first?.id ?? reply.voices[0]?.id ?? null;
}

export function formOf(draft: Draft, voice: string | null): FormData {
  const form = new FormData();
  if (draft.photo) form.append('image', draft.photo.blob, fileName(draft.photo.blob));
  form.append('text', draft.text);
  if (voice) form.append('voice_profile', voice);
  form.append('background', backgroundValue(draft.background));
  if (draft.background.kind === 'upload' && draft.backgroundImage) {
    const { blob } = draft.backgroundImage;
    form.append('background_image', blob, fileName(blob));
  }
  form.append('format', draft.format);
  for (const key of ['speed', 'pitch', 'intonation', 'volume', 'pause'] as const) {
    if (draft.details[key] !== NORMAL[key]) form.append(key, String(draft.details[key]));
  }
  form.append('bgm', draft.details.music);
  form.append('motion', draft.details.motion ? 'on' : 'off');
  if (draft.face !== null) form.append('face', String(draft.face));
  return form;
}

/** The part of the form that a still is made from, with smaller copies of the pictures. */
export function previewFormOf(draft: Draft, image: Blob, behind: Blob | null): FormData {
  const form = new FormData();
  form.append('image', image, fileName(image));
  form.append('background', backgroundValue(draft.background));
  if (draft.background.kind === 'upload' && behind) form.append('background_image', behind, fileName(behind));
  form.append('format', draft.format);
  if (draft.face !== null) form.append('face', String(draft.face));
  return form;
}

function backgroundValue({ kind, color, preset }: Background): string {
  if (kind === 'color') return `color:${color}`;
  if (kind === 'preset') return preset ? `preset:${preset}` : 'keep';
  return kind;
}

/** As people count who stand side by side. */
export function fromTheLeft(faces: Face[]): Face[] {
  return [...faces].sort((a, b) => a.box.x - b.box.x);
}

/** The id of a person's radio button. */
export function personId(face: Face): string {
  return `person-${face.index}`;
}
