// SPDX-License-Identifier: Apache-2.0
// The page's arithmetic, apart from any browser: text, framing, the form that is sent.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const WEB = fileURLToPath(new URL('../../web', import.meta.url));
const require = createRequire(`${WEB}/package.json`);
let vite, pause, text, framing, draft, stage, problem, claim, en, ja;
before(async () => {
  const { createServer } = await import(pathToFileURL(require.resolve('vite')).href);
  vite = await createServer({ root: WEB, logLevel: 'error', server: { middlewareMode: true, ws: false }, appType: 'custom', optimizeDeps: { noDiscovery: true } });
  const load = (path) => vite.ssrLoadModule(`/src/${path}`);
  [pause, text, framing, draft, stage, problem, claim] = await Promise.all(['lib/pause.ts', 'lib/text.ts', 'lib/framing.ts', 'state/draft.ts', 'lib/stage.ts', 'api/problem.ts', 'lib/claim.ts'].map(load));
  ({ en } = await load('i18n/en.ts'));
  ({ ja } = await load('i18n/ja.ts'));
});
after(() => vite?.close());

test('characters are counted as the server counts them', () => {
  assert.equal(text.codePoints('おめでとう'), 5);
  assert.equal(text.codePoints('🎂x'), 2);
  assert.equal(text.excerpt('  a\n b  '), 'a b');
  assert.equal(text.excerpt('🎂'.repeat(50), 10), `${'🎂'.repeat(9)}…`);
});

test('who cannot reach the server asks again, but ever more seldom', () => {
  const waits = [1, 2, 3, 6, 7, 1000].map((failures) => pause.pauseAfter(failures, 1));
  assert.deepEqual(waits, [2000, 4000, 8000, 60000, 60000, 60000]);
  assert.equal(pause.pauseAfter(1, 0), 1500);
});

test('the language of a text: any kana or kanji makes it Japanese', () => {
  assert.equal(text.languageOf('Happy birthday'), 'en');
  assert.equal(text.languageOf('Happy 誕生日'), 'ja');
  assert.equal(text.languageOf('2026 🎉'), null);
});

test('the frame has the format, lies in the photo and holds the face', () => {
  const face = { x: 400, y: 200, width: 200, height: 200 };
  for (const format of ['1:1', '9:16', '16:9']) {
    for (const photo of [{ width: 1000, height: 1400 }, { width: 1600, height: 900 }]) {
      const frame = framing.frameOf(photo, face, format);
      assert.ok(Math.abs(frame.width / frame.height - framing.RATIO[format]) < 1e-9);
      assert.ok(frame.x >= 0 && frame.y >= 0);
      assert.ok(frame.x + frame.width <= photo.width + 1e-9 && frame.y + frame.height <= photo.height + 1e-9);
      assert.ok(frame.x <= face.x && frame.x + frame.width >= face.x + face.width);
    }
  }
});

const voices = { default: { ja: 'mei', en: 'clara' }, voices: [{ id: 'mei', language: 'ja', name: '' }, { id: 'clara', language: 'en', name: '' }] };
const empty = { photo: null, face: null, text: '', voice: null, background: { kind: 'keep', color: '#ffffff', preset: null }, backgroundImage: null, format: '1:1' };

test('the voice follows the text until one is chosen', () => {
  const some = { ...empty, details: draft.NORMAL };
  assert.equal(draft.voiceOf({ ...some, text: 'Hello' }, voices, 'ja'), 'clara');
  assert.equal(draft.voiceOf({ ...some, text: 'こんにちは' }, voices, 'en'), 'mei');
  assert.equal(draft.voiceOf({ ...some, text: 'Hello', voice: 'mei' }, voices, 'en'), 'mei');
  assert.equal(draft.voiceOf({ ...some, voice: 'gone' }, voices, 'en'), 'clara');
});

