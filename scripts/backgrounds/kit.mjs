// SPDX-License-Identifier: Apache-2.0
// What the scenes are drawn with: a seeded hand, gradients, blurred layers and a few things that
// several scenes share. Everything returns SVG text.

/** A small repeatable random source (mulberry32): the same picture at every run. */
export function hand(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const between = (low, high) => low + (high - low) * next();
  return { next, between, pick: (list) => list[Math.floor(next() * list.length)], sign: () => (next() < 0.5 ? -1 : 1) };
}

export const f = (n) => (Math.round(n * 10) / 10).toString();
export const polar = (x, y, r, a) => [x + r * Math.cos(a), y + r * Math.sin(a)];

/** A sheet collects definitions while a scene is drawn. u is the unit: a thousandth of the mean side. */
export function sheet(width, height, seed) {
  const defs = [];
  let ids = 0;
  const id = () => `d${++ids}`;
  const stops = (list) => list.map(([at, color, alpha = 1]) => `<stop offset="${at}" stop-color="${color}" stop-opacity="${alpha}"/>`).join('');
  const s = {
    w: width, h: height, u: Math.sqrt(width * height) / 1000, ...hand(seed),
    linear(list, x1 = 0, y1 = 0, x2 = 0, y2 = 1) {
      const name = id();
      defs.push(`<linearGradient id="${name}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}">${stops(list)}</linearGradient>`);
      return `url(#${name})`;
    },
    radial(list, cx = 0.5, cy = 0.5, r = 0.5) {
      const name = id();
      defs.push(`<radialGradient id="${name}" cx="${cx}" cy="${cy}" r="${r}">${stops(list)}</radialGradient>`);
      return `url(#${name})`;
    },
    blur(amount, body) {
      const name = `b${String(amount).replace('.', '_')}`;
      const filter = `<filter id="${name}" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="${f(amount * s.u)}"/></filter>`;
      if (!defs.includes(filter)) defs.push(filter);
      return `<g filter="url(#${name})">${body}</g>`;
    },
    fill: (paint) => `<rect width="${width}" height="${height}" fill="${paint}"/>`,
    /** Light behind the person: calm, bright, a little above the middle. */
    glow(color, alpha = 0.8, cy = 0.42, r = 0.55) {
      return s.fill(s.radial([[0, color, alpha], [0.55, color, alpha * 0.45], [1, color, 0]], 0.5, cy, r));
    },
    finish(body) {
      const grain = '<filter id="grain" x="0" y="0" width="100%" height="100%"><feTurbulence type="fractalNoise" baseFrequency="0.8" numOctaves="2" seed="3"/><feColorMatrix values="0 0 0 0 0.5  0 0 0 0 0.45  0 0 0 0 0.4  0 0 0 0.09 0"/></filter>';
      const soft = `<filter id="soft" x="0" y="0" width="100%" height="100%"><feGaussianBlur stdDeviation="${f(0.8 * s.u)}"/></filter>`;
      return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><defs>${grain}${soft}${defs.join('')}</defs><g filter="url(#soft)">${body}</g><rect width="${width}" height="${height}" filter="url(#grain)"/></svg>`;
    },
  };
  return s;
}

export const circle = (x, y, r, paint, alpha = 1) => `<circle cx="${f(x)}" cy="${f(y)}" r="${f(r)}" fill="${paint}" opacity="${alpha}"/>`;
export const path = (d, fill, rest = '') => `<path d="${d}" fill="${fill}" ${rest}/>`;
export const line = (d, stroke, width, rest = '') => `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${f(width)}" stroke-linecap="round" ${rest}/>`;
export const at = (x, y, turn, size, body) => `<g transform="translate(${f(x)} ${f(y)}) rotate(${f(turn)}) scale(${(Math.round(size * 1000) / 1000).toString()})">${body}</g>`;

export function times(n, draw) {
  let out = '';
  for (let i = 0; i < n; i++) out += draw(i, n);
  return out;
}

/** Out-of-focus lights: a soft disc with a slightly brighter rim. */
export function bokeh(s, n, colors, { low = 12, high = 46, alpha = 0.4, place } = {}) {
  const paints = colors.map((c) => s.radial([[0, c, 0.55], [0.8, c, 0.7], [0.93, c, 0.95], [1, c, 0]]));
  return times(n, () => {
    const [x, y] = place ? place() : edge(s, 0.62);
    return circle(x, y, s.between(low, high) * s.u, s.pick(paints), s.between(alpha * 0.4, alpha));
  });
}

/** A point away from the calm middle, where head and shoulders will be. */
export function edge(s, clear = 0.6) {
  for (;;) {
    const x = s.next(), y = s.next();
    const dx = (x - 0.5) / 0.5, dy = (y - 0.56) / 0.56;
    if (Math.hypot(dx, dy) > clear + s.next() * 0.25) return [x * s.w, y * s.h];
  }
}

export function leaf(s, length, width, paint) {
  return path(`M0 0C${f(width)} ${f(-length * 0.3)} ${f(width * 0.8)} ${f(-length * 0.75)} 0 ${f(-length)}C${f(-width * 0.8)} ${f(-length * 0.75)} ${f(-width)} ${f(-length * 0.3)} 0 0z`, paint) +
    line(`M0 ${f(-length * 0.06)}Q${f(width * 0.1)} ${f(-length * 0.5)} 0 ${f(-length * 0.9)}`, '#ffffff', 1.4, 'opacity=".28"');
}

/** A spray of leaves along a bent stem, from the origin upwards. */
export function spray(s, length, paints, { bend = 0.25, size = 1, pairs = 8 } = {}) {
  const stem = (t) => [bend * length * t * t, -length * t];
  let out = line(`M0 0Q0 ${f(-length * 0.5)} ${f(bend * length)} ${f(-length)}`, '#7b8f6a', 3.2, 'opacity=".8"');
  for (let i = 1; i <= pairs; i++) {
    const t = i / (pairs + 0.4);
    const [x, y] = stem(t);
    const lean = (Math.atan(2 * bend * t) * 180) / Math.PI;
    const l = (64 - 30 * t) * size;
    for (const side of [-1, 1]) {
      out += at(x, y, lean + side * s.between(42, 62), 1, leaf(s, l * s.between(0.85, 1.1), l * 0.3, s.pick(paints)));
    }
  }
  const [x, y] = stem(1);
  return out + at(x, y, (Math.atan(2 * bend) * 180) / Math.PI, 1, leaf(s, 38 * size, 12 * size, s.pick(paints)));
}

/** A many-petalled flower: rings of petals, each shaded towards the heart. */
export function bloom(s, r, { petals = 12, rings = 2, outer, inner, heart, round = 0.42 }) {
  const paint = s.radial([[0, inner], [1, outer]], 0.5, 1, 1);
  let out = '';
  for (let ring = 0; ring < rings; ring++) {
    const length = r * (1 - ring * 0.26);
    const wide = (length * Math.PI * round * 1.5) / petals;
    const turn = s.between(0, 360);
    out += times(petals, (i) => {
      const l = length * s.between(0.93, 1.04);
      const d = `M0 0C${f(wide * 1.3)} ${f(-l * 0.35)} ${f(wide * 1.25)} ${f(-l * 0.98)} 0 ${f(-l)}C${f(-wide * 1.25)} ${f(-l * 0.98)} ${f(-wide * 1.3)} ${f(-l * 0.35)} 0 0z`;
      return `<g transform="rotate(${f(turn + (i * 360) / petals + s.between(-4, 4))})">${path(d, paint, `stroke="#fff" stroke-opacity=".35" stroke-width="${f(r * 0.012)}"`)}</g>`;
    });
  }
  if (heart) {
    out += circle(0, 0, r * 0.22, s.radial([[0, heart[0]], [1, heart[1]]], 0.4, 0.35, 0.7));
    out += times(16, (i) => {
      const [x, y] = polar(0, 0, r * s.between(0.06, 0.19), i * 2.4);
      return circle(x, y, r * 0.022, heart[0], 0.8);
    });
  }
  return out;
}

/** A rose seen from the front: petals turning inwards, light on their rims. */
export function rose(s, r, [dark, middle, light]) {
  const paint = s.radial([[0, dark], [0.55, middle], [1, light]], 0.5, 0.62, 0.62);
  let out = circle(0, 0, r * 0.86, middle);
  const rings = [[1, 6], [0.8, 5], [0.6, 5], [0.42, 4], [0.26, 3]];
  for (const [size, count] of rings) {
    const turn = s.between(0, 360);
    out += times(count, (i) => {
      const l = r * size * s.between(0.94, 1.05), w = l * (0.78 + 0.3 / count);
      const d = `M0 ${f(l * 0.1)}C${f(w * 0.9)} ${f(-l * 0.05)} ${f(w * 0.75)} ${f(-l * 0.95)} ${f(w * 0.1)} ${f(-l)}C${f(-w * 0.65)} ${f(-l * 0.98)} ${f(-w * 0.95)} ${f(-l * 0.1)} 0 ${f(l * 0.1)}z`;
      return `<g transform="rotate(${f(turn + (i * 360) / count)})">${path(d, paint, `stroke="${light}" stroke-opacity=".75" stroke-width="${f(r * 0.02)}"`)}</g>`;
    });
  }
  return out + circle(0, 0, r * 0.1, dark, 0.7);
}

export function star(r, inner = 0.45, points = 5) {
  let d = '';
  for (let i = 0; i < points * 2; i++) {
    const [x, y] = polar(0, 0, i % 2 ? r * inner : r, (Math.PI * i) / points - Math.PI / 2);
    d += `${i ? 'L' : 'M'}${f(x)} ${f(y)}`;
  }
  return `${d}z`;
}

/** Paper shapes on their way down: rectangles, discs and curls, thinner towards the middle. */
export function confetti(s, n, colors, { size = 1, clear = 0.62, alpha = 0.95 } = {}) {
  return times(n, () => {
    const [x, y] = edge(s, clear);
    const color = s.pick(colors), k = s.between(0.6, 1.3) * size * s.u, kind = s.next();
    const body = kind < 0.5
      ? `<rect x="-9" y="-5" width="18" height="${f(s.between(5, 11))}" rx="1.5" fill="${color}"/>`
      : kind < 0.75
        ? circle(0, 0, 6.5, color)
        : line('M-16 0q8 -13 16 0t16 0', color, 4.5);
    return `<g opacity="${f(s.between(alpha * 0.6, alpha))}">${at(x, y, s.between(0, 360), k, body)}</g>`;
  });
}

/** A cord from one point to another, hanging through by `sag`; calls `hang` at equal steps. */
export function garland(x1, y1, x2, y2, sag, n, cord, hang) {
  const point = (t) => [x1 + (x2 - x1) * t, y1 + (y2 - y1) * t + 4 * sag * t * (1 - t)];
  const middle = [(x1 + x2) / 2, (y1 + y2) / 2 + 2 * sag];
  const out = line(`M${f(x1)} ${f(y1)}Q${f(middle[0])} ${f(middle[1])} ${f(x2)} ${f(y2)}`, cord[0], cord[1]);
  return out + times(n, (i) => {
    const t = (i + 0.5) / n;
    const [x, y] = point(t);
    const slope = (Math.atan2(y2 - y1 + 4 * sag * (1 - 2 * t), x2 - x1) * 180) / Math.PI;
    return hang(x, y, slope, i);
  });
}
