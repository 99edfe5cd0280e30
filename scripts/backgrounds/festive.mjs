// SPDX-License-Identifier: Apache-2.0
// Birthday, congratulations, graduation, baby.
import { at, bokeh, circle, confetti, edge, f, garland, line, path, spray, star, times } from './kit.mjs';

function balloon(s, x, y, r, [dark, middle, light]) {
  const skin = s.radial([[0, light], [0.45, middle], [1, dark]], 0.36, 0.3, 0.78);
  const string = line(`M0 ${f(r * 1.28)}C${f(r * 0.3)} ${f(r * 2)} ${f(-r * 0.35)} ${f(r * 2.6)} ${f(r * 0.1)} ${f(r * 4)}`, '#a58a78', 2 * s.u, 'opacity=".55"');
  const body = path(`M0 ${f(r * 1.18)}C${f(-r * 0.55)} ${f(r * 0.95)} ${f(-r)} ${f(r * 0.42)} ${f(-r)} ${f(-r * 0.12)}C${f(-r)} ${f(-r * 0.72)} ${f(-r * 0.55)} ${f(-r * 1.12)} 0 ${f(-r * 1.12)}S${f(r)} ${f(-r * 0.72)} ${f(r)} ${f(-r * 0.12)}C${f(r)} ${f(r * 0.42)} ${f(r * 0.55)} ${f(r * 0.95)} 0 ${f(r * 1.18)}z`, skin);
  const knot = path(`M${f(-r * 0.08)} ${f(r * 1.28)}L0 ${f(r * 1.14)}L${f(r * 0.08)} ${f(r * 1.28)}z`, dark);
  const shine = `<ellipse cx="${f(-r * 0.42)}" cy="${f(-r * 0.52)}" rx="${f(r * 0.15)}" ry="${f(r * 0.28)}" fill="#fff" opacity=".55" transform="rotate(28 ${f(-r * 0.42)} ${f(-r * 0.52)})"/>`;
  const bounce = `<ellipse cx="${f(r * 0.5)}" cy="${f(r * 0.5)}" rx="${f(r * 0.1)}" ry="${f(r * 0.24)}" fill="#fff" opacity=".16" transform="rotate(40 ${f(r * 0.5)} ${f(r * 0.5)})"/>`;
  return at(x, y, s.between(-7, 7), 1, string + knot + body + shine + bounce);
}

const BALLOONS = [['#c9533f', '#ea7d63', '#ffc4ae'], ['#d99a34', '#f3c369', '#fff0c4'], ['#5c9a92', '#86c3b6', '#d5f0e6'], ['#c77f97', '#eaa9ba', '#ffe2e8'], ['#e3cdb4', '#f8ead8', '#ffffff']];

export function birthday(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#fbdcc6'], [0.55, '#fdeede'], [1, '#f3cdb5']])) + s.glow('#fffaf0', 0.9);
  const lights = s.blur(5, bokeh(s, 46, ['#ffd28a', '#fff3d6', '#ffb89c', '#ffe0c2'], { alpha: 0.75 }));
  const colors = ['#e0705a', '#f0b955', '#7fb9ae', '#e59cae', '#fdf3e4'];
  const flag = (x, y, turn, i) => {
    const k = 62 * u, c = colors[i % colors.length];
    const shade = s.linear([[0, '#5a2c1c', 0.2], [0.25, '#5a2c1c', 0], [1, '#ffffff', 0.18]]);
    const d = `M${f(-k * 0.5)} 0L${f(k * 0.5)} 0L0 ${f(k * 1.15)}z`;
    return at(x, y, turn + s.between(-4, 4), 1, path(d, c) + path(d, shade));
  };
  const n = Math.round(w / (86 * u));
  const far = s.blur(4, garland(-40 * u, h * 0.03, w + 40 * u, h * 0.05, 50 * u, n + 3, ['#c99', 2 * u], flag));
  const near = garland(-30 * u, h * 0.1, w * 0.52, h * 0.02, 46 * u, Math.ceil(n / 2), ['#b88d76', 3 * u], flag) + garland(w * 0.48, h * 0.02, w + 30 * u, h * 0.12, 46 * u, Math.ceil(n / 2), ['#b88d76', 3 * u], flag);
  const rows = [[0.02, 0.36, 92, 0], [0.1, 0.55, 84, 1], [-0.01, 0.66, 96, 3], [0.12, 0.79, 70, 4], [0.03, 0.9, 88, 2], [0.98, 0.33, 88, 2], [0.91, 0.5, 80, 3], [1.0, 0.6, 96, 1], [0.9, 0.74, 78, 0], [0.98, 0.88, 90, 4]];
  const pull = Math.min(1, w / h); // a tall frame has less room beside the person
  const draw = (list, scale) => list.map(([x, y, r, c]) => balloon(s, (x < 0.5 ? x * pull : 1 - (1 - x) * pull) * w, y * h, r * u * scale * (0.72 + 0.28 * pull), BALLOONS[c])).join('');
  const behind = s.blur(7, draw(rows.map(([x, y, r, c]) => [x < 0.5 ? x + 0.09 : x - 0.09, y - 0.06, r * 0.7, (c + 2) % 5]), 0.9));
  return back + lights + far + behind + near + draw(rows, 1) + confetti(s, 70, colors, { size: 1 });
}

