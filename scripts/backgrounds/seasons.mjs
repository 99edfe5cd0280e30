// SPDX-License-Identifier: Apache-2.0
// New Year, summer fireworks, Christmas.
import { at, bokeh, circle, edge, f, line, path, polar, star, times } from './kit.mjs';

/** A band of mist as in old gold-leaf screens: stacked rounded bars. */
function mist(s, x, y, k, paint) {
  const bars = [[0, 0, 420], [90, 34, 380], [-60, 68, 340], [60, 102, 250]];
  return at(x, y, 0, k * s.u, bars.map(([a, b, l]) => `<rect x="${a - l / 2}" y="${b}" width="${l}" height="36" rx="18" fill="${paint}"/>`).join(''));
}

function pine(s, x, y, k, turn = 0) {
  const needles = (cx, cy, r) => times(46, (i) => {
    const a = Math.PI + (Math.PI * (i + s.between(-0.4, 0.4))) / 45;
    const [ex, ey] = polar(cx, cy, r * s.between(0.86, 1.04), a);
    return line(`M${f(cx)} ${f(cy)}L${f(ex)} ${f(ey)}`, s.pick(['#1f5a43', '#2f7152', '#17483a', '#4b8a62']), 3.4);
  });
  const tufts = [[-150, 20, 84], [-70, -26, 98], [20, 6, 92], [104, -30, 86], [-110, -92, 76], [-14, -110, 86], [70, -118, 70]];
  const wood = line('M-220 90C-120 70 -60 50 0 40S120 0 140 -20M-60 52C-90 10 -100 -20 -104 -60M0 40C10 -10 30 -50 60 -84', '#5b3a2a', 13);
  return at(x, y, turn, k * s.u, wood + tufts.map(([a, b, r]) => needles(a, b, r)).join(''));
}

function plum(s, r, [dark, light]) {
  const petal = s.radial([[0, dark], [1, light]], 0.5, 0.9, 0.9);
  return times(5, (i) => {
    const [x, y] = polar(0, 0, r * 0.52, (i * Math.PI * 2) / 5 - Math.PI / 2);
    return circle(x, y, r * 0.46, petal);
  }) + times(10, (i) => {
    const [x, y] = polar(0, 0, r * 0.4, i * 0.628);
    return line(`M0 0L${f(x)} ${f(y)}`, '#fbe3a6', r * 0.03) + circle(x, y, r * 0.05, '#f6cf62');
  }) + circle(0, 0, r * 0.12, '#fbe3a6');
}

