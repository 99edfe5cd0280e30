// SPDX-License-Identifier: Apache-2.0
import type { CSSProperties } from 'react';
import type { BackgroundPreset, Box, Format } from '../api/types.ts';
import { useMessages } from '../i18n/language.tsx';
import { frameOf, placement } from '../lib/framing.ts';
import type { Draft, Photo } from '../state/draft.ts';
import { usePreview } from '../state/preview.ts';
import { Person } from './icons.tsx';

interface Props {
  draft: Draft;
  backgrounds: BackgroundPreset[] | null;
}

/**
 * How the picture will be framed, with the chosen background behind the person: at once as well as
 * the page can, then as the server will draw it.
 */
export function FramePreview({ draft, backgrounds }: Props) {
  const t = useMessages();
  const { photo, background } = draft;
  const keep = background.kind === 'keep';
  const still = usePreview(draft);
  if (!photo?.shown) {
    return (
      <div className="preview-empty">
        <Person />
        <p>{photo && photo.state !== 'broken' ? t.photo.noPreview : t.make.previewEmpty}</p>
      </div>
    );
  }

  const face = photo.faces.find((item) => item.index === draft.face)?.box ?? null;
  const frame = frameOf(photo, face, draft.format);
  const place = placement(photo, frame);
  return (
    <div className="preview" role="img" aria-label={t.make.preview}>
      <Behind draft={draft} photo={photo} backgrounds={backgrounds} place={place} />
      <img className="person" src={photo.url} alt="" style={keep || !face ? place : { ...place, ...outline(photo, face) }} />
      {still && <img className="still" src={still} alt="" />}
    </div>
  );
}

/** Each picture is drawn for each format: its ornaments stay at the edges. */
function pictureFor(preset: BackgroundPreset, format: Format): string {
  return preset.image.replace(/image$/, format);
}

interface BehindProps {
  draft: Draft;
  photo: Photo;
  backgrounds: BackgroundPreset[] | null;
  place: CSSProperties;
}

function Behind({ draft, photo, backgrounds, place }: BehindProps) {
  const { background, backgroundImage } = draft;
  switch (background.kind) {
    case 'color':
      return <div className="behind" style={{ backgroundColor: background.color }} />;
    case 'preset': {
      const preset = backgrounds?.find((item) => item.id === background.preset);
      return preset ? <img className="behind" src={pictureFor(preset, draft.format)} alt="" /> : null;
    }
    case 'upload':
      return backgroundImage ? <img className="behind" src={backgroundImage.url} alt="" /> : null;
    case 'blur':
      return <img className="person blurred" src={photo.url} alt="" style={place} />;
    case 'keep':
      return null;
  }
}

/** A soft head-and-shoulders shape stands for the cut-out, which is made with the video. */
function outline(photo: Photo, box: Box): CSSProperties {
  const x = (value: number) => `${((100 * value) / photo.width).toFixed(2)}%`;
  const y = (value: number) => `${((100 * value) / photo.height).toFixed(2)}%`;
  const centre = x(box.x + box.width / 2);
  const head = `radial-gradient(ellipse ${x(box.width * 0.92)} ${y(box.height * 1.12)} at ${centre} ${y(box.y + box.height * 0.36)}, #000 72%, transparent)`;
  const body = `radial-gradient(ellipse ${x(box.width * 1.7)} ${y(box.height * 1.9)} at ${centre} ${y(box.y + box.height * 2.85)}, #000 84%, transparent)`;
  return { maskImage: `${head}, ${body}` };
}
