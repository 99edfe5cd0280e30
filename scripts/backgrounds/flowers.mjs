// SPDX-License-Identifier: Apache-2.0
// Wedding, thank you, cherry blossom.
import { at, bloom, bokeh, circle, edge, f, line, path, polar, rose, spray, times } from './kit.mjs';

export function wedding(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#f4ebe2'], [0.5, '#fdf9f4'], [1, '#efe2d6']])) + s.glow('#ffffff', 0.95, 0.44, 0.55);
  const drape = (side) => times(9, (i) => {
    const x = side < 0 ? i * 30 * u : w - i * 30 * u, k = side * u;
    return path(`M${f(x)} -10C${f(x - k * 30)} ${f(h * 0.3)} ${f(x - k * 70)} ${f(h * 0.5)} ${f(x - k * (110 - i * 8))} ${f(h + 10)}L${f(x - k * (150 - i * 8))} ${f(h + 10)}C${f(x - k * 110)} ${f(h * 0.5)} ${f(x - k * 60)} ${f(h * 0.3)} ${f(x - k * 34)} -10z`, i % 2 ? '#fffdfa' : '#e7d8c9', 'opacity=".5"');
  });
  const curtains = s.blur(7, drape(-1) + drape(1));
  const lights = s.blur(4, bokeh(s, 60, ['#ffe7ba', '#fff6e2', '#ffd9a0'], { alpha: 0.85, low: 8, high: 34 }));
  const green = ['#8fa583', '#a9bb99', '#738c6c', '#c0cdb2'];
  const white = ['#e9d6c0', '#fbf1e4', '#ffffff'], blush = ['#d9a08e', '#f3cdbf', '#fff0ea'], champagne = ['#cba878', '#ecd5b0', '#fdf3e0'];
  const kinds = [white, blush, white, champagne, white, blush];
  const cluster = (x, y, k, seedTurn) => {
    const leaves = times(11, (i) => at(x, y, seedTurn + i * 33 + s.between(-9, 9), u * k * s.between(0.75, 1.1), spray(s, 210, green, { bend: s.between(-0.2, 0.2), size: 0.95, pairs: 6 })));
    const heads = [[0, 0, 84], [-96, 40, 66], [84, 62, 70], [-30, -92, 62], [72, -64, 58], [-20, 112, 60], [-112, -52, 48], [140, -6, 44]];
    return leaves + heads.map(([a, b, r], i) => at(x + a * k * u, y + b * k * u, s.between(0, 360), u * k, rose(s, r, kinds[(i + Math.round(seedTurn)) % kinds.length]))).join('');
  };
  const narrow = Math.min(1, w / h);
  const m = (0.3 + 0.7 * narrow);
  const far = s.blur(6, cluster(w * 0.17, h * 0.03, 0.62 * m + 0.1, 40) + cluster(w * 0.83, h * 0.03, 0.62 * m + 0.1, 80));
  const buds = times(26, () => {
    const [x, y] = edge(s, 0.8);
    return circle(x, y, s.between(3, 7) * u, '#fffaf2', 0.9);
  });
  return back + curtains + lights + far + cluster(w * 0.02, h * 0.1, 0.95, 12) + cluster(w * 0.98, h * 0.1, 0.95, 57) + cluster(w * 0.0, h * 0.84, 1.1, 25) + cluster(w * 1.0, h * 0.86, 1.1, 5)
    + cluster(0, h * 0.47, 0.5, 30) + cluster(w, h * 0.48, 0.5, 51) + buds;
}

