// SPDX-License-Identifier: Apache-2.0
// Draws the built-in backgrounds: scenes as SVG, rendered by rsvg-convert and coded by ImageMagick.
//   node scripts/backgrounds/draw.mjs [ID…]      (Debian packages librsvg2-bin and imagemagick)
// Each scene is drawn for each format, so that its ornaments stay at the edges of every one.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as festive from './festive.mjs';
import * as flowers from './flowers.mjs';
import { sheet } from './kit.mjs';
import * as seasons from './seasons.mjs';

const SCENES = [
  ['birthday', festive.birthday, '誕生日', 'Birthday', 'birthday'],
  ['congratulations', festive.congratulations, 'おめでとう', 'Congrats', 'celebration'],
  ['wedding', flowers.wedding, '結婚', 'Wedding', 'wedding'],
  ['thanks', flowers.thanks, 'ありがとう', 'Thank you', 'thanks'],
  ['sakura', flowers.sakura, '桜', 'Cherry blossom', 'season'],
  ['graduation', festive.graduation, '卒業', 'Graduation', 'celebration'],
  ['baby', festive.baby, '赤ちゃん', 'New baby', 'baby'],
  ['fireworks', seasons.fireworks, '花火', 'Fireworks', 'season'],
  ['christmas', seasons.christmas, 'クリスマス', 'Christmas', 'season'],
  ['newyear', seasons.newyear, 'お正月', 'New Year', 'season'],
];
const FORMATS = { '1:1': ['', 1280, 1280], '9:16': ['_9x16', 900, 1600], '16:9': ['_16x9', 1600, 900] };
const OUT = fileURLToPath(new URL('../../assets/backgrounds', import.meta.url));

const wanted = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), 'backgrounds-'));
const manifest = [];
for (const [index, [id, draw, name_ja, name_en, category]] of SCENES.entries()) {
  const images = {};
  for (const [format, [suffix, width, height]] of Object.entries(FORMATS)) {
    const file = `${id}${suffix}.jpg`;
    images[format] = file;
    if (wanted.length > 0 && !wanted.includes(id)) continue;
    const s = sheet(width, height, 1000 + index);
    const svg = join(work, 'scene.svg'), png = join(work, 'scene.png');
    writeFileSync(svg, s.finish(draw(s)));
    execFileSync('rsvg-convert', ['--unlimited', svg, '-o', png]);
    const code = (quality, target, ...more) => execFileSync('/usr/bin/convert', [png, ...more, '-strip', '-sampling-factor', '4:2:0', '-interlace', 'Plane', '-quality', String(quality), target]);
    const target = join(OUT, file);
    for (let quality = 88; quality >= 60; quality -= 4) {
      code(quality, target);
      if (statSync(target).size < 200_000) break;
    }
    if (format === '1:1') code(82, join(OUT, `${id}_thumb.jpg`), '-resize', '320x320');
  }
  manifest.push({ id, name_ja, name_en, category, image: `${id}.jpg`, thumbnail: `${id}_thumb.jpg`, images });
}
rmSync(work, { recursive: true });
writeFileSync(join(OUT, 'manifest.json'), `${JSON.stringify({ backgrounds: manifest }, null, 2)}\n`);
