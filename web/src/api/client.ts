// SPDX-License-Identifier: Apache-2.0
import { networkProblem, problemFromText } from './problem.ts';
import type { BackgroundPreset, FacesReply, Job, Limits, MusicPreset, VoicesReply } from './types.ts';

let language = 'ja';

/** Names and error sentences come in this language. */
export function setRequestLanguage(next: string): void {
  language = next;
}

export function requestLanguage(): string {
  return language;
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { 'Accept-Language': language, ...init.headers };
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw networkProblem();
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  throw problemFromText(text, response.status, response.headers.get('Retry-After'));
}

async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await request(path, init);
  return (await response.json()) as T;
}

export function fetchVoices(): Promise<VoicesReply> {
  return json('/api/voices');
}

export async function fetchBackgrounds(): Promise<BackgroundPreset[]> {
  const reply = await json<{ backgrounds: BackgroundPreset[] }>('/api/presets/backgrounds');
  return reply.backgrounds;
}

export async function fetchMusic(): Promise<MusicPreset[]> {
  const reply = await json<{ music: MusicPreset[] }>('/api/presets/music');
  return reply.music;
}

export function fetchLimits(): Promise<Limits> {
  return json('/api/limits');
}

export function findFaces(photo: Blob, signal: AbortSignal): Promise<FacesReply> {
  const body = new FormData();
  body.append('image', photo, fileName(photo));
  return json('/api/image/faces', { method: 'POST', body, signal });
}

/** A still of what the video will show. */
export async function fetchPreview(form: FormData, signal: AbortSignal): Promise<Blob> {
  const response = await request('/api/image/preview', { method: 'POST', body: form, signal });
  return response.blob();
}

export function fetchJob(id: string): Promise<Job> {
  return json(jobPath(id), { cache: 'no-store' });
}

export async function cancelJob(id: string): Promise<void> {
  await request(jobPath(id), { method: 'DELETE' });
}

export async function fetchVideo(url: string): Promise<Blob> {
  const response = await request(url);
  return response.blob();
}

export function jobPath(id: string): string {
  return `/api/video/jobs/${encodeURIComponent(id)}`;
}

export function sampleUrl(voice: string): string {
  return `/api/voices/${encodeURIComponent(voice)}/sample`;
}

/** The name tells the server nothing that it needs, so people's file names stay at home. */
export function fileName(blob: Blob): string {
  const kind = blob.type.split('/')[1]?.replace('jpeg', 'jpg').replace('svg+xml', 'svg');
  return `photo.${kind || 'bin'}`;
}
