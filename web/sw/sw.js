// SPDX-License-Identifier: Apache-2.0
// Keeps the shell (the page, its script, style and pictures) so that the app opens without a
// network. Everything else, the API and videos above all, always goes to the network untouched.
const VERSION = '__VERSION__';
const SHELL = ['__SHELL__'];
const PATIENCE_MS = 4000;
const CACHE = `shell-${VERSION}`;

self.addEventListener('install', (event) => {
  const fresh = SHELL.map((path) => new Request(path, { cache: path === '/' ? 'reload' : 'default' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
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

// The server's page, so that a new version is seen at once. Where there is no network, a server that
// is just being restarted, or nothing within a few seconds: the kept one.
async function page(request) {
  const kept = await caches.match('/', { cacheName: CACHE });
  if (!kept) return fetch(request);
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  const asked = fetch(request).then(
    (answer) => (answer.status >= 500 ? kept : answer),
    () => kept,
  );
  return Promise.race([asked, late]);
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
