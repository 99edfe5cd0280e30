// SPDX-License-Identifier: Apache-2.0
/** Browser storage that may be full, broken or forbidden: then things are just not remembered. */

export function readStored<T>(key: string, storage: () => Storage = () => localStorage): T | null {
  try {
    const text = storage().getItem(key);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

export function writeStored(key: string, value: unknown, storage: () => Storage = () => localStorage): void {
  try {
    storage().setItem(key, JSON.stringify(value));
  } catch {
    // Private mode or a full disk.
  }
}
