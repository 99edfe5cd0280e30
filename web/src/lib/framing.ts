// SPDX-License-Identifier: Apache-2.0
import type { Box, Format } from '../api/types.ts';

export const RATIO: Record<Format, number> = { '1:1': 1, '9:16': 9 / 16, '16:9': 16 / 9 };

interface Size {
  width: number;
  height: number;
}

/** The face's share of the frame's height, and how far down the eyes stand. */
const FRAMING: Record<Format, { face: number; eyes: number }> = {
  '9:16': { face: 0.25, eyes: 0.36 },
  '1:1': { face: 0.36, eyes: 0.41 },
  '16:9': { face: 0.42, eyes: 0.42 },
};
/** In the detector's box, which reaches from the brows to the chin. */
const EYES_IN_BOX = 0.3;

/**
 * The part of the photo that will fill the frame: head and shoulders, moved back into the photo
 * where possible. Like the server's own crop, close enough to choose a format by.
 */
export function frameOf(photo: Size, face: Box | null, format: Format): Box {
  const ratio = RATIO[format];
  if (!face) {
    const width = Math.min(photo.width, photo.height * ratio);
    const height = width / ratio;
    return { x: (photo.width - width) / 2, y: (photo.height - height) / 3, width, height };
  }
  const framing = FRAMING[format];
  let height = face.height / framing.face;
  height = Math.min(height, photo.height, photo.width / ratio);
  const width = height * ratio;
  const centreX = face.x + face.width / 2;
  const eyes = face.y + face.height * EYES_IN_BOX;
  const x = clamp(centreX - width / 2, 0, photo.width - width);
  const y = clamp(eyes - height * framing.eyes, 0, photo.height - height);
  return { x, y, width, height };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

/** Where the whole photo lies, in percent of a frame that shows `frame` of it. */
export function placement(photo: Size, frame: Box): Record<'left' | 'top' | 'width' | 'height', string> {
  const percent = (value: number, whole: number) => `${((100 * value) / whole).toFixed(3)}%`;
  return {
    left: percent(-frame.x, frame.width),
    top: percent(-frame.y, frame.height),
    width: percent(photo.width, frame.width),
    height: percent(photo.height, frame.height),
  };
}

/** A box in percent of the photo, for marks that lie over it. */
export function within(photo: Size, box: Box): Record<'left' | 'top' | 'width' | 'height', string> {
  return {
    left: `${(100 * box.x) / photo.width}%`,
    top: `${(100 * box.y) / photo.height}%`,
    width: `${(100 * box.width) / photo.width}%`,
    height: `${(100 * box.height) / photo.height}%`,
  };
}
