// SPDX-License-Identifier: Apache-2.0
// Keeps the shell (the page, its script, style and pictures) so that the app opens without a
// network. Everything else, the API and videos above all, always goes to the network untouched.
const VERSION = '__VERSION__';
const SHELL = ['__SHELL__'];
const CACHE = `shell-${VERSION}`;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)));
});

self.addEventListener('activate', (event) => {
  const others = (names) => names.filter((name) => name.startsWith('shell-') && name !== CACHE);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(others(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// A new version waits until the person agrees to reload, so that nothing changes under a running job.
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') self.skipWaiting();
});

async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match('/', { cacheName: CACHE });
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (url.pathname === '/') event.respondWith(page(request));
    return;
  }
  if (!SHELL.includes(url.pathname) || url.pathname === '/') return;
  event.respondWith(
    caches.match(url.pathname, { cacheName: CACHE }).then((kept) => kept ?? fetch(request)),
  );
});
