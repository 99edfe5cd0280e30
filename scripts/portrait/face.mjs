// SPDX-License-Identifier: Apache-2.0
// The face: skin in light and shade, then eyes, brows, nose and lips. Light comes from the left.
import { circle, f, line, path, times } from '../backgrounds/kit.mjs';

const OUTLINE = 'M512 226C420 226 352 300 346 414C343 470 350 532 368 584C386 634 430 676 470 696C492 706 532 706 554 696C594 676 638 634 656 584C674 532 681 470 678 414C672 300 604 226 512 226z';

export function face(s) {
  const clip = `<clipPath id="face"><path d="${OUTLINE}"/></clipPath>`;
  const skin = path(OUTLINE, s.linear([[0, '#fbe0cc'], [0.45, '#f5cfb6'], [0.8, '#e6b496'], [1, '#d49b7e']], 0, 0.2, 1, 0.45));
  return clip + skin + `<g clip-path="url(#face)">${modelling(s)}</g>` + nose(s) + lips(s) + eye(s, 1) + eye(s, -1) + brow(s, 1) + brow(s, -1) + lights(s);
}

function modelling(s) {
  const shade = '#b8745a';
  return s.blur(26,
    path('M710 300C672 340 660 420 660 480C656 560 628 640 566 712L720 720z', shade, 'opacity=".5"') +
    path('M330 330C356 380 350 470 360 540C372 620 420 680 470 712L320 720z', shade, 'opacity=".2"') +
    path('M330 220L700 220L690 318C620 268 420 262 340 330z', '#a9684e', 'opacity=".38"')) +
  s.blur(20,
    path('M404 562C398 600 420 640 452 660C430 620 424 590 424 560z', shade, 'opacity=".18"') +
    path('M622 560C630 600 604 644 572 664C594 624 600 594 602 560z', shade, 'opacity=".26"') +
    path('M448 700C480 684 544 684 580 700L560 724L464 724z', shade, 'opacity=".4"')) +
  s.blur(24,
    `<ellipse cx="418" cy="536" rx="52" ry="34" fill="#ee8a76" opacity=".36"/>` +
    `<ellipse cx="612" cy="536" rx="48" ry="34" fill="#e8846f" opacity=".3"/>` +
    `<ellipse cx="512" cy="558" rx="30" ry="20" fill="#e98a74" opacity=".25"/>`) +
  s.blur(13, // sockets
    `<ellipse cx="438" cy="436" rx="52" ry="25" fill="#b5705a" opacity=".34"/>` +
    `<ellipse cx="588" cy="436" rx="52" ry="25" fill="#a5624c" opacity=".42"/>` +
    path('M478 420C488 436 488 456 480 470L470 440z', '#a5624c', 'opacity=".35"') +
    path('M546 420C536 436 536 456 546 470L558 440z', '#955541', 'opacity=".5"')) +
  s.blur(22,
    `<ellipse cx="488" cy="338" rx="90" ry="46" fill="#fff3e4" opacity=".62"/>` +
    `<ellipse cx="410" cy="506" rx="42" ry="24" fill="#fff1e2" opacity=".62"/>` +
    `<ellipse cx="500" cy="670" rx="30" ry="16" fill="#fff0e0" opacity=".55"/>`);
}

function nose(s) {
  return s.blur(9, path('M532 420C534 470 544 510 552 540C556 556 548 566 536 568C540 540 528 470 524 420z', '#b06c52', 'opacity=".42"') + path('M494 430C490 480 482 516 474 540L488 548C494 510 498 470 500 430z', '#c28063', 'opacity=".2"'))
    + s.blur(6, line('M508 420C510 470 510 510 510 540', '#fff6ea', 12, 'opacity=".62"') + `<ellipse cx="509" cy="546" rx="15" ry="11" fill="#fffaf2" opacity=".75"/>`)
    + s.blur(5, path('M474 560C486 578 498 572 512 580C528 572 540 578 554 560C548 590 528 588 512 590C496 588 480 590 474 560z', '#a55f49', 'opacity=".5"'))
    + s.blur(2.2, line('M470 544C464 556 468 568 480 570', '#a8634c', 5, 'opacity=".6"') + line('M552 544C560 556 556 568 544 570', '#97543e', 5, 'opacity=".7"'))
    + s.blur(1.8, path('M482 569C488 562 500 563 504 572C498 576 488 575 482 569z', '#6e3529', 'opacity=".85"') + path('M542 569C536 562 524 563 520 572C526 576 536 575 542 569z', '#662f25', 'opacity=".88"'))
    + s.blur(4, path('M494 588C498 596 500 604 500 608L492 604z', '#b8745c', 'opacity=".3"') + line('M512 590L512 606', '#fff0e2', 6, 'opacity=".4"'));
}

