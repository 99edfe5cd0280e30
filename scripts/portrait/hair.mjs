// SPDX-License-Identifier: Apache-2.0
// Shoulder-length hair, parted on the left of the picture: masses first, then many strands
// between guide curves.
import { f, line, path, times } from '../backgrounds/kit.mjs';

const DARK = ['#2a1812', '#3a221a', '#2f1c15', '#452a1f'];
const LIT = ['#5b3828', '#6d4631', '#7d5540', '#4d2f22'];

/** Between two cubic guides (eight numbers each) at share t. */
const mix = (a, b, t) => a.map((value, i) => value + (b[i] - value) * t);
const curve = (c) => `M${f(c[0])} ${f(c[1])}C${f(c[2])} ${f(c[3])} ${f(c[4])} ${f(c[5])} ${f(c[6])} ${f(c[7])}`;

/** The part of a cubic between two shares of its length, by de Casteljau's construction. */
function cut(c, t0, t1) {
  const at = (a, b, d, e, t) => { const u = 1 - t; return u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * d + t * t * t * e; };
  const slope = (a, b, d, e, t) => { const u = 1 - t; return 3 * (u * u * (b - a) + 2 * u * t * (d - b) + t * t * (e - d)); };
  const k = (t1 - t0) / 3;
  const axis = (i) => {
    const p = [c[i], c[i + 2], c[i + 4], c[i + 6]];
    const start = at(...p, t0), end = at(...p, t1);
    return [start, start + k * slope(...p, t0), end - k * slope(...p, t1), end];
  };
  const x = axis(0), y = axis(1);
  return [x[0], y[0], x[1], y[1], x[2], y[2], x[3], y[3]];
}

/** Strands between two guides; `ragged` lets each begin late or end early, so that no seam shows. */
function strands(s, from, to, n, colors, width, alpha, ragged = [0, 0]) {
  return times(n, () => {
    const whole = mix(from, to, s.next()).map((value) => value + s.between(-3.5, 3.5));
    const c = cut(whole, s.next() * ragged[0], 1 - s.next() * ragged[1]);
    return line(curve(c), s.pick(colors), s.between(width * 0.5, width), `opacity="${f(s.between(alpha * 0.5, alpha))}"`);
  });
}

export function hairBack(s) {
  const mass = path('M506 138C372 138 294 246 288 390C286 500 296 600 282 690C276 740 296 790 346 806C420 822 604 822 680 806C730 790 748 740 742 690C728 600 738 500 734 390C730 246 650 138 506 138z', s.linear([[0, '#4a2e22'], [0.5, '#2c1a13'], [1, '#1f120d']], 0, 0, 1, 0.6));
  const left = strands(s, [400, 200, 290, 330, 318, 560, 284, 720], [420, 240, 360, 420, 372, 600, 372, 800], 190, DARK, 4, 0.75);
  const right = strands(s, [630, 200, 740, 330, 708, 560, 744, 720], [610, 240, 668, 420, 656, 600, 656, 800], 190, DARK, 4, 0.75);
  return s.blur(2, mass) + left + right;
}

export function hairFront(s) {
  const fillLeft = path('M474 148C380 152 302 240 292 392C290 500 300 610 288 700C300 770 340 790 372 780C392 720 372 640 362 560C352 480 350 420 366 372C386 320 436 284 478 226z', s.linear([[0, '#6a4531'], [0.5, '#3f261b'], [1, '#2a1812']], 0.2, 0, 0.8, 1));
  const fillRight = path('M462 150C590 124 710 210 732 380C736 500 722 610 738 700C728 770 690 792 654 780C636 720 658 640 668 560C676 480 676 426 658 372C630 310 540 300 470 222z', s.linear([[0, '#5b3828'], [0.5, '#36211a'], [1, '#22140e']], 0.2, 0, 0.8, 1));
  const shadow = s.blur(11, path('M474 232C430 296 384 330 370 384C358 430 356 500 368 580L352 580C336 480 338 400 356 350z', '#7a4330', 'opacity=".55"') + path('M472 228C548 306 636 312 660 380C678 430 676 500 662 584L688 584C700 480 690 380 668 340z', '#6b3827', 'opacity=".65"'));
  const left = strands(s, [474, 172, 322, 196, 296, 420, 290, 716], [476, 224, 396, 310, 330, 470, 366, 770], 330, [...DARK, ...LIT], 3, 0.75, [0, 0.25]);
  const right = strands(s, [466, 172, 654, 150, 738, 400, 738, 716], [472, 222, 584, 318, 706, 400, 660, 770], 380, [...DARK, ...LIT.slice(0, 3)], 3, 0.75, [0, 0.25]);
  const ends = strands(s, [300, 440, 284, 640, 268, 740, 320, 796], [360, 470, 372, 640, 396, 740, 378, 800], 230, [...DARK, ...LIT], 2.8, 0.65, [0.6, 0.12])
    + strands(s, [732, 440, 744, 640, 764, 740, 706, 796], [664, 470, 654, 640, 630, 740, 648, 800], 230, [...DARK, ...LIT.slice(0, 2)], 2.8, 0.65, [0.6, 0.12]);
  const crown = strands(s, [470, 160, 380, 128, 292, 240, 288, 560], [474, 180, 350, 180, 312, 300, 300, 600], 80, [...DARK, ...LIT], 2.4, 0.6, [0, 0.6]) + strands(s, [468, 158, 650, 116, 742, 240, 738, 560], [470, 180, 650, 160, 720, 270, 724, 600], 90, [...DARK, LIT[0]], 2.4, 0.6, [0, 0.6]);
  const shine = s.blur(9, strands(s, [404, 226, 366, 262, 342, 310, 330, 366], [446, 240, 404, 284, 370, 326, 352, 384], 26, ['#d8ae8c', '#e6c2a4'], 4, 0.3) + strands(s, [548, 206, 610, 226, 660, 276, 688, 336], [530, 240, 586, 270, 640, 304, 668, 350], 22, ['#b58767', '#c89a78'], 4, 0.26));
  return shadow + s.blur(1.2, fillLeft + fillRight) + left + right + crown + ends + shine;
}