test('the form holds what was chosen, and says nothing of what was not', () => {
  const blob = new Blob(['x'], { type: 'image/jpeg' });
  const some = { ...empty, photo: { blob, state: 'ready' }, face: 1, text: ' おめでとう ', background: { kind: 'color', color: '#abcdef', preset: null }, details: { ...draft.NORMAL, pitch: -2 } };
  const form = Object.fromEntries(draft.formOf(some, 'mei'));
  assert.equal(form.image.name, 'photo.jpg');
  assert.deepEqual({ ...form, image: null }, { image: null, text: ' おめでとう ', voice_profile: 'mei', background: 'color:#abcdef', format: '1:1', pitch: '-2', bgm: 'none', motion: 'on', face: '1' });
  assert.equal(draft.firstGap({ ...some, text: ' \n' }), 'text');
  assert.equal(draft.firstGap({ ...some, photo: null }), 'image');
  assert.equal(draft.firstGap(some), null);
});

test('time left is told in steps as coarse as the guess', () => {
  const said = (words) => [3.2, 10, 12, 55, 56, 61, 95, 121].map((s) => words.make.left(text.roundLeft(s)));
  assert.deepEqual(said(ja), ['あと約4秒', 'あと約10秒', 'あと約15秒', 'あと約55秒', 'あと約1分', 'あと約1分半', 'あと約2分', 'あと約2分半']);
  assert.deepEqual(said(en).slice(4, 6), ['about 1 min left', 'about 1½ min left']);
});

test('stages have names in both languages, unknown ones too', () => {
  for (const words of [en, ja]) {
    for (const name of ['photo', 'faces', 'cutout', 'speech', 'sound', 'render', 'encode', 'something new']) {
      assert.ok(stage.stageName({ status: 'running', stage: name }, words).length > 4);
    }
  }
  assert.equal(stage.stageName({ status: 'queued', stage: '' }, en), en.make.queued);
});

test('an answer that is no problem document still becomes a problem', () => {
  assert.equal(problem.problemFromText('<html>', 503, '2').code, 'busy');
  assert.equal(problem.problemFromText('<html>', 503, '2').retryAfter, 2);
  assert.equal(problem.problemFromText('{"detail":"No.","field":"text","code":"x"}', 422, null).message, 'No.');
});

test('both languages say the same things', () => {
  const keys = (value, path = '') => (value && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value).flatMap(([key, inner]) => keys(inner, `${path}.${key}`)) : [path]);
  assert.deepEqual(keys(ja).sort(), keys(en).sort());
});

/** The browser's locks as one other tab's claim leaves them; `grant` ends that claim. */
function locks(taken, refused) {
  const state = { grant: () => {}, asked: 0 };
  globalThis.navigator = { locks: {
    request: async (_name, options, hold) => {
      state.asked++;
      if (refused) throw new DOMException('no storage here', 'SecurityError');
      if (!taken) return hold({});
      if (options.ifAvailable) return hold(null);
      await new Promise((resolve) => (state.grant = resolve));
      return hold({});
    },
  } };
  return state;
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a job is taken up once: at once, when its tab is closed, or where locks are refused; also by who stumbles', async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  Object.defineProperty(globalThis, 'navigator', { configurable: true, writable: true, value: {} });
  try {
    for (const [taken, refused, waited] of [[false, false, false], [true, false, true], [false, true, false]]) {
      const state = locks(taken, refused);
      const calls = [];
      const stumble = (value) => {
        calls.push(value);
        throw new Error(`told ${value}`);
      };
      claim.whenUnclaimed('one', stumble, new AbortController().signal);
      await settled();
      assert.equal(calls.length, taken ? 0 : 1);
      state.grant();
      await settled();
      assert.deepEqual(calls, [waited]);
      assert.deepEqual(reported.splice(0), [`told ${waited}`]);
    }
    const stop = new AbortController();
    const state = locks(true, false);
    claim.whenUnclaimed('one', () => assert.fail('nobody is there any more'), stop.signal);
    await settled();
    stop.abort();
    state.grant();
    await settled();
    assert.deepEqual(reported, []);
  } finally {
    if (own) Object.defineProperty(globalThis, 'navigator', own);
    else delete globalThis.navigator;
    delete globalThis.reportError;
  }
});