function lips(s) {
  const folds = s.blur(6, line('M456 566C440 584 430 598 426 614', '#b0694f', 6, 'opacity=".3"') + line('M570 566C586 584 596 598 600 614', '#a25c44', 6, 'opacity=".34"'));
  const upper = 'M444 619C464 615 486 610 500 609C506 609 509 612 512 613C516 612 519 609 525 609C540 610 562 615 582 619C562 628 538 633 513 633C488 633 464 628 444 619z';
  const lower = 'M446 620C466 628 490 633 513 633C536 633 560 628 580 620C568 646 542 660 513 660C484 660 458 646 446 620z';
  return folds + s.blur(6, path('M436 616C470 604 556 604 590 616C582 656 548 668 512 668C478 668 446 656 436 616z', '#d98b76', 'opacity=".3"'))
    + s.blur(1.4, path(upper, s.linear([[0, '#cf7268'], [1, '#b9564f']])) + path(lower, s.linear([[0, '#cb6a62'], [0.45, '#dd877c'], [1, '#cd7468']])))
    + s.blur(1.5, line('M443 618C466 627 486 631 500 632C508 634 518 634 526 632C542 631 560 627 583 618', '#74302d', 3.2, 'opacity=".85"'))
    + s.blur(3.5, line('M442 617C438 614 436 611 436 608', '#9a5644', 5, 'opacity=".5"') + line('M584 617C588 614 590 611 590 608', '#8c4a3a', 5, 'opacity=".55"'))
    + s.blur(3, `<ellipse cx="500" cy="646" rx="28" ry="4.500" fill="#fff" opacity=".38"/>` + line('M486 614C494 610 500 610 506 614', '#fbd3c8', 4, 'opacity=".5"'))
    + s.blur(8, path('M474 667C492 677 534 677 552 667C540 682 486 682 474 667z', '#9c5a46', 'opacity=".48"'));
}

/** side 1 is the left of the picture; -1 its mirror image about the middle, lit a little less. */
function eye(s, side) {
  const cx = 439;
  const white = 'M399 457C413 440 428 434 444 435C459 436 471 445 480 461C466 470 452 473 438 472C422 471 409 465 399 457z';
  const id = side > 0 ? 'eyeA' : 'eyeB';
  const iris = s.radial([[0, '#2a140c'], [0.3, '#3d2012'], [0.62, '#7a4a28'], [0.86, '#5c351d'], [1, '#2b170d']], 0.5, 0.55, 0.5);
  const gleam = side > 0 ? -7 : 7; // the window stays on the left when the eye is mirrored
  const inside = path(white, s.linear([[0, '#d9cbc2'], [0.35, '#fbf6f1'], [1, '#f1e6de']]))
    + `<g clip-path="url(#${id})">` + s.blur(3, circle(478, 462, 7, '#d98f80', 0.55) + circle(400, 459, 6, '#d9a090', 0.35))
    + circle(cx, 452, 20, iris) + times(26, (i) => {
      const a = (i / 26) * Math.PI * 2;
      return line(`M${f(cx + 9 * Math.cos(a))} ${f(451 + 9 * Math.sin(a))}L${f(cx + 17 * Math.cos(a))} ${f(451 + 17 * Math.sin(a))}`, '#b07a48', 1.1, `opacity="${f(0.25 + 0.35 * Math.max(0, Math.sin(a)))}"`);
    }) + circle(cx, 451, 8.6, '#0e0605') + s.blur(3, path('M392 448C412 426 468 424 486 456L486 436L440 420L392 436z', '#5c3a2c', 'opacity=".55"'))
    + `<ellipse cx="${cx + gleam}" cy="443" rx="5" ry="6" fill="#fff" opacity=".95"/>` + circle(cx - gleam, 459, 2.6, '#fff', 0.5) + '</g>';
  const lid = s.blur(0.9, path('M387 455C405 438 426 430 445 431C462 432 475 443 483 462C473 449 460 440 444 439C426 439 411 447 399 459z', '#2a1611', 'opacity=".92"'));
  const crease = s.blur(1.8, line('M398 443C412 427 430 420 448 422C463 424 475 433 483 446', '#9a5c48', 3, 'opacity=".6"'));
  const lower = s.blur(1.4, line('M402 462C416 471 432 475 446 474C460 473 470 469 478 463', '#7d4638', 2.2, 'opacity=".65"')) + s.blur(1, line('M408 469C424 478 452 479 472 470', '#fbe0d2', 2.6, 'opacity=".55"'));
  const bag = s.blur(7, line('M404 486C426 498 456 498 480 482', '#b57660', 7, 'opacity=".32"'));
  const clip = `<clipPath id="${id}"><path d="${white}"/></clipPath>`;
  const all = bag + clip + inside + crease + lid + lower;
  return side > 0 ? `<g>${all}</g>` : `<g transform="translate(1025 0) scale(-1 1)">${all}</g>`;
}

function brow(s, side) {
  const shape = 'M383 412C398 392 424 384 452 390C466 393 478 399 481 406C479 412 470 411 458 408C430 402 404 402 383 412z';
  const hairs = times(90, (i) => {
    const t = i / 89, x = 388 + 90 * t, y = 409 - 18 * Math.sin(0.3 + t * 2) + s.between(-1, 11) * (0.3 + 0.7 * t);
    const rise = 2.5 + 3 * t - 4.5 * t ** 6;
    return line(`M${f(x)} ${f(y + 2)}q-4 ${f(-rise * 0.6)} ${f(-11 + 6 * t)} ${f(-rise)}`, s.pick(['#4a2d20', '#573626', '#6a4532']), 1.5, `opacity="${f(s.between(0.25, 0.55))}"`);
  });
  const all = s.blur(2.6, path(shape, '#54331f', 'opacity=".6"')) + s.blur(0.6, hairs);
  return side > 0 ? `<g>${all}</g>` : `<g transform="translate(1025 0) scale(-1 1)">${all}</g>`;
}

function lights(s) {
  return s.blur(7, line('M384 478C394 496 412 508 428 510', '#fffaf2', 10, 'opacity=".35"') + `<ellipse cx="470" cy="318" rx="44" ry="16" fill="#fffdf8" opacity=".4"/>`);
}