export function congratulations(s) {
  const { w, h, u } = s;
  const cx = w / 2, cy = h * 0.46, reach = Math.hypot(w, h);
  const back = s.fill(s.linear([[0, '#0f5a5e'], [0.6, '#1b7a78'], [1, '#0d4a52']]));
  const rays = times(28, (i) => {
    const a = (i * Math.PI) / 14, d = 0.052;
    return path(`M${f(cx)} ${f(cy)}L${f(cx + reach * Math.cos(a - d))} ${f(cy + reach * Math.sin(a - d))}L${f(cx + reach * Math.cos(a + d))} ${f(cy + reach * Math.sin(a + d))}z`, '#ffe9b0', 'opacity=".09"');
  });
  const lights = s.blur(6, bokeh(s, 60, ['#ffdd8f', '#fff2c9', '#8fe0cf', '#ffc06a'], { alpha: 0.6 }));
  const gold = s.linear([[0, '#fff0b8'], [0.45, '#e9b74e'], [0.55, '#c98d2b'], [1, '#ffe39a']], 0, 0, 1, 1);
  const ribbon = (x, y, turn, k, paint) => at(x, y, turn, k * u, times(6, (i) => {
    const y0 = i * 62, side = i % 2 ? 1 : -1;
    return path(`M${-34 * side} ${y0}C${40 * side} ${y0 + 4} ${52 * side} ${y0 + 44} ${34 * side} ${y0 + 62}C${58 * side} ${y0 + 66} ${70 * side} ${y0 + 84} ${34 * side} ${y0 + 92}C${40 * side} ${y0 + 50} ${10 * side} ${y0 + 26} ${-34 * side} ${y0}z`, paint, `opacity="${i % 2 ? 0.78 : 1}"`);
  }));
  const coral = s.linear([[0, '#ffb49c'], [0.5, '#ec7157'], [1, '#c94f39']], 0, 0, 1, 1);
  const white = s.linear([[0, '#ffffff'], [0.5, '#f6ead6'], [1, '#d9c7a8']], 0, 0, 1, 1);
  const ribbons = ribbon(w * 0.07, -30 * u, 6, 1.05, gold) + ribbon(w * 0.2, -90 * u, -8, 0.8, coral) + ribbon(w * 0.93, -40 * u, -7, 1.1, gold) + ribbon(w * 0.82, -110 * u, 9, 0.78, white)
    + ribbon(w * 0.02, h * 0.58, -4, 0.95, white) + ribbon(w * 0.985, h * 0.55, 5, 0.95, coral);
  const papers = ['#f3c65b', '#ffe7a6', '#ef7d63', '#fff6e6', '#7fd3c2', '#f4a9a0'];
  const far = s.blur(5, confetti(s, 90, papers, { size: 1.8, clear: 0.55, alpha: 0.8 }));
  const stars = times(26, () => {
    const [x, y] = edge(s, 0.7);
    return at(x, y, s.between(0, 72), u * s.between(0.7, 1.7), path(star(15), gold));
  });
  return back + rays + s.glow('#6fc9b6', 0.75, 0.45, 0.5) + lights + far + ribbons + confetti(s, 170, papers, { size: 1.15, clear: 0.66 }) + stars;
}