export function newyear(s) {
  const { w, h, u } = s;
  const gold = s.linear([[0, '#fbe7ae'], [0.5, '#e6bd62'], [1, '#f7dd9a']], 0, 0, 1, 1);
  const pale = s.linear([[0, '#fff6dc', 0.95], [1, '#f6dfa8', 0.9]], 0, 0, 1, 0);
  const back = s.fill(s.linear([[0, '#f9e3c0'], [0.5, '#fdf4e2'], [1, '#f6dcc0']]));
  const sun = circle(w / 2, h * 0.36, 300 * u * Math.min(1, 0.55 + 0.45 * (w / h)), s.linear([[0, '#e0503a'], [0.72, '#f08a63'], [0.95, '#f6b48a', 0]]), 0.92);
  const fx = w / 2, fy = h * 0.8, fw = Math.max(w, h * 0.8) * 0.62, fh = h * 0.38;
  const slope = `M${f(fx - fw)} ${f(fy)}C${f(fx - fw * 0.45)} ${f(fy - fh * 0.18)} ${f(fx - fw * 0.26)} ${f(fy - fh * 0.72)} ${f(fx - fw * 0.11)} ${f(fy - fh)}L${f(fx - fw * 0.05)} ${f(fy - fh * 0.97)}L${f(fx)} ${f(fy - fh)}L${f(fx + fw * 0.06)} ${f(fy - fh * 0.965)}L${f(fx + fw * 0.11)} ${f(fy - fh)}C${f(fx + fw * 0.26)} ${f(fy - fh * 0.72)} ${f(fx + fw * 0.45)} ${f(fy - fh * 0.18)} ${f(fx + fw)} ${f(fy)}z`;
  const fuji = s.blur(3, path(slope, s.linear([[0, '#8fa4c6'], [0.6, '#bcc8dc'], [1, '#e9e2dc', 0]])));
  const snow = s.blur(2, path(`M${f(fx - fw * 0.11)} ${f(fy - fh)}L${f(fx - fw * 0.05)} ${f(fy - fh * 0.97)}L${f(fx)} ${f(fy - fh)}L${f(fx + fw * 0.06)} ${f(fy - fh * 0.965)}L${f(fx + fw * 0.11)} ${f(fy - fh)}C${f(fx + fw * 0.17)} ${f(fy - fh * 0.88)} ${f(fx + fw * 0.2)} ${f(fy - fh * 0.8)} ${f(fx + fw * 0.235)} ${f(fy - fh * 0.66)}L${f(fx + fw * 0.16)} ${f(fy - fh * 0.74)}L${f(fx + fw * 0.09)} ${f(fy - fh * 0.6)}L${f(fx + fw * 0.01)} ${f(fy - fh * 0.73)}L${f(fx - fw * 0.08)} ${f(fy - fh * 0.58)}L${f(fx - fw * 0.14)} ${f(fy - fh * 0.74)}L${f(fx - fw * 0.235)} ${f(fy - fh * 0.66)}C${f(fx - fw * 0.2)} ${f(fy - fh * 0.8)} ${f(fx - fw * 0.17)} ${f(fy - fh * 0.88)} ${f(fx - fw * 0.11)} ${f(fy - fh)}z`, '#fffdf8'));
  const mists = mist(s, w * 0.04, h * 0.2, 0.9, gold) + mist(s, w * 0.98, h * 0.3, 0.95, gold) + mist(s, w * 0.02, h * 0.62, 1.1, pale) + mist(s, w * 0.99, h * 0.66, 1.1, gold) + mist(s, w * 0.12, h * 0.86, 1.2, gold) + mist(s, w * 0.86, h * 0.9, 1.2, pale);
  const trees = pine(s, w * 0.1, h * 0.1, 0.95, 4) + at(w * 0.92, h * 0.1, 0, -1, '') + `<g transform="translate(${f(w)} 0) scale(-1 1)">${pine(s, w * 0.08, h * 0.96, 0.9, -8)}</g>`;
  const red = ['#b8243a', '#f0667a'], white = ['#f6c3c3', '#fffafa'];
  const twig = (x, y, turn, k, flip) => at(x, y, turn, k * u, `<g transform="scale(${flip} 1)">${line('M0 0C60 -40 100 -110 110 -200M50 -38C100 -50 150 -60 190 -110M104 -140C130 -170 150 -190 196 -206', '#5b3a32', 9)}${[[110, -205, 34], [190, -112, 30], [198, -206, 27], [78, -80, 32], [140, -60, 25], [112, -150, 26], [160, -184, 20], [40, -26, 24]].map(([a, b, r], i) => at(a, b, i * 40, 1, plum(s, r, i % 3 ? red : white))).join('')}</g>`);
  const plums = twig(w * 1.0, h * 0.26, 6, 1.1, -1) + twig(-4, h * 1.0, 0, 1.3, 1) + twig(0, h * 0.66, 12, 0.75, 1) + twig(w, h * 0.7, -8, 0.7, -1);
  const flakes = times(120, () => {
    const [x, y] = edge(s, 0.55);
    return at(x, y, s.between(0, 90), u, `<rect width="${f(s.between(3, 9))}" height="${f(s.between(3, 9))}" fill="#dcae4b" opacity="${f(s.between(0.4, 0.9))}"/>`);
  });
  return back + sun + fuji + snow + s.glow('#fff6e4', 0.35, 0.5, 0.4) + mists + flakes + trees + plums;
}

function burst(s, x, y, r, colors) {
  const u = s.u;
  let out = s.blur(22, circle(x, y, r * 0.75, colors[0], 0.4));
  const shells = [[1, 46, 0], [0.72, 34, 1], [0.45, 24, 2]];
  for (const [size, count, c] of shells) {
    const color = colors[c % colors.length], turn = s.between(0, 6);
    out += times(count, (i) => {
      const a = turn + (i * Math.PI * 2) / count + s.between(-0.03, 0.03), l = r * size * s.between(0.9, 1.05);
      const [ax, ay] = polar(x, y, l * 0.34, a), [mx, my] = polar(x, y, l * 0.75, a), [ex, ey] = polar(x, y, l, a);
      const drop = l * 0.06;
      return line(`M${f(ax)} ${f(ay)}Q${f(mx)} ${f(my)} ${f(ex)} ${f(ey + drop)}`, color, 2.6 * u, 'opacity=".5"') + line(`M${f(mx)} ${f(my + drop * 0.3)}L${f(ex)} ${f(ey + drop)}`, color, 3.4 * u, 'opacity=".9"')
        + circle(ex, ey + drop, 4.6 * u, '#fffbe8') + circle(ex, ey + drop, 9 * u, color, 0.45);
    });
  }
  return out + s.blur(4, circle(x, y, r * 0.05, '#fffbe8', 0.9));
}

