// SPDX-License-Identifier: Apache-2.0
// What the browser tests stand on: a server (vmad where it is built, else the stand-in), one
// Chromium, and pages that remember what went wrong in them.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStandIn } from '../support/stand_in_server.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(join(ROOT, 'web/package.json'));
export const PHOTO = join(ROOT, 'assets/sample/portrait.jpg');
export const TWO_FACES = join(ROOT, 'tests/data/photos/two_faces.jpg');
export const TEXT = {
  ja: 'お誕生日おめでとう！すてきな一年になりますように。',
  en: 'Happy birthday! I hope this year brings you many wonderful days.',
};
/** Long enough that its video is not done before a test has looked at the progress. */
export const LONG = 'お誕生日おめでとうございます。これからの一年が笑顔であふれますように。'.repeat(26);

export const t = {
  ja: { make: 'ビデオをつくる', cancel: 'やめる', retry: 'もう一度ためす', save: '保存する', share: '送る', again: 'もうひとつつくる', choose: '写真をえらぶ', sample: '見本の写真でためす', text: '伝えたいことば' },
  en: { make: 'Make the video', cancel: 'Cancel', retry: 'Try again', save: 'Save', share: 'Share', again: 'Make another', choose: 'Choose a photo', sample: 'Try with our sample', text: 'What should be said?' },
};

/** Only where its sources are newer; needs what scripts/deps installs. */
export function buildPage() {
  execFileSync(join(ROOT, 'scripts/build-web'), { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** vmad of this build on a free port with empty storage; the stand-in where there is none. */
export async function startServer() {
  const vmad = process.env.VMAD ?? (process.env.BUILD_DIR ? join(process.env.BUILD_DIR, 'vmad') : '');
  if (!existsSync(vmad) || process.env.STAND_IN === '1') return { ...(await startStandIn()), real: false };
  const data = mkdtempSync(join(tmpdir(), 'browser-'));
  const child = spawn(vmad, ['--port', '0', '--data', data], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const reap = () => child.kill('SIGKILL');
  process.once('exit', reap); // also when a test throws before it could stop it
  let said = '';
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`vmad did not say where it listens:\n${said}`)), 15000);
    const read = (chunk) => {
      said += chunk;
      const found = /http:\/\/[\w.:[\]]+:\d+/.exec(said);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[0]);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.on('exit', (code) => reject(new Error(`vmad ended with ${code}:\n${said}`)));
  });
  const stop = () =>
    new Promise((resolve) => {
      const done = () => {
        rmSync(data, { recursive: true, force: true });
        resolve();
      };
      const hard = setTimeout(() => child.kill('SIGKILL'), 5000);
      child.removeAllListeners('exit').on('exit', () => {
        clearTimeout(hard);
        process.off('exit', reap);
        done();
      });
      child.kill('SIGTERM');
    });
  return { url, stop, real: true };
}

/** A browser, or, with a profile's folder, the window of a person who keeps one. */
export function launch(profile) {
  const { chromium } = require('playwright-core');
  // What the camera sees: the sample portrait.
  const seen = join(mkdtempSync(join(tmpdir(), 'camera-')), 'seen.mjpeg');
  execFileSync('ffmpeg', ['-v', 'error', '-loop', '1', '-i', PHOTO, '-vf', 'scale=640:640', '-frames:v', '10', '-pix_fmt', 'yuvj420p', seen]);
  process.once('exit', () => rmSync(dirname(seen), { recursive: true, force: true }));
  const options = {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-video-capture=${seen}`],
  };
  return profile ? chromium.launchPersistentContext(profile, options) : chromium.launch(options);
}

export async function open(browser, url, { language = 'ja', width = 1280, allow = [], workers = 'block', ...more } = {}) {
  const context = await browser.newContext({
    locale: language === 'ja' ? 'ja-JP' : 'en-US',
    viewport: { width, height: width < 600 ? 740 : 900 },
    serviceWorkers: workers,
    ...more,
  });
  const wrong = [];
  context.on('request', (request) => {
    const to = new URL(request.url());
    if (to.protocol.startsWith('http') && to.origin !== url) wrong.push(`went to ${to.origin}`);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on('pageerror', (error) => wrong.push(`threw: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (!['error', 'warning'].includes(message.type()) || /Service Worker registration blocked/.test(text)) return;
    if (!allow.some((pattern) => pattern.test(text))) wrong.push(`logged: ${text} ${message.location().url}`);
  });
  await page.goto(url);
  await page.locator('input[name=voice]:checked').waitFor();
  const close = async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  };
  return { page, context, close, words: t[language] };
}

export async function fill(page, language, { photo = PHOTO, text = TEXT[language] } = {}) {
  await page.setInputFiles('#photo input[type=file]', photo);
  await page.locator('#photo .face').first().waitFor();
  await page.getByLabel(t[language].text).fill(text);
}

/** The video is there and plays: pictures are decoded and sound is. */
export async function assertPlays(page) {
  const video = page.locator('.stage video');
  await video.waitFor({ timeout: 60000 });
  const measured = await video.evaluate(async (element) => {
    element.currentTime = 0;
    await element.play();
    const end = Date.now() + 8000;
    for (;;) {
      const frames = element.getVideoPlaybackQuality().totalVideoFrames;
      const audio = element.webkitAudioDecodedByteCount;
      if ((frames > 5 && audio > 0 && element.currentTime > 0.2) || Date.now() > end) {
        return { frames, audio, at: element.currentTime, duration: element.duration, width: element.videoWidth, height: element.videoHeight };
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  assert.ok(measured.frames > 5, `frames decoded: ${JSON.stringify(measured)}`);
  assert.ok(measured.audio > 0, `audio bytes decoded: ${JSON.stringify(measured)}`);
  assert.ok(measured.at > 0.2 && measured.duration > 1, `plays: ${JSON.stringify(measured)}`);
  return measured;
}

/** axe-core's verdict on the page as it is now. */
export async function assertAccessible(page) {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
  });
  assert.deepEqual(found, []);
}

/** Nothing sticks out at the side. */
export async function assertFits(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, `the page is ${over} pixels wider than the window`);
}

/** In the page: whether pictures of these names are on the disk, so that a reload finds them. */
export async function allStored(names) {
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const db = await settled(indexedDB.open('video-message', 1));
  const keys = await settled(db.transaction('pictures').objectStore('pictures').getAllKeys());
  db.close();
  return names.every((name) => keys.some((key) => key.endsWith(` ${name}`)));
}