function cap(s, x, y, turn, k) {
  const top = s.linear([[0, '#4a5a86'], [1, '#27325a']], 0, 0, 1, 1);
  const body = path('M-46 14C-44 44 44 44 46 14L46 -6L-46 -6z', '#222c50') + path('M0 -52L104 -8L0 36L-104 -8z', top) + path('M0 -52L104 -8L0 -2L-104 -8z', '#fff', 'opacity=".1"')
    + line('M0 -8C40 -4 70 4 82 10L84 56', '#e9bd5c', 5) + path('M76 52L92 52L96 92L72 92z', '#f0cb76') + circle(0, -8, 6, '#f3d58c');
  return at(x, y, turn, k * s.u, body);
}

export function graduation(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#8ea6d8'], [0.45, '#cfd5ee'], [0.8, '#f7dfd4'], [1, '#f0c9b8']])) + s.glow('#fffaf2', 0.85, 0.42, 0.5);
  const cloud = (x, y, k) => at(x, y, 0, k * u, circle(0, 0, 60, '#fff') + circle(70, 14, 46, '#fff') + circle(-66, 18, 42, '#fff') + circle(30, -30, 44, '#fff') + '<rect x="-108" y="14" width="222" height="46" rx="23" fill="#fff"/>');
  const clouds = s.blur(16, `<g opacity=".75">${cloud(w * 0.1, h * 0.2, 1.5)}${cloud(w * 0.92, h * 0.3, 1.3)}${cloud(w * 0.03, h * 0.6, 1.4)}${cloud(w * 1.0, h * 0.68, 1.6)}${cloud(w * 0.5, h * 0.06, 1.2)}</g>`);
  const far = s.blur(4.5, cap(s, w * 0.3, h * 0.07, -14, 0.55) + cap(s, w * 0.68, h * 0.05, 18, 0.5) + cap(s, w * 0.94, h * 0.42, -22, 0.5) + cap(s, w * 0.06, h * 0.45, 24, 0.48));
  const near = cap(s, w * 0.13, h * 0.15, -20, 1.05) + cap(s, w * 0.87, h * 0.17, 16, 1.1);
  const gold = [s.linear([[0, '#f7dd94'], [1, '#cf9a3c']]), s.linear([[0, '#e9c56b'], [1, '#b98328']]), s.linear([[0, '#ffefc2'], [1, '#d9ad55']])];
  const laurels = at(w * 0.05, h * 1.03, -4, u * 1.5, spray(s, 430, gold, { bend: -0.16, size: 1.35, pairs: 9 })) + at(w * 0.95, h * 1.03, 4, u * 1.5, spray(s, 430, gold, { bend: 0.16, size: 1.35, pairs: 9 }))
    + s.blur(5, at(w * 0.16, h * 1.04, 16, u * 1.2, spray(s, 360, gold, { bend: 0.1, size: 1.2, pairs: 8 })) + at(w * 0.84, h * 1.04, -16, u * 1.2, spray(s, 360, gold, { bend: -0.1, size: 1.2, pairs: 8 })));
  const petals = times(46, () => {
    const [x, y] = edge(s, 0.6);
    return at(x, y, s.between(0, 360), u * s.between(0.25, 0.42), path('M0 0C26 -18 26 -58 6 -70L0 -60L-6 -70C-26 -58 -26 -18 0 0z', '#ffd3dc', 'opacity=".9"'));
  });
  const lights = s.blur(4, bokeh(s, 30, ['#fff6df', '#ffe3b3'], { alpha: 0.7 }));
  return back + clouds + lights + far + laurels + near + petals;
}

