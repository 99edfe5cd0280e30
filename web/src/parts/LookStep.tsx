// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState, type ChangeEvent, type CSSProperties } from 'react';
import type { Fault } from '../App.tsx';
import type { BackgroundPreset, Format } from '../api/types.ts';
import { useMessages } from '../i18n/language.tsx';
import { fitPhoto } from '../lib/photo.ts';
import type { Background, BackgroundKind, Change, Draft } from '../state/draft.ts';
import type { Loaded } from '../state/loaded.ts';
import { UploadIcon } from './icons.tsx';
import { NotLoaded, Step, Warning } from './Step.tsx';

interface Props {
  draft: Draft;
  change: (change: Change) => void;
  backgrounds: Loaded<BackgroundPreset[]>;
  missing: boolean;
  fault: Fault | null;
}

/** In the order of their names, t.look.colorNames. */
const COLORS = ['#f6d5c8', '#f7e3b5', '#d9e8cf', '#cfe3ee', '#dcd5ec', '#f3cbd6', '#ffffff', '#3b4a5a'];

export function LookStep({ draft, change, backgrounds, missing, fault }: Props) {
  const t = useMessages();
  return (
    <Step id="look" number={4} title={t.look.title}>
      <FormatChoice draft={draft} change={change} />
      <BackgroundChoice draft={draft} change={change} presets={backgrounds.value ?? []} />
      <div role="status">
        {backgrounds.failed && <NotLoaded list={backgrounds}>{t.look.failed}</NotLoaded>}
        {missing && draft.background.kind === 'upload' && !draft.backgroundImage && <Warning>{t.look.missing}</Warning>}
        {fault && (fault.field === 'background' || fault.field === 'format') && <Warning>{fault.detail}</Warning>}
      </div>
    </Step>
  );
}

function FormatChoice({ draft, change }: Pick<Props, 'draft' | 'change'>) {
  const t = useMessages();
  const formats: [Format, string, string, string][] = [
    ['1:1', 'square', t.look.square, t.look.squareFor],
    ['9:16', 'tall', t.look.tall, t.look.tallFor],
    ['16:9', 'wide', t.look.wide, t.look.wideFor],
  ];
  return (
    <fieldset id="field-format">
      <legend className="caption">{t.look.format}</legend>
      <div className="formats">
        {formats.map(([format, shape, name, use]) => (
          <label key={format} className="tile">
            <input type="radio" name="format" value={format} checked={draft.format === format} onChange={() => change({ format })} />
            <span className={`shape ${shape}`} aria-hidden="true" />
            <span className="option-name">{name}</span>
            <span className="option-note">{use}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface ChoiceProps {
  draft: Draft;
  change: (change: Change) => void;
  presets: BackgroundPreset[];
}

function BackgroundChoice({ draft, change, presets }: ChoiceProps) {
  const t = useMessages();
  const input = useRef<HTMLInputElement>(null);
  const { background, photo, backgroundImage } = draft;
  const set = (next: Partial<Background>) => change({ background: { ...background, ...next } });
  const is = (kind: BackgroundKind) => background.kind === kind;
  const upload = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = '';
    if (!file) return;
    const blob = await fitPhoto(file);
    if (backgroundImage) URL.revokeObjectURL(backgroundImage.url);
    change({ backgroundImage: { blob, url: URL.createObjectURL(blob) } });
    set({ kind: 'upload' });
  };
  const photoStyle: CSSProperties | undefined = photo?.shown ? { backgroundImage: `url("${photo.url}")` } : undefined;
  return (
    <fieldset id="field-background">
      <legend className="caption">{t.look.background}</legend>
      <div className="grounds first">
        <Ground name={t.look.keep} checked={is('keep')} choose={() => set({ kind: 'keep' })} className="photo-ground" style={photoStyle} />
        <Ground name={t.look.blur} checked={is('blur')} choose={() => set({ kind: 'blur' })} className="photo-ground blurred" style={photoStyle} />
        <Ground name={t.look.color} checked={is('color')} choose={() => set({ kind: 'color' })} style={{ backgroundColor: background.color }} />
        <Ground
          name={t.look.upload}
          checked={is('upload')}
          choose={() => {
            set({ kind: 'upload' });
            if (!backgroundImage) input.current?.click();
          }}
          style={backgroundImage ? { backgroundImage: `url("${backgroundImage.url}")` } : undefined}
          icon={!backgroundImage}
        />
      </div>
      <input ref={input} className="hidden" type="file" accept="image/*" onChange={(event) => void upload(event)} tabIndex={-1} aria-hidden="true" />
      {is('upload') && (
        <button type="button" className="button" onClick={() => input.current?.click()}>
          <UploadIcon /> {backgroundImage ? t.look.uploadOther : t.look.upload}
        </button>
      )}
      {is('color') && <Colors color={background.color} set={(color) => set({ color })} />}
      {presets.length > 0 && (
        <div className="grounds" role="group" aria-label={t.look.celebrate}>
          {presets.map((preset) => (
            <Ground
              key={preset.id}
              name={preset.name}
              checked={is('preset') && background.preset === preset.id}
              choose={() => set({ kind: 'preset', preset: preset.id })}
              picture={preset.thumbnail}
            />
          ))}
        </div>
      )}
    </fieldset>
  );
}

interface GroundProps {
  name: string;
  checked: boolean;
  choose: () => void;
  style?: CSSProperties | undefined;
  className?: string;
  icon?: boolean;
  picture?: string;
}

function Ground({ name, checked, choose, style, className = '', icon = false, picture }: GroundProps) {
  return (
    <label className="ground">
      <input type="radio" name="background" checked={checked} onChange={choose} onClick={checked && icon ? choose : undefined} />
      <span className={`swatch ${className}`} style={style} aria-hidden="true">
        {icon && <UploadIcon />}
        {picture && <Small src={picture} />}
      </span>
      <span className="option-note">{name}</span>
    </label>
  );
}

const AGAIN_MS = 4000;

/** A small picture, fetched when it is about to be seen; tried again where that fails. */
function Small({ src }: { src: string }) {
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    if (!broken) return;
    const timer = setTimeout(() => setBroken(false), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [broken]);
  return broken ? null : <img src={src} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />;
}

function Colors({ color, set }: { color: string; set: (color: string) => void }) {
  const t = useMessages();
  return (
    <div className="colors" role="group" aria-label={t.look.colors}>
      {COLORS.map((value, at) => (
        <button key={value} type="button" className="color" style={{ backgroundColor: value }} aria-label={t.look.colorNames[at]} title={t.look.colorNames[at]} aria-pressed={color === value} onClick={() => set(value)} />
      ))}
      <label className="own-color">
        <input type="color" value={color} onChange={(event) => set(event.target.value)} />
        <span>{t.look.ownColor}</span>
      </label>
    </div>
  );
}
