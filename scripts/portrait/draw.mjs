// SPDX-License-Identifier: Apache-2.0
// Draws the sample portrait: a person who does not exist, painted in soft layers.
//   node scripts/portrait/draw.mjs      (Debian packages librsvg2-bin and imagemagick)
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sheet } from '../backgrounds/kit.mjs';
import { body, room } from './body.mjs';
import { face } from './face.mjs';
import { hairBack, hairFront } from './hair.mjs';

const SIZE = 1024;
const OUT = fileURLToPath(new URL('../../assets/sample/portrait.jpg', import.meta.url));

const s = sheet(SIZE, SIZE, 7);
const work = mkdtempSync(join(tmpdir(), 'portrait-'));
const svg = join(work, 'portrait.svg'), png = join(work, 'portrait.png');
writeFileSync(svg, s.finish(room(s) + hairBack(s) + body(s) + face(s) + hairFront(s)));
execFileSync('rsvg-convert', ['--unlimited', svg, '-o', png]);
const code = (...args) => execFileSync('/usr/bin/convert', [png, '-strip', '-interlace', 'Plane', ...args]);
code('-quality', '90', OUT);
code('-crop', '640x640+192+130', '+repage', '-resize', '120x120', '-quality', '85', OUT.replace('.jpg', '_small.jpg'));
rmSync(work, { recursive: true });
