// SPDX-License-Identifier: Apache-2.0

export const MAX_BYTES = 10_000_000;
const MAX_PIXELS = 50_000_000;
const MAX_SIDE = 4096;

/**
 * A photo as it is sent: itself, or, where it is over the limit and the browser can read it, a
 * smaller JPEG of it. Nobody should have to shrink a phone's photo by hand.
 */
export async function fitPhoto(file: Blob): Promise<Blob> {
  if (file.size > MAX_BYTES) return shrink(file, MAX_SIDE);
  const url = URL.createObjectURL(file);
  const size = await measure(url);
  URL.revokeObjectURL(url);
  return size && size.width * size.height > MAX_PIXELS ? shrink(file, MAX_SIDE) : file;
}

async function shrink(file: Blob, side: number): Promise<Blob> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return file; // The server says what is wrong with it, better than we could.
  }
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return (await jpegOf(canvas)) ?? file;
}

export function jpegOf(canvas: HTMLCanvasElement): Promise<Blob | null> {
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
}

/** Width and height as shown, or null for a kind that this browser cannot show (HEIC in most). */
export function measure(url: string): Promise<{ width: number; height: number } | null> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => resolve(null);
    image.src = url;
  });
}

const SMALL_SIDE = 1280;
const small = new WeakMap<Blob, Promise<Blob>>();

/** A copy that is quick to send, made once; the picture itself where it is small already. */
export function smallCopy(picture: Blob): Promise<Blob> {
  const known = small.get(picture);
  if (known) return known;
  const made = picture.size < 400_000 ? Promise.resolve(picture) : shrink(picture, SMALL_SIDE);
  small.set(picture, made);
  return made;
}
