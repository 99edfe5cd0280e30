// SPDX-License-Identifier: Apache-2.0
import { useMessages } from '../i18n/language.tsx';
import { within } from '../lib/framing.ts';
import type { Photo } from '../state/draft.ts';

interface Props {
  photo: Photo;
  chosen: number | null;
  choose: (index: number) => void;
}

/** The found faces, marked over the photo; with several, each is a choice. */
export function FaceMarks({ photo, chosen, choose }: Props) {
  const t = useMessages();
  const faces = [...photo.faces].sort((a, b) => a.box.x - b.box.x); // counted from the left
  if (faces.length === 1) {
    return faces.map((face) => <span key={face.index} className="face" style={within(photo, face.box)} />);
  }
  return (
    <div role="radiogroup" aria-label={t.photo.several(faces.length)}>
      {faces.map((face, at) => (
        <label key={face.index} className="face choice" style={within(photo, face.box)}>
          <input
            type="radio"
            name="face"
            checked={face.index === chosen}
            onChange={() => choose(face.index)}
            aria-label={t.photo.person(at + 1)}
          />
          <span aria-hidden="true">{at + 1}</span>
        </label>
      ))}
    </div>
  );
}
