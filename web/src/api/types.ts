// SPDX-License-Identifier: Apache-2.0
/** What the gateway sends and takes, as it is on the wire. */

export type Format = '1:1' | '9:16' | '16:9';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Face {
  index: number;
  box: Box;
  score: number;
  /** The head, as a data URL; only when there are several faces. */
  thumbnail?: string | null;
  usable: boolean;
  /** Why it is not usable: a sentence in the language that was asked for, and a code. */
  problem?: string | null;
  code?: string | null;
}

export interface FacesReply {
  width: number;
  height: number;
  faces: Face[];
}

export interface Voice {
  id: string;
  language: string;
  name: string;
  description?: string | null;
  engine?: string | null;
  credit?: string | null;
}

export interface VoicesReply {
  voices: Voice[];
  default: Partial<Record<string, string>>;
}

export interface BackgroundPreset {
  id: string;
  name: string;
  category: string;
  thumbnail: string;
  image: string;
}

export interface MusicPreset {
  id: string;
  name: string;
  description?: string | null;
  preview: string;
}

/** A part of /api/limits. */
export interface Limits {
  keep: { uploads_s: number; videos_s: number };
}

export type JobStatus = 'queued' | 'running' | 'done' | 'error' | 'cancelled';

export interface Job {
  id: string;
  status: JobStatus;
  stage?: string | null;
  progress: number;
  eta_s?: number | null;
  created_at?: number | string | null;
  started_at?: number | string | null;
  completed_at?: number | string | null;
  video_url?: string | null;
  file_name?: string | null;
  error?: ProblemDocument | string | null;
}

/** RFC 9457, with the field at fault and a code that does not change with the language. */
export interface ProblemDocument {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  field?: string | null;
  code?: string;
}