export function fireworks(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#0c1236'], [0.45, '#1e2a63'], [0.75, '#4a4385'], [0.86, '#8a5f8c'], [1, '#1a1f48']])) + s.glow('#8f8fd8', 0.45, 0.45, 0.5);
  const stars = times(140, () => circle(s.next() * w, s.next() * h * 0.7, s.between(0.8, 2.2) * u, '#fff', s.between(0.3, 0.9)));
  const k = Math.min(1, 0.62 + 0.38 * (w / h));
  const gold = ['#ffd36b', '#ffedb8', '#ff9f5a'], rose = ['#ff8fa3', '#ffd3da', '#ffd36b'], blue = ['#8fd3ff', '#e2f4ff', '#b79bff'], green = ['#9be8b0', '#e8ffe0', '#ffe58f'];
  const far = s.blur(3, burst(s, w * 0.36, h * 0.07, 105 * u * k, blue) + burst(s, w * 0.68, h * 0.05, 95 * u * k, green) + burst(s, w * 0.95, h * 0.5, 105 * u * k, rose) + burst(s, w * 0.05, h * 0.53, 100 * u * k, green));
  const near = burst(s, w * 0.14, h * 0.22, 235 * u * k, gold) + burst(s, w * 0.87, h * 0.2, 225 * u * k, rose);
  const hill = (y, amp, color) => {
    let d = `M0 ${f(h)}L0 ${f(y)}`;
    for (let i = 0; i <= 8; i++) d += `Q${f((i - 0.5) * w / 8)} ${f(y - amp * s.next())} ${f((i * w) / 8)} ${f(y - amp * 0.4 * s.next())}`;
    return path(`${d}L${f(w)} ${f(h)}z`, color);
  };
  const land = s.blur(3, hill(h * 0.82, 60 * u, '#2a2b5e')) + s.blur(2, hill(h * 0.87, 44 * u, '#171a42'));
  const town = times(70, () => circle(s.next() * w, h * s.between(0.845, 0.87), s.between(1.2, 2.8) * u, s.pick(['#ffd98a', '#ffb56b', '#fff0c9']), 0.9));
  const water = `<rect y="${f(h * 0.885)}" width="${f(w)}" height="${f(h * 0.12)}" fill="${s.linear([[0, '#232659'], [1, '#0f1336']])}"/>` + s.blur(2.5, times(90, () => {
    const x = s.next() * w, y = h * s.between(0.89, 1), l = s.between(14, 60) * u;
    return line(`M${f(x - l)} ${f(y)}L${f(x + l)} ${f(y)}`, s.pick(['#ffd36b', '#ff8fa3', '#8fd3ff', '#ffe9b8']), s.between(1.5, 3.5) * u, `opacity="${f(s.between(0.2, 0.6))}"`);
  }));
  const paper = s.radial([[0, '#fff2c4'], [0.5, '#ff9d5c'], [1, '#d4482f']], 0.5, 0.55, 0.6);
  const lantern = (x, y, z) => at(x, y, s.between(-4, 4), z * u, circle(0, 0, 96, s.radial([[0, '#ffb86b', 0.55], [1, '#ffb86b', 0]])) + `<rect x="-16" y="-52" width="32" height="10" rx="3" fill="#2b1b1b"/><ellipse rx="40" ry="46" fill="${paper}"/>` + [-24, -8, 8, 24].map((yy) => line(`M${-Math.sqrt(1 - (yy / 46) ** 2) * 40} ${yy}Q0 ${yy + 7} ${Math.sqrt(1 - (yy / 46) ** 2) * 40} ${yy}`, '#a8321f', 1.6, 'opacity=".5"')).join('') + '<rect x="-16" y="42" width="32" height="10" rx="3" fill="#2b1b1b"/>');
  const string = (x1, y1, x2, y2, n, z) => line(`M${f(x1)} ${f(y1)}Q${f((x1 + x2) / 2)} ${f(Math.max(y1, y2) + 50 * u)} ${f(x2)} ${f(y2)}`, '#2b1b1b', 3 * u) + times(n, (i) => {
    const t = (i + 0.5) / n;
    return lantern(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t + 100 * u * t * (1 - t) + 46 * z * u, z);
  });
  const lanterns = string(-20, h * 0.6, w * 0.2, h * 0.7, 3, 0.72) + string(w * 0.8, h * 0.7, w + 20, h * 0.6, 3, 0.72);
  return back + stars + far + near + land + town + water + lanterns;
}