export function baby(s) {
  const { w, h, u } = s;
  const back = s.fill(s.linear([[0, '#b9d8ea'], [0.5, '#dcecf2'], [1, '#f9e6dc']])) + s.glow('#fffdf8', 0.9);
  const puff = (x, y, k, alpha) => {
    const lit = s.radial([[0, '#ffffff'], [0.55, '#fdfdfe'], [0.85, '#e9eff6'], [1, '#d3dfeb']], 0.42, 0.26, 0.8);
    return `<g opacity="${alpha}">${at(x, y, 0, k * u, [[-92, 26, 52], [-40, -12, 66], [36, -26, 76], [104, 16, 58], [30, 32, 70], [-36, 34, 60]].map(([a, b, r]) => circle(a, b, r, lit)).join(''))}</g>`;
  };
  const far = s.blur(12, puff(w * 0.24, h * 0.3, 0.9, 0.9) + puff(w * 0.8, h * 0.42, 0.9, 0.9) + puff(w * 0.5, h * 0.1, 0.7, 0.8));
  const near = puff(w * 0.03, h * 0.74, 1.45, 1) + puff(w * 1.0, h * 0.78, 1.5, 1) + puff(w * 0.1, h * 0.95, 1.7, 1) + puff(w * 0.9, h * 0.98, 1.8, 1) + puff(-0.01 * w, h * 0.22, 0.9, 0.95) + puff(w * 1.02, h * 0.2, 0.85, 0.95);
  const yellow = s.radial([[0, '#fff6cf'], [1, '#f6cf74']], 0.4, 0.35, 0.8);
  const rose = s.radial([[0, '#ffe6ea'], [1, '#efa5b2']], 0.4, 0.35, 0.8);
  const mint = s.radial([[0, '#eafaf0'], [1, '#9fd2b8']], 0.4, 0.35, 0.8);
  const rounded = (paint, k) => `<path d="${star(30 * k, 0.56)}" fill="${paint}" stroke="${paint}" stroke-width="${12 * k}" stroke-linejoin="round"/>`;
  const hung = [[0.06, 0.3, 1.2, yellow], [0.15, 0.17, 0.9, rose], [0.25, 0.1, 0.8, mint], [0.75, 0.11, 0.85, yellow], [0.86, 0.19, 1, rose], [0.95, 0.33, 1.1, mint]];
  const mobile = hung.map(([x, y, k, paint]) => line(`M${f(x * w)} -10L${f(x * w)} ${f(y * h)}`, '#b8a99b', 2 * u, 'opacity=".6"') + at(x * w, y * h, s.between(-14, 14), k * u, rounded(paint, 1))).join('');
  const moon = at(w * 0.5, h * 0.055, -18, u * 0.95, path('M20 -64A66 66 0 1 0 62 30A52 52 0 1 1 20 -64z', yellow));
  const basket = (x, y, k, colors) => at(x, y, 0, k * u, [0, 1, 2, 3, 4].map((i) => `<ellipse cx="0" cy="0" rx="${90 - i * 22}" ry="104" fill="${colors[i % 2]}"/>`).join('')
    + `<ellipse cx="0" cy="0" rx="90" ry="104" fill="${s.radial([[0, '#fff', 0.55], [0.5, '#fff', 0], [1, '#7a4a4a', 0.2]], 0.36, 0.28, 0.8)}"/>` + line('M-44 92L-22 140M44 92L22 140', '#a98a74', 3) + '<rect x="-26" y="138" width="52" height="36" rx="8" fill="#d8a878"/><rect x="-26" y="138" width="52" height="11" rx="5" fill="#c18e5e"/>');
  const dots = times(40, () => {
    const [x, y] = edge(s, 0.66);
    return at(x, y, s.between(0, 72), u * s.between(0.15, 0.34), rounded('#fffaf0', 1));
  });
  return back + far + dots + mobile + moon + s.blur(1.6, basket(w * 0.11, h * 0.54, 0.8, ['#f3b7b0', '#fbe3d3'])) + s.blur(1.6, basket(w * 0.91, h * 0.56, 0.66, ['#a9d3c5', '#eef7ea'])) + near + s.blur(5, bokeh(s, 16, ['#ffffff', '#fff1c9'], { alpha: 0.7 }));
}
