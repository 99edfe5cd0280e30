// SPDX-License-Identifier: Apache-2.0
import type { Job } from '../api/types.ts';
import type { Messages } from '../i18n/en.ts';

type Stages = Messages['make']['stages'];

/** Stages as the server names them, and those of other back ends, in the words of the page. */
const WORDS: [RegExp, keyof Stages][] = [
  [/receiv|upload|accept/, 'receive'],
  [/face|landmark|detect/, 'faces'],
  [/cut|matte|segment|background/, 'cutout'],
  [/photo|image|decode|portrait|prepare/, 'photo'],
  [/speech|voice|speak|tts|synth/, 'speech'],
  [/sound|music|bgm|mix|prosody|loud/, 'sound'],
  [/encod|publish|finish|store|mux/, 'encode'],
  [/render|anim|video|talk|lip/, 'render'],
];

export function stageName(job: Job, t: Messages): string {
  if (job.status === 'queued') return t.make.queued;
  const stage = (job.stage ?? '').toLowerCase();
  const word = WORDS.find(([pattern]) => pattern.test(stage));
  return word ? t.make.stages[word[1]] : t.make.working;
}
