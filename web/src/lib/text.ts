// SPDX-License-Identifier: Apache-2.0

export const MAX_TEXT = 1000;

/** Characters as the server counts them: code points, not UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
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
