// SPDX-License-Identifier: Apache-2.0
/**
 * Pictures that were chosen, kept in this browser so that a reload does not lose them. Each tab has
 * its own; those of tabs that went away are removed a day later. Where the browser keeps nothing
 * (private windows of some), they are just not remembered.
 */
import { readStored, writeStored } from './storage.ts';

const STORE = 'pictures';
const KEEP_MS = 24 * 3600 * 1000;

interface Kept {
  blob: Blob;
  at: number;
}

function tab(): string {
  const known = readStored<string>('vm.tab', () => sessionStorage);
  if (known) return known;
  const made = Math.random().toString(36).slice(2);
  writeStored('vm.tab', made, () => sessionStorage);
  return made;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= (async () => {
    const request = indexedDB.open('video-message', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    const db = await settled(request);
    void sweep(db);
    return db;
  })();
  return opened;
}

async function sweep(db: IDBDatabase): Promise<void> {
  const store = db.transaction(STORE, 'readwrite').objectStore(STORE);
  for (const key of await settled(store.getAllKeys())) {
    const kept = (await settled(store.get(key))) as Kept;
    if (kept.at < Date.now() - KEEP_MS) store.delete(key);
  }
}

export async function keepPicture(name: string, blob: Blob | null): Promise<void> {
  try {
    const store = (await database()).transaction(STORE, 'readwrite').objectStore(STORE);
    const key = `${tab()} ${name}`;
    if (blob) await settled(store.put({ blob, at: Date.now() } satisfies Kept, key));
    else await settled(store.delete(key));
  } catch {
    // A private window or a full disk.
  }
}

export async function keptPicture(name: string): Promise<Blob | null> {
  try {
    const store = (await database()).transaction(STORE).objectStore(STORE);
    const kept = (await settled(store.get(`${tab()} ${name}`))) as Kept | undefined;
    return kept?.blob ?? null;
  } catch {
    return null;
  }
}