export function thanks(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#e3efe2'], [0.5, '#fbf8ea'], [1, '#e9eed8']])) + s.glow('#fffef6', 0.95);
  const wash = s.blur(34, times(14, () => {
    const [x, y] = edge(s, 0.75);
    return circle(x, y, s.between(60, 130) * u, s.pick(['#ffd9b8', '#f9c7c2', '#cfe3bf', '#ffe9a8']), 0.55);
  }));
  const green = ['#8fb07a', '#a9c48c', '#6f9868', '#c3d6a4'];
  const gerbera = (r, outer, inner) => bloom(s, r, { petals: 20, rings: 2, outer, inner, heart: ['#ffe08a', '#a0622e'], round: 0.5 });
  const daisy = (r) => bloom(s, r, { petals: 15, rings: 1, outer: '#ffffff', inner: '#f3ead6', heart: ['#ffe07a', '#e8a52e'], round: 0.46 });
  const peony = (r, a, b) => bloom(s, r, { petals: 9, rings: 4, outer: a, inner: b, heart: ['#fff0b8', '#eec25a'], round: 0.62 });
  const kinds = [(r) => gerbera(r, '#f6a13f', '#e9772d'), (r) => daisy(r), (r) => peony(r, '#fbd3d6', '#ee8f9c'), (r) => gerbera(r, '#ffd35c', '#f2a52c'), (r) => daisy(r * 0.8), (r) => peony(r, '#ffe3cb', '#f5ab84'), (r) => gerbera(r, '#ee7f77', '#cf4c50')];
  const corner = (x, y, k, lean) => {
    const leaves = times(9, (i) => at(x, y, lean - 75 + i * 19, u * k * s.between(0.95, 1.35), spray(s, 270, green, { bend: s.between(-0.2, 0.2), pairs: 7 })));
    const heads = [[-120, 60, 90], [130, 70, 92], [0, 90, 84], [-60, -70, 78], [74, -78, 74], [0, 0, 96], [-165, -50, 54], [168, -40, 56], [10, -158, 52], [-110, -150, 38], [112, -166, 40]];
    return leaves + heads.map(([a, b, r], i) => at(x + a * k * u, y + b * k * u, s.between(0, 360), u * k, kinds[(i * 3 + Math.round(lean + 90)) % kinds.length](r))).join('');
  };
  const hanging = (x, y, turn, k) => at(x, y, turn, u * k, spray(s, 320, green, { bend: s.between(-0.2, 0.2), pairs: 9 }));
  const top = s.blur(3.5, times(8, (i) => hanging((i < 4 ? i * 0.07 : 1 - (i - 4) * 0.07) * w, -30 * u, 180 + (i < 4 ? -14 : 14) + s.between(-10, 10), s.between(0.6, 1))));
  const far = s.blur(7, corner(w * 0.19, h * 0.98, 0.62, 9) + corner(w * 0.81, h * 0.98, 0.62, -9));
  const sides = s.blur(1.5, times(5, (i) => at(w * 0.0, h * (0.3 + i * 0.11), 70 + s.between(-18, 18), u * 0.62, spray(s, 230, green, { bend: 0.2, pairs: 6 })) + at(w, h * (0.3 + i * 0.11), -70 + s.between(-18, 18), u * 0.62, spray(s, 230, green, { bend: -0.2, pairs: 6 }))));
  return back + wash + s.blur(5, bokeh(s, 26, ['#fffbe6', '#fff0c4'], { alpha: 0.8 })) + top + far + sides + corner(w * 0.03, h * 0.88, 0.95, 14) + corner(w * 0.97, h * 0.89, 0.95, -14);
}

function blossom(s, r) {
  const petal = s.radial([[0, '#f29ab2'], [0.35, '#fbcbd6'], [1, '#fff1f3']], 0.5, 1, 1);
  const turn = s.between(0, 72);
  return times(5, (i) => `<g transform="rotate(${f(turn + i * 72)})">${path(`M0 0C${f(r * 0.62)} ${f(-r * 0.22)} ${f(r * 0.58)} ${f(-r * 0.86)} ${f(r * 0.13)} ${f(-r)}L0 ${f(-r * 0.86)}L${f(-r * 0.13)} ${f(-r)}C${f(-r * 0.58)} ${f(-r * 0.86)} ${f(-r * 0.62)} ${f(-r * 0.22)} 0 0z`, petal)}</g>`)
    + times(9, (i) => {
      const [x, y] = polar(0, 0, r * s.between(0.26, 0.42), i * 0.7);
      return line(`M0 0L${f(x)} ${f(y)}`, '#d9607f', r * 0.025) + circle(x, y, r * 0.045, '#f3c14f');
    }) + circle(0, 0, r * 0.08, '#c94a70');
}

