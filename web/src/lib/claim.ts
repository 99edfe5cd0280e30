// SPDX-License-Identifier: Apache-2.0
/**
 * Which tab shows a message that is being made: the one that holds its claim. Where the browser has
 * no locks (a page without TLS), every tab is free to.
 */
const nameOf = (job: string) => `vm.job.${job}`;

/** Claims a job for this tab. Returns how to let go of it; a tab that closes lets go by itself. */
export function claim(job: string): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  navigator.locks?.request(nameOf(job), () => held).catch(() => {});
  return () => release();
}

/**
 * Calls `then` once, as soon as no other tab has claimed the job, unless the signal comes first.
 * `waited` tells whether one had. Until it returns no other tab can claim the job, unless `then` asks.
 */
export function whenUnclaimed(job: string, then: (waited: boolean) => void, signal: AbortSignal): void {
  const name = nameOf(job);
  const ready = (waited: boolean) => {
    if (signal.aborted) return;
    try {
      then(waited);
    } catch (error) {
      reportError(error); // its own, not a refused lock's
    }
  };
  if (!navigator.locks) return ready(false);
  const wait = () => void navigator.locks.request(name, { signal }, () => ready(true)).catch(() => {});
  // Refused in a page that is going away, or where a browser's settings forbid storage.
  navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? ready(false) : wait())).catch(() => ready(false));
}
