// SPDX-License-Identifier: Apache-2.0

export const MAX_TEXT = 1000;

/** Characters as the server counts them: code points, not UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** How long something is kept, in whole days or, when it is less than two, hours. */
export function spanOf(seconds: number, language: string): string {
  const days = seconds >= 2 * 86400;
  const unit = days ? 'day' : 'hour';
  const count = Math.max(1, Math.round(seconds / (days ? 86400 : 3600)));
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count).replace(' 日', '日').replace(' 時間', '時間');
}

/** Seconds left in steps as coarse as the guess is, so that the number does not flicker. */
export function roundLeft(seconds: number): number {
  const step = seconds <= 10 ? 1 : seconds <= 55 ? 5 : 30;
  return step * Math.ceil(seconds / step);
}

/** The language a text is most likely in; null while there is nothing to tell it by. */
export function languageOf(text: string): 'ja' | 'en' | null {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(text)) return 'ja';
  if (/\p{Script=Latin}/u.test(text)) return 'en';
  return null;
}

/** The beginning of a text, for lists: one line, never half a character. */
export function excerpt(text: string, max = 40): string {
  const line = text.replace(/\s+/gu, ' ').trim();
  const points = [...line];
  return points.length <= max ? line : `${points.slice(0, max - 1).join('')}…`;
}
