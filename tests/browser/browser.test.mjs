// SPDX-License-Identifier: Apache-2.0
// The page as a person uses it. Run by ctest as e2e/browser, or by hand:
//   BUILD_DIR=build/dev node --test tests/browser/browser.test.mjs      (without BUILD_DIR: stand-in)
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startStandIn } from '../support/stand_in_server.mjs';
import { allStored, assertAccessible, assertFits, assertPlays, buildPage, fill, launch, LONG, open, PHOTO, ROOT, startServer, TEXT, TWO_FACES } from './stage.mjs';

const problem = (status, code, detail, field = null) => ({
  status, contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title: code, status, detail, field, code }),
});

// Two at a time: most of a test is waiting.
describe('the page', { concurrency: 2 }, () => {
  let server, browser;
  before(async () => {
    buildPage();
    [server, browser] = await Promise.all([startServer(), launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const [language, width, format, ground] of [['ja', 360, '9:16', '桜'], ['en', 1280, '1:1', 'Birthday'], ['ja', 1280, '16:9', 'ぼかす'], ['en', 360, '1:1', 'As it is']]) {
    test(`a message from the first look to the saved file: ${language}, ${width} px`, async () => {
      const { page, close, words } = await open(browser, server.url, { language, width });
      assert.equal(await page.locator('html').getAttribute('lang'), language);
      await assertFits(page);
      await fill(page, language);
      await page.locator(`input[name=format][value="${format}"]`).check();
      await page.locator('.ground', { hasText: ground }).locator('input').check();
      const chosen = await page.locator('input[name=voice]:checked').getAttribute('value');
      const { voices } = await (await page.request.get(`${server.url}/api/voices`)).json();
      assert.ok(voices.find((voice) => voice.id === chosen).language.startsWith(language), 'the voice speaks the language of the text');
      await assertFits(page);
      await page.locator('.preview .still').waitFor();
      const still = await page.locator('.preview .still').evaluate((image) => image.decode().then(() => image.naturalWidth / image.naturalHeight));
      await page.getByRole('button', { name: words.make }).click();
      const { width: w, height: h } = await assertPlays(page);
      const [a, b] = format.split(':').map(Number);
      if (server.real) {
        assert.ok(Math.abs(w / h - a / b) < 0.02, `${w}×${h} is ${format}`);
        assert.ok(Math.abs(still - a / b) < 0.02, `the preview is ${format}`);
      }
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: words.save }).click()]);
      const begins = server.real ? TEXT[language].slice(0, 12) : 'Hello';
      assert.match(download.suggestedFilename(), new RegExp(`^\\d{4}-\\d\\d-\\d\\d ${begins}.*\\.mp4$`));
      assert.equal(await page.locator('.recents li').count(), 1);
      await assertFits(page);
      await close();
    });
  }

  test('with the keyboard alone', async () => {
    const { page, close, words } = await open(browser, server.url, { language: 'en' });
    const tabTo = async (locator) => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        if (await locator.evaluate((element) => element === document.activeElement)) return;
      }
      assert.fail(`Tab does not reach ${locator}`);
    };
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    const chooser = page.waitForEvent('filechooser');
    await tabTo(page.getByRole('button', { name: words.choose }));
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(PHOTO);
    await page.locator('.face').waitFor();
    await tabTo(page.getByLabel(words.text));
    await page.keyboard.type(TEXT.en);
    await tabTo(page.locator('input[name=voice]:checked'));
    await page.keyboard.press('ArrowDown');
    await tabTo(page.locator('input[name=format]:checked'));
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    await tabTo(page.locator('input[name=background]:checked'));
    await page.keyboard.press('ArrowRight');
    assert.ok(await page.locator('.ground').nth(1).locator('input').isChecked());
    await tabTo(page.locator('.more summary'));
    await page.keyboard.press('Enter');
    await tabTo(page.getByRole('button', { name: words.make }));
    await page.keyboard.press('Enter');
    await assertPlays(page);
    await page.waitForFunction((save) => document.activeElement?.textContent.includes(save), words.save);
    await tabTo(page.getByRole('button', { name: words.again }));
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: words.make }).waitFor();
    await close();
  });

  test('nothing for axe to complain about, light and dark, in every state', async () => {
    for (const [language, width, colorScheme] of [['ja', 360, 'light'], ['en', 1280, 'dark']]) {
      const { page, close, words } = await open(browser, server.url, { language, width, colorScheme, reducedMotion: 'reduce' });
      await assertAccessible(page);
      await fill(page, language);
      await page.locator('.more summary').click();
      await page.locator('.fold summary').click();
      await page.locator('.ground').nth(2).locator('input').check();
      await assertAccessible(page);
      await page.getByRole('button', { name: words.make }).click();
      await page.getByRole('progressbar').waitFor();
      await page.locator('.stage video').waitFor();
      await assertAccessible(page);
      await close();
    }
  });

  test('what is missing is said, and gets the focus', async () => {
    const { page, close, words } = await open(browser, server.url, { language: 'en' });
    await page.getByRole('button', { name: words.make }).click();
    await page.getByText('Please choose a photo first.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), words.choose);
    await page.getByRole('button', { name: words.sample }).click();
    await page.locator('.face').waitFor();
    assert.match(await page.getByLabel(words.text).inputValue(), /^Happy birthday!/, 'whoever only tries it out needs no idea');
    await page.getByLabel(words.text).fill('');
    await page.getByRole('button', { name: words.make }).click();
    await page.getByText('Please write a message first.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'field-text');
    await page.getByLabel(words.text).fill('😀'.repeat(1001));
    await page.getByText('(1 too many)').waitFor();
    assert.equal(await page.locator('#text-count span').first().textContent(), '1001 / 1000');
    await close();
  });

  test('a file that is no photo is refused in plain words', async () => {
    const { page, close } = await open(browser, server.url, { language: 'ja', allow: [/status of 4\d\d/] });
    const path = join(tmpdir(), `no-photo-${process.pid}.jpg`);
    writeFileSync(path, 'This is not a picture.');
    await page.setInputFiles('#photo input[type=file]', path);
    await page.locator('#photo-state .warning').waitFor();
    assert.match(await page.locator('#photo-state .warning').textContent(), /写真|画像/);
    await close();
  });

  test('of several people, one is chosen under the photo, and shown', async () => {
    for (const [language, width, title, second] of [['ja', 360, '2人写っています', '左から2人目'], ['en', 1280, 'There are 2 people', 'Person 2 from the left']]) {
      const { page, close } = await open(browser, server.url, { language, width, reducedMotion: 'reduce' });
      await page.setInputFiles('#photo input[type=file]', TWO_FACES);
      const people = page.getByRole('group', { name: title });
      await people.waitFor();
      assert.equal(await page.getByRole('dialog').count(), 0);
      assert.equal(await people.getByRole('radio').count(), 2);
      if (server.real) assert.equal(await people.locator('img').count(), 2);
      const chosen = people.getByRole('radio', { name: second });
      const asked = page.waitForRequest((request) => request.url().endsWith('/api/image/preview'));
      if (await chosen.isChecked()) await people.getByRole('radio').first().check();
      else await chosen.check();
      await asked;
      // Arrow keys go from one to the other, and the status tells who it is.
      const before = await chosen.isChecked();
      await people.locator('input:checked').focus();
      await page.keyboard.press('ArrowRight');
      assert.equal(await chosen.isChecked(), !before);
      const status = await page.locator('#photo-state').textContent();
      assert.ok(status.includes(before ? '1' : '2'), status);
      // Pointing at the face itself does the same.
      await page.locator('.face.choice').first().click();
      assert.ok(await people.getByRole('radio').first().isChecked());
      await assertAccessible(page);
      await close();
    }
  });

  test('two tabs: both lists hold both messages, and neither tab shows what the other makes', async () => {
    const { page, context, close, words } = await open(browser, server.url, { language: 'en' });
    await fill(page, 'en', { text: LONG.slice(0, 200) });
    await page.getByRole('button', { name: words.make }).click();
    await page.locator('.recents li').waitFor();
    const second = await context.newPage();
    await second.goto(server.url);
    await second.locator('.recents li').waitFor();
    await second.getByRole('button', { name: words.make }).waitFor();
    await fill(second, 'en', { text: 'Hello.' });
    await second.getByRole('button', { name: words.make }).click();
    await assertPlays(second);
    for (const tab of [page, second]) await tab.waitForFunction(() => document.querySelectorAll('.recents li').length === 2);
    if (await page.getByRole('progressbar').isVisible()) await page.getByRole('button', { name: words.cancel }).click();
    await close();
  });

  test('a camera that is refused can be tried again', async () => {
    const { page, close } = await open(browser, server.url, { language: 'en', permissions: ['camera'] });
    await page.evaluate(() => {
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      const answers = ['NotAllowedError', 'NotFoundError'];
      navigator.mediaDevices.getUserMedia = (wish) => (answers.length ? Promise.reject(new DOMException('', answers.shift())) : real(wish));
    });
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.getByRole('alert').getByText('Please allow it').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').getByText('No camera was found').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Take the photo' }).click();
    await page.locator('.face').waitFor();
    await close();
  });

  test('on a telephone everything can be hit with a finger, and Japanese breaks between phrases', async () => {
    const { page, close, words } = await open(browser, server.url, { language: 'ja', width: 360, isMobile: true, hasTouch: true });
    await page.setInputFiles('#photo input[type=file]', TWO_FACES);
    const legend = page.locator('.people legend');
    await legend.waitFor();
    assert.ok(!(await page.locator('.drop').isVisible()));
    await page.locator('.ground').nth(2).locator('input').check();
    for (const fold of await page.locator('summary').all()) await fold.click();
    const small = await page.evaluate(() => {
      const targets = [...document.querySelectorAll('button, a:not(.skip), summary, textarea, label:has(input), input:not(label input):not(.hidden)')];
      return targets.filter((target) => {
        const { width, height } = target.getBoundingClientRect();
        return target.checkVisibility() && Math.min(width, height) < 43.5;
      }).map((target) => target.outerHTML.slice(0, 80));
    });
    assert.deepEqual(small, []);
    const last = await legend.evaluate((node) => {
      const text = node.firstChild;
      const top = (at) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().top;
      };
      let at = text.length - 1;
      while (at > 0 && top(at - 1) === top(text.length - 1)) at--;
      return text.data.slice(at);
    });
    assert.ok(last.length > 3, `the last line is “${last}”`);
    // With nothing missing, the button is at hand wherever one has scrolled to.
    assert.equal(await page.locator('.dock').count(), 0);
    await page.getByLabel(words.text).fill(TEXT.ja);
    await page.locator('.dock button').tap();
    await page.locator('[role=progressbar], .stage video').first().waitFor();
    await page.locator('.dock').waitFor({ state: 'detached' });
    await page.waitForFunction(() => { // after the scrolling, what happens now is seen
      const { top, bottom } = document.querySelector('.desk').getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight + 1;
    });
    await close();
  });

  test('the page of the API can be read on a telephone, light and dark', { skip: !process.env.BUILD_DIR }, async () => {
    const { page, close } = await open(browser, server.url, { width: 360, colorScheme: 'dark', bypassCSP: true });
    await page.goto(`${server.url}/docs`);
    await assertFits(page);
    // A page this long takes axe a while: its top stands for the rest.
    await page.evaluate(() => document.querySelectorAll('section:nth-of-type(n + 4)').forEach((section) => section.remove()));
    await assertAccessible(page);
    await page.emulateMedia({ colorScheme: 'light' });
    await assertAccessible(page);
    await close();
  });

  test('the list of messages can be read on a telephone', { skip: !process.env.BUILD_DIR }, async () => {
    const { page, close } = await open(browser, server.url, { width: 360, bypassCSP: true });
    const image = { name: 'a.jpg', mimeType: 'image/jpeg', buffer: readFileSync(PHOTO) };
    await page.request.post(`${server.url}/api/video/generate`, { multipart: { image, text: 'Hello.' } });
    await page.goto(`${server.url}/jobs`);
    await page.locator('tbody tr').first().waitFor();
    await assertFits(page);
    await assertAccessible(page);
    await close();
  });

  test('nothing in the header breaks on narrow screens', async () => {
    for (const width of [320, 345, 360]) {
      const { page, close } = await open(browser, server.url, { language: 'en', width });
      for (const button of await page.locator('.languages button').all()) {
        const lines = await button.evaluate((node) => {
          const range = document.createRange();
          range.selectNodeContents(node);
          return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
        });
        assert.equal(lines, 1, `${await button.textContent()} at ${width} px`);
      }
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} px`);
      await close();
    }
  });

  test('a voice can be heard before it is chosen', async () => {
    const { page, close } = await open(browser, server.url, { language: 'en' });
    const sound = page.waitForResponse((response) => response.url().endsWith('/sample'));
    await page.getByRole('button', { name: /^Listen to/ }).first().click();
    assert.ok((await sound).ok());
    await page.getByRole('button', { name: /^Stop/ }).waitFor();
    await close();
  });

  test('the camera takes a photo', async () => {
    const { page, close } = await open(browser, server.url, { language: 'en', permissions: ['camera'] });
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.getByRole('button', { name: 'Take the photo' }).click();
    await page.getByRole('button', { name: 'Choose another' }).waitFor();
    await page.locator('#photo-state .good').waitFor(); // it sees the sample portrait
    await page.locator('.face').waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    await close();
  });

  test('a reload in the middle: the message goes on, and stays in the list', async () => {
    const { page, close, words } = await open(browser, server.url, { language: 'ja' });
    await fill(page, 'ja', { text: LONG.slice(0, 130) });
    await page.getByRole('button', { name: words.make }).click();
    await page.getByRole('progressbar').waitFor();
    await page.locator('.recents li').waitFor();
    await page.reload();
    await page.locator('[role=progressbar], .stage video').first().waitFor();
    assert.equal(await page.getByLabel(words.text).inputValue(), LONG.slice(0, 130), 'what was typed is still there');
    await assertPlays(page);
    await page.reload();
    await page.getByText('できました').waitFor();
    await page.locator('.recents .recent').click();
    await assertPlays(page);
    await page.locator('.recents .round').click();
    assert.equal(await page.locator('.recents').count(), 0);
    await close();
  });

  test('progress in percent, and cancel', async () => {
    const { page, close, words } = await open(browser, server.url, { language: 'ja' });
    await fill(page, 'ja', { text: LONG });
    await page.getByRole('button', { name: words.make }).click();
    const bar = page.getByRole('progressbar');
    await page.waitForFunction(() => Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) >= 6);
    assert.match(await bar.getAttribute('aria-valuetext'), /^\d+%/);
    assert.ok((await page.locator('.stage-name').textContent()).length > 3);
    const said = page.locator('.stage > [role=status]');
    assert.match(await said.textContent(), /…/, 'what is being done is announced');
    await page.getByRole('button', { name: words.cancel }).click();
    await page.locator('.desk').getByText('作成をやめました').waitFor();
    await page.locator('.recents').waitFor({ state: 'detached' }); // nothing to come back to
    assert.ok(await page.getByRole('button', { name: words.make }).isVisible());
    await close();
  });

  test('an error names the field; Retry works when the server does again', async () => {
    const { page, close, words } = await open(browser, server.url, { language: 'en', allow: [/status of (4|5)\d\d/] });
    await fill(page, 'en');
    const answers = [problem(422, 'text_unspeakable', 'Nothing in this text can be spoken.', 'text'), problem(503, 'queue_full', 'Many messages are being made right now. Try again in a moment.')];
    await page.route('**/api/video/generate', (route) => {
      const answer = answers.shift();
      return answer ? route.fulfill(answer) : route.continue();
    });
    await page.getByRole('button', { name: words.make }).click();
    await page.locator('#text-problem').getByText('Nothing in this text can be spoken.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'field-text');
    await page.getByRole('button', { name: words.retry }).click();
    await page.getByRole('alert').getByText('Many messages are being made').waitFor();
    await page.getByRole('button', { name: words.retry }).click();
    await assertPlays(page);
    await close();
  });

  test('lists that could not be had come by themselves when the server is back', async () => {
    const { page, context, close } = await open(browser, server.url, { language: 'en', allow: [/ERR_CONNECTION_REFUSED/] });
    await context.route('**/api/**', (route) => route.abort('connectionrefused'));
    await page.reload();
    await page.getByText('The voices could not be loaded.').waitFor();
    await page.getByText('Our pictures could not be loaded.').waitFor();
    await page.setInputFiles('#photo input[type=file]', PHOTO);
    await page.getByText('The photo could not be checked just now.').waitFor();
    await page.locator('#voice').getByRole('button', { name: 'Try again' }).click();
    await context.unroute('**/api/**');
    await page.locator('#photo-state .good').waitFor();
    await page.locator('input[name=voice]:checked').waitFor();
    await page.locator('.ground').nth(10).waitFor();
    assert.equal(await page.locator('.warning').count(), 0);
    await close();
  });

  test('where events do not come through, asking does', async () => {
    const { page, close, words } = await open(browser, server.url, { language: 'en', allow: [/status of 502/] });
    await page.route('**/events?*', (route) => route.fulfill({ status: 502, body: '' }));
    await fill(page, 'en');
    await page.getByRole('button', { name: words.make }).click();
    await assertPlays(page);
    await close();
  });

  test('without a network the page opens, says so, and goes on when it is back', async () => {
    const { page, context, close, words } = await open(browser, server.url, { language: 'en', workers: 'allow', allow: [/ERR_INTERNET_DISCONNECTED|Failed to load resource/] });
    await page.evaluate(() => navigator.serviceWorker.ready);
    const [answer] = await Promise.all([page.waitForResponse('**/api/limits'), page.reload()]);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    assert.equal(answer.fromServiceWorker(), false, 'the API is never kept');
    const kept = await page.evaluate(async () => {
      const all = [];
      for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) all.push(new URL(url).pathname);
      return all;
    });
    assert.ok(kept.includes('/') && !kept.some((path) => path.startsWith('/api')), `only the shell is kept: ${kept}`);
    await fill(page, 'en');
    await context.setOffline(true);
    await page.getByText('You are offline').waitFor();
    await page.getByRole('button', { name: words.make }).click();
    await page.getByRole('alert').getByText('could not be reached').waitFor();
    await context.setOffline(false);
    await page.getByRole('button', { name: words.retry }).click();
    await assertPlays(page);
    await context.setOffline(true);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await context.setOffline(false);
    await close();
  });

  test('a reload keeps the photo, who speaks in it and the picture behind', async () => {
    const { page, close } = await open(browser, server.url, { language: 'en' });
    await page.setInputFiles('#photo input[type=file]', TWO_FACES);
    const people = page.getByRole('group', { name: 'There are 2 people' });
    await people.waitFor();
    const other = people.getByRole('radio', { checked: false });
    const name = await other.getAttribute('id');
    await other.check();
    await page.setInputFiles('#look input[type=file]', PHOTO);
    await page.waitForFunction(() => document.querySelector('.behind')?.getAttribute('src')?.startsWith('blob:'));
    await page.waitForFunction(allStored, ['photo', 'background']); // a file is on the disk a moment later
    await page.reload();
    await people.waitFor();
    assert.ok(await page.locator(`#${name}`).isChecked(), 'the same person speaks');
    await page.waitForFunction(() => document.querySelector('.behind')?.getAttribute('src')?.startsWith('blob:'));
    assert.ok(await page.getByRole('radio', { name: 'Your picture' }).isChecked());
    await page.getByRole('button', { name: 'Remove the photo' }).click();
    await page.reload();
    await page.locator('input[name=voice]:checked').waitFor();
    await page.waitForTimeout(300); // it would be back by now
    assert.equal(await page.locator('.photo.has').count(), 0, 'what was removed stays away');
    await close();
  });

  test('sharing hands over the file, or copies the link where there is no share sheet', async () => {
    const { page, context, close, words } = await open(browser, server.url, { language: 'en', permissions: ['clipboard-read', 'clipboard-write'] });
    await context.addInitScript(() => {
      globalThis.shared = [];
      navigator.canShare = ({ files }) => files?.every((file) => file.type === 'video/mp4') ?? false;
      navigator.share = async (data) => {
        if (!navigator.userActivation.isActive) throw new DOMException('too late', 'NotAllowedError');
        shared.push({ title: data.title, name: data.files[0].name, size: data.files[0].size });
        if (shared.length === 2) throw new DOMException('closed', 'AbortError');
        if (shared.length === 3) throw new DOMException('no', 'NotAllowedError');
      };
    });
    await page.reload();
    await fill(page, 'en');
    await page.getByRole('button', { name: words.make }).click();
    await assertPlays(page);
    const button = page.getByRole('button', { name: words.share });
    await button.click();
    await page.waitForFunction(() => shared.length === 1);
    const [{ title, name, size }] = await page.evaluate(() => shared);
    assert.equal(title, 'A video message');
    assert.match(name, /^\d{4}-\d\d-\d\d .+\.mp4$/, 'the day, and how the message begins');
    assert.ok(size > 10_000, `${size} bytes`);
    await button.click(); // closed by the person: nothing is said
    await page.waitForFunction(() => shared.length === 2);
    assert.equal(await page.locator('.result .say:not(.good)').textContent(), '');
    await button.click(); // refused by the system: then the link
    await page.getByText('The link was copied.').waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^http:.*\/api\/video\/jobs\/\w+\/video$/);
    await close();
  });

  test('the footer says how long this server keeps things', async () => {
    for (const [language, words] of [['ja', '写真は7日後、ビデオは30日後に自動で消えます。'], ['en', 'Photos are deleted after 7 days, videos after 30 days.']]) {
      const { page, close } = await open(browser, server.url, { language });
      await page.locator('.foot').getByText(words).waitFor();
      await close();
    }
    const { page, close } = await open(browser, server.url, { language: 'en' });
    await page.route('**/api/limits', (route) => route.fulfill({ json: { keep: { uploads_s: 43200, videos_s: 86400 * 2 } } }));
    await page.reload();
    await page.locator('.foot').getByText('Photos are deleted after 12 hours, videos after 2 days.').waitFor();
    await close();
  });

  test('it can be installed', async () => {
    // In a profile of its own: other contexts count as private windows, which install nothing.
    const profile = mkdtempSync(join(tmpdir(), 'profile-'));
    const context = await launch(profile);
    const page = await context.newPage();
    await page.goto(server.url);
    await page.evaluate(() => navigator.serviceWorker.ready);
    const devtools = await context.newCDPSession(page);
    const read = await devtools.send('Page.getAppManifest');
    assert.deepEqual([read.errors, new URL(read.url).pathname], [[], '/manifest.webmanifest']);
    const obstacles = async () => (await devtools.send('Page.getInstallabilityErrors')).installabilityErrors.map(({ errorId }) => errorId);
    assert.deepEqual(await obstacles(), []);
    await page.goto('about:blank');
    assert.notDeepEqual(await obstacles(), [], 'the browser does look');
    await page.goto(server.url);
    const manifest = await (await page.request.get(`${server.url}/manifest.webmanifest`)).json();
    assert.equal(manifest.display, 'standalone');
    for (const { src, type, sizes } of manifest.icons) {
      const icon = await page.request.get(server.url + src);
      assert.ok(icon.ok(), src);
      assert.ok(icon.headers()['content-type'].startsWith(type), src);
      const real = await page.evaluate(async (url) => {
        const image = new Image();
        image.src = url;
        await image.decode();
        return `${image.naturalWidth}x${image.naturalHeight}`;
      }, src);
      if (sizes !== 'any') assert.equal(real, sizes, src);
    }
    await context.close();
    rmSync(profile, { recursive: true });
  });

  test('the language switch is remembered', async () => {
    const { page, close } = await open(browser, server.url, { language: 'ja' });
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('button', { name: 'Make the video' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Make the video' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    await close();
  });

  test('a new version is offered, and comes when one agrees', async () => {
    const dist = mkdtempSync(join(tmpdir(), 'page-'));
    cpSync(join(ROOT, 'web/dist'), dist, { recursive: true });
    const stand = await startStandIn({ dist });
    try {
      const { page, context, close, words } = await open(browser, stand.url, { language: 'en', workers: 'allow', allow: [/status of 502/] });
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.getByLabel(words.text).fill('Half a sentence');
      // The page is the server's even before the new version is agreed to; the kept one is for when it is away.
      const shell = join(dist, 'index.html');
      writeFileSync(shell, readFileSync(shell, 'utf8').replace('<body>', '<body data-newer>'));
      await page.reload();
      assert.equal(await page.locator('body[data-newer]').count(), 1);
      const restarting = (route) => (new URL(route.request().url()).pathname === '/' ? route.fulfill({ status: 502, body: 'restarting' }) : route.continue());
      await context.route('**', restarting);
      await page.reload();
      await page.locator('input[name=voice]:checked').waitFor();
      assert.equal(await page.locator('body[data-newer]').count(), 0);
      await context.unroute('**', restarting);
      const script = join(dist, 'sw.js');
      writeFileSync(script, readFileSync(script, 'utf8').replace(/VERSION = "\w+"/, 'VERSION = "newer"'));
      await page.reload();
      await page.getByText('A new version is ready.').waitFor();
      await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Reload' }).click()]);
      await page.locator('input[name=voice]:checked').waitFor();
      assert.deepEqual(await page.evaluate(() => caches.keys()), ['shell-newer']);
      assert.equal(await page.getByLabel(words.text).inputValue(), 'Half a sentence', 'nothing typed is lost');
      await close();
    } finally {
      await stand.stop();
      rmSync(dist, { recursive: true });
    }
  });
});
