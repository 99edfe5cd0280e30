// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from 'react';
import type { MusicPreset } from '../api/types.ts';
import { useMessages } from '../i18n/language.tsx';
import { NORMAL, type Change, type Details, type Draft } from '../state/draft.ts';
import type { Loaded } from '../state/loaded.ts';
import { usePlayer } from '../state/player.ts';
import { PlayIcon, StopIcon } from './icons.tsx';
import { NotLoaded } from './Step.tsx';

interface Props {
  draft: Draft;
  change: (change: Change) => void;
  music: Loaded<MusicPreset[]>;
  open: boolean;
}

type Dial = 'speed' | 'pitch' | 'intonation' | 'volume' | 'pause';

const DIALS: [Dial, number, number, number][] = [
  ['speed', 0.5, 2, 0.05],
  ['pitch', -12, 12, 1],
  ['intonation', 0, 2, 0.05],
  ['volume', 0, 2, 0.05],
  ['pause', 0, 3, 0.1],
];

/** Everything that most people never need, folded away. */
export function MoreStep({ draft, change, music, open }: Props) {
  const t = useMessages();
  const fold = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (open && fold.current) fold.current.open = true;
  }, [open]);
  const set = (details: Partial<Details>) => change((old) => ({ details: { ...old.details, ...details } }));
  const changed = JSON.stringify({ ...draft.details, music: 'none' }) !== JSON.stringify(NORMAL);
  return (
    <details className="step more" ref={fold}>
      <summary id="field-details">
        <h2>{t.more.title}</h2>
      </summary>
      <div className="more-body">
        <Music music={music} chosen={draft.details.music} choose={(id) => set({ music: id })} />
        <div className="dials">
          {DIALS.map(([key, min, max, step]) => (
            <DialRow key={key} name={key} min={min} max={max} step={step} value={draft.details[key]} set={(value) => set({ [key]: value })} />
          ))}
        </div>
        <label className="switch">
          <input type="checkbox" role="switch" checked={draft.details.motion} onChange={(event) => set({ motion: event.target.checked })} />
          <span>{t.more.motion}</span>
        </label>
        {changed && (
          <button type="button" className="link" onClick={() => set({ ...NORMAL, music: draft.details.music })}>{t.more.reset}</button>
        )}
      </div>
    </details>
  );
}

interface DialProps {
  name: Dial;
  min: number;
  max: number;
  step: number;
  value: number;
  set: (value: number) => void;
}

function DialRow({ name, min, max, step, value, set }: DialProps) {
  const t = useMessages();
  const shown = name === 'pitch' ? `${value > 0 ? '+' : ''}${value}` : `${value.toFixed(2).replace(/0$/, '')}×`;
  return (
    <label className="dial">
      <span className="dial-name">{t.more[name]}</span>
      <span className="dial-end" aria-hidden="true">{t.more.low[name]}</span>
      <input type="range" min={min} max={max} step={step} value={value} aria-valuetext={shown} onChange={(event) => set(Number(event.target.value))} />
      <span className="dial-end" aria-hidden="true">{t.more.high[name]}</span>
      <output>{shown}</output>
    </label>
  );
}

function Music({ music, chosen, choose }: { music: Loaded<MusicPreset[]>; chosen: string; choose: (id: string) => void }) {
  const t = useMessages();
  const player = usePlayer();
  const list = music.value ?? [];
  if (music.failed && !music.value) {
    return <div role="status"><NotLoaded list={music}>{t.more.failed}</NotLoaded></div>;
  }
  if (list.length === 0) return null;
  return (
    <fieldset>
      <legend className="caption">{t.more.music}</legend>
      <div className="voices">
        <div className="voice">
          <label className="option">
            <input type="radio" name="music" checked={chosen === 'none'} onChange={() => choose('none')} />
            <span className="option-text"><span className="option-name">{t.more.noMusic}</span></span>
          </label>
        </div>
        {list.map((item) => {
          const playing = player.playing === item.preview;
          return (
            <div className="voice" key={item.id}>
              <label className="option">
                <input type="radio" name="music" checked={chosen === item.id} onChange={() => choose(item.id)} />
                <span className="option-text">
                  <span className="option-name">{item.name}</span>
                  {item.description && <span className="option-note">{item.description}</span>}
                </span>
              </label>
              <button type="button" className={`round ${playing ? 'playing' : ''}`} aria-label={`${item.name}: ${playing ? t.more.stop : t.more.listen}`} onClick={() => player.toggle(item.preview)}>
                {playing ? <StopIcon /> : <PlayIcon />}
              </button>
            </div>
          );
        })}
      </div>
    </fieldset>
  );
}