/** A bough that forks, with blossoms where it is thin. */
function bough(s, x, y, angle, length, width, depth, out) {
  const [ex, ey] = polar(x, y, length, angle);
  const bend = s.between(-0.16, 0.16) * length;
  const mx = (x + ex) / 2 - Math.sin(angle) * bend, my = (y + ey) / 2 + Math.cos(angle) * bend;
  out.wood.push(line(`M${f(x)} ${f(y)}Q${f(mx)} ${f(my)} ${f(ex)} ${f(ey)}`, depth > 2 ? '#5d4038' : '#7a5449', width));
  if (depth < 4) {
    const n = depth < 2 ? 5 : 3;
    for (let i = 0; i < n; i++) {
      const t = s.between(0.25, 1), spread = 30 * s.u;
      out.bloom.push([x + (ex - x) * t + s.between(-spread, spread), y + (ey - y) * t + s.between(-spread, spread), s.between(15, 27) * s.u]);
    }
  }
  if (depth === 0) return;
  bough(s, ex, ey, angle + s.between(-0.35, 0.3), length * 0.78, width * 0.7, depth - 1, out);
  if (s.next() < 0.85) bough(s, ex, ey, angle + s.sign() * s.between(0.45, 0.85), length * 0.6, width * 0.5, depth - 1, out);
}

export function sakura(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#a9cdea'], [0.5, '#dcebf5'], [1, '#fbe6ea']])) + s.glow('#ffffff', 0.9);
  const haze = s.blur(30, times(44, () => {
    const low = s.next() < 0.6;
    const x = s.next() * w, y = low ? h * s.between(0.72, 1.02) : h * s.between(-0.04, 0.16);
    return circle(x, y, s.between(40, 95) * u, s.pick(['#f9c9d6', '#fbdbe3', '#f4b4c7', '#fff0f3']), 0.75);
  }));
  const grow = (list) => {
    const out = { wood: [], bloom: [] };
    for (const [x, y, angle, length, width] of list) bough(s, x, y, angle, length * u, width * u, 4, out);
    const flowers = out.bloom.map(([x, y, r]) => at(x, y, 0, 1, blossom(s, r))).join('');
    return out.wood.join('') + flowers;
  };
  const far = s.blur(8, grow([[-20, h * 0.3, -0.5, 150, 12], [w + 20, h * 0.26, Math.PI + 0.45, 150, 12], [w * 0.35, -30, 1.0, 70, 8], [w * 0.7, -30, 2.1, 70, 8]]));
  const near = grow([[-30, h * 0.04, 0.22, 170, 24], [w + 30, h * 0.0, Math.PI - 0.3, 170, 24], [-30, h * 0.42, -0.1, 90, 14], [w + 30, h * 0.5, Math.PI + 0.12, 85, 13], [-30, h * 0.82, -0.35, 110, 16], [w + 30, h * 0.86, Math.PI + 0.35, 110, 16]]);
  const petals = (n, k, clear) => times(n, () => {
    const [x, y] = edge(s, clear);
    return at(x, y, s.between(0, 360), u * k * s.between(0.24, 0.44), path('M0 0C30 -18 30 -58 7 -72L0 -60L-7 -72C-30 -58 -30 -18 0 0z', s.pick(['#fcd3dd', '#f9bccb', '#fff0f3']), 'opacity=".92"'));
  });
  return back + haze + s.blur(5, bokeh(s, 26, ['#ffffff', '#ffe6ec'], { alpha: 0.8 })) + far + s.blur(5, petals(24, 1.8, 0.6)) + near + petals(64, 1, 0.55);
}
