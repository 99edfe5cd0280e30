// SPDX-License-Identifier: Apache-2.0
// The room behind, the neck and the clothes.
import { line, path, times } from '../backgrounds/kit.mjs';

export function room(s) {
  const wall = s.fill(s.linear([[0, '#dfe3dd'], [0.6, '#d3d6cd'], [1, '#bdbfb4']], 0, 0, 0.6, 1));
  const window = s.fill(s.radial([[0, '#fffaf0', 0.95], [0.6, '#f6efe2', 0.4], [1, '#f0e8da', 0]], 0.2, 0.24, 0.75));
  const shade = s.fill(s.radial([[0, '#8b8c80', 0], [0.6, '#8b8c80', 0], [1, '#77786c', 0.35]], 0.4, 0.4, 0.85));
  return wall + window + shade;
}

export function body(s) {
  const skin = s.linear([[0, '#f3ccb4'], [0.55, '#e3b093'], [1, '#c98f73']], 0.1, 0, 1, 0.3);
  const neck = path('M436 610C438 690 432 742 404 776C360 806 330 822 318 842L512 934L706 842C694 822 664 806 620 776C592 742 586 690 588 610z', skin);
  const shadow = s.blur(9, path('M424 620C440 690 480 706 512 706C546 706 586 690 602 620L606 742C570 786 540 782 506 764C470 746 440 720 430 690z', '#84452f', 'opacity=".72"'));
  const side = s.blur(16, path('M560 700C596 760 640 790 700 830L640 880L560 800z', '#a5664e', 'opacity=".5"'));
  const tendon = s.blur(5, line('M462 716C470 770 484 812 500 842', '#b77a60', 7, 'opacity=".38"') + line('M574 716C566 770 552 812 536 842', '#a3674f', 8, 'opacity=".4"'));
  const bones = s.blur(5, line('M372 824C420 812 462 828 494 852', '#b87c62', 8, 'opacity=".45"') + line('M652 824C606 812 568 828 538 852', '#a86c54', 8, 'opacity=".45"') + line('M376 814C420 802 458 816 490 840', '#fbe2d0', 6, 'opacity=".5"'));
  const cloth = s.linear([[0, '#f7f1e6'], [0.5, '#e9dfcf'], [1, '#c9bba6']], 0, 0, 1, 0.35);
  const shape = 'M40 1044C56 934 116 872 214 836C280 812 330 800 366 776C400 850 452 900 512 906C574 900 628 850 658 776C694 800 744 812 810 836C908 872 968 934 984 1044z';
  const sweater = path(shape, cloth);
  const clip = `<clipPath id="cloth"><path d="${shape}"/></clipPath>`;
  const folds = s.blur(14, line('M214 850C240 920 236 980 226 1040', '#a8977d', 22, 'opacity=".5"') + line('M812 850C786 920 792 980 804 1040', '#8e7d65', 20, 'opacity=".4"') + line('M330 850C390 930 440 960 480 1030', '#a8977d', 18, 'opacity=".35"') + line('M700 850C640 930 600 960 566 1030', '#8e7d65', 20, 'opacity=".45"')
    + path('M640 800C760 820 960 880 990 1044L800 1044C790 960 740 880 640 800z', '#77664f', 'opacity=".2"') + path('M80 960C120 890 200 850 330 810L300 850C200 890 140 930 110 1000z', '#fffdf6', 'opacity=".7"'));
  const rib = line('M366 776C400 850 452 900 512 906C574 900 628 850 658 776', s.linear([[0, '#fbf6ec'], [1, '#cfc1ab']], 0, 0, 1, 0), 25);
  const stitches = times(46, (i) => {
    const t = i / 45, a = Math.PI * (1 - t);
    const x = 512 + 148 * Math.cos(a) * (1 - 0.05 * Math.sin(a)), y = 776 + 130 * Math.sin(a) ** 0.82;
    const nx = Math.cos(a), ny = Math.sin(a) * 0.9;
    return line(`M${(x - nx * 10).toFixed(1)} ${(y - ny * 10).toFixed(1)}L${(x + nx * 10).toFixed(1)} ${(y + ny * 10).toFixed(1)}`, '#ae9d84', 1.8, 'opacity=".5"');
  });
  const knit = times(30, (i) => line(`M${60 + i * 31} 1040C${70 + i * 30.5} 960 ${100 + i * 28.5} 900 ${150 + i * 25} 830`, '#b6a68d', 2, 'opacity=".22"'));
  const drop = s.blur(9, line('M372 784C404 850 452 888 512 894C574 888 624 850 652 784', '#7d4a38', 12, 'opacity=".45"'));
  return neck + shadow + side + tendon + bones + drop + sweater + clip + `<g clip-path="url(#cloth)">${folds}${knit}</g>` + rib + stitches;
}