/** A fir twig: needles in pairs along a stem, darker below. */
function twig(s, length, dark) {
  const greens = dark ? ['#14382c', '#1b4737', '#0f2f25'] : ['#2c6b4c', '#1f5640', '#3d8059', '#184a37'];
  let out = line(`M0 0L0 ${f(-length)}`, '#4a3426', 5);
  for (let i = 0; i < length / 3.4; i++) {
    const y = -i * 3.4, l = 46 * (1 - (0.55 * i * 3.4) / length) * s.between(0.8, 1.1);
    for (const side of [-1, 1]) {
      const a = -Math.PI / 2 + side * s.between(0.6, 0.95);
      const [x, ey] = polar(0, y, l, a);
      out += line(`M0 ${f(y)}L${f(x)} ${f(ey)}`, s.pick(greens), 3.4);
    }
  }
  return out;
}

export function christmas(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#123a33'], [0.55, '#1f5548'], [1, '#0e2d29']])) + s.glow('#d9b878', 0.55, 0.46, 0.52);
  const lights = s.blur(4, bokeh(s, 70, ['#ffcf70', '#ffe9b8', '#ff9d63', '#fff3d9'], { alpha: 0.75, low: 10, high: 42 }));
  const branch = (x, y, turn, k, dark = false) => at(x, y, turn, k * u, [-52, 52, -30, 30, -14, 14, 0].map((a, i) => at(0, -i * 22, a, 1, twig(s, 250 - i * 6, dark))).join(''));
  const far = s.blur(7, times(12, (i) => branch((i / 11) * w, -20 * u, 180 + s.between(-25, 25), 0.8, true)) + times(4, (i) => branch(-10, h * (0.3 + i * 0.2), 90 + s.between(-15, 15), 0.75, true) + branch(w + 10, h * (0.3 + i * 0.2), -90 + s.between(-15, 15), 0.75, true)));
  const tips = [[-0.02, 0.02, 140, 1.05], [0.14, -0.03, 165, 0.95], [0.3, -0.06, 185, 0.75], [0.7, -0.06, 175, 0.75], [0.86, -0.03, 195, 0.95], [1.02, 0.02, 220, 1.05], [-0.04, 0.28, 105, 0.85], [1.04, 0.3, -105, 0.85], [-0.05, 0.54, 80, 0.75], [1.05, 0.56, -80, 0.75], [-0.03, 0.82, 62, 0.95], [1.03, 0.84, -62, 0.95], [0.04, 1.04, 30, 1], [0.96, 1.04, -30, 1]];
  const near = tips.map(([x, y, turn, k]) => branch(x * w, y * h, turn, k)).join('');
  const ball = (x, y, r, [dark, middle, light]) => at(x, y, 0, r * u, line('M0 -1L0 -1.9', '#d9b55e', 0.05) + '<rect x="-.2" y="-1.18" width=".4" height=".28" rx=".06" fill="#e8c66e"/>' + `<circle r="1" fill="${s.radial([[0, light], [0.35, middle], [1, dark]], 0.34, 0.3, 0.8)}"/>` + '<ellipse cx="-.36" cy="-.42" rx=".16" ry=".26" fill="#fff" opacity=".6" transform="rotate(30 -.36 -.42)"/>');
  const red = ['#6d0f16', '#c22b30', '#ff9a8c'], gold = ['#8f5f14', '#dca640', '#fff0bf'], white = ['#a99c8c', '#efe6d8', '#ffffff'];
  const balls = ball(w * 0.1, h * 0.22, 52, red).replaceAll('stroke-width="0.1"', 'stroke-width=".05"') + ball(w * 0.21, h * 0.13, 38, gold) + ball(w * 0.045, h * 0.4, 42, white) + ball(w * 0.9, h * 0.23, 52, gold) + ball(w * 0.79, h * 0.13, 38, red) + ball(w * 0.96, h * 0.43, 42, red) + ball(w * 0.06, h * 0.72, 46, gold) + ball(w * 0.95, h * 0.74, 46, white) + ball(w * 0.04, h * 0.93, 54, red) + ball(w * 0.965, h * 0.95, 54, gold);
  const berries = times(40, () => {
    const [x, y] = edge(s, 0.88);
    return circle(x, y, 9 * u, s.radial([[0, '#ff8a7a'], [1, '#a8171f']], 0.35, 0.3, 0.8));
  });
  const glints = times(16, () => {
    const [x, y] = edge(s, 0.75);
    return at(x, y, 0, u * s.between(0.6, 1.3), path(star(26, 0.16, 4), '#fff3cf', 'opacity=".9"'));
  });
  const snow = times(90, () => circle(s.next() * w, s.next() * h, s.between(1.6, 5) * u, '#fff', s.between(0.25, 0.7)));
  return back + lights + far + near + berries + balls + glints + s.blur(1.4, snow);
}
