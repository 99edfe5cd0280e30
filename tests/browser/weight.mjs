// SPDX-License-Identifier: Apache-2.0
// make bench-page: bytes of the first visit as they cross the wire, and how soon the page is there and
// can be used, on a telephone's screen with nothing kept from before. No test: it tells figures.
import { launch, startServer } from './stage.mjs';

const LINES = [
  ['local', null],
  ['1.6 Mbit/s, 150 ms', { latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 }],
  ['400 kbit/s, 400 ms', { latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 }],
];

async function visit(browser, url, line) {
  const context = await browser.newContext({ locale: 'ja-JP', viewport: { width: 360, height: 740 }, serviceWorkers: 'block' });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  if (line) await devtools.send('Network.emulateNetworkConditions', { offline: false, ...line });
  const paths = new Map();
  const bytes = { script: 0, style: 0, other: 0 };
  devtools.on('Network.requestWillBeSent', ({ requestId, request }) => paths.set(requestId, request.url));
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = { js: 'script', css: 'style' }[paths.get(requestId)?.split('.').pop()] ?? 'other';
    bytes[kind] += encodedDataLength;
  });
  const start = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.locator('h1').waitFor();
  const shown = performance.now() - start;
  await page.locator('input[name=voice]:checked').waitFor();
  const usable = performance.now() - start;
  await page.waitForLoadState('networkidle');
  await context.close();
  return { ...bytes, shown, usable };
}

const server = await startServer();
const browser = await launch();
console.log('| line | script, kB | style, kB | all else, kB | seen after, ms | usable after, ms |\n| --- | --- | --- | --- | --- | --- |');
await visit(browser, server.url, null); // wakes everybody up
for (const [name, line] of LINES) {
  const { script, style, other, shown, usable } = await visit(browser, server.url, line);
  const kilo = [script, style, other].map((count) => (count / 1000).toFixed(1));
  console.log(`| ${[name, ...kilo, shown.toFixed(0), usable.toFixed(0)].join(' | ')} |`);
}
await browser.close();
await server.stop();
