// SPDX-License-Identifier: Apache-2.0

const FIRST_MS = 2000;
const LONGEST_MS = 60_000;

/**
 * How long to wait after that many failures in a row: short while a server is being restarted, a
 * minute at most, and not the same for everybody, so that they do not all come back at once.
 */
export function pauseAfter(failures: number, chance = Math.random()): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return full * (0.75 + 0.25 * chance);
}

/** Until then, or until the network is back, or until nobody waits any more. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, milliseconds);
    function end(): void {
      clearTimeout(timer);
      window.removeEventListener('online', end);
      signal.removeEventListener('abort', end);
      resolve();
    }
    window.addEventListener('online', end);
    signal.addEventListener('abort', end);
  });
}
