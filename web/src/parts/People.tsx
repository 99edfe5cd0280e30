// SPDX-License-Identifier: Apache-2.0
import { useMessages } from '../i18n/language.tsx';
import type { Messages } from '../i18n/en.ts';
import type { Face } from '../api/types.ts';
import { fromTheLeft, personId, type Photo } from '../state/draft.ts';

interface Props {
  photo: Photo;
  chosen: number | null;
  choose: (index: number) => void;
}

/** Who is in the photo, when there are several: the one that is chosen will speak. */
export function People({ photo, chosen, choose }: Props) {
  const t = useMessages();
  const faces = fromTheLeft(photo.faces);
  return (
    <fieldset className="people">
      <legend className="caption">{t.photo.several(faces.length)}</legend>
      <div className="people-row">
        {faces.map((face, at) => {
          const id = personId(face);
          const note = noteOf(face, t);
          return (
            <label key={face.index} className="one">
              <input
                type="radio"
                id={id}
                name="person"
                checked={face.index === chosen}
                onChange={() => choose(face.index)}
                aria-labelledby={`${id}-name`}
                aria-describedby={note ? `${id}-note` : undefined}
              />
              <span className="head">{face.thumbnail ? <img src={face.thumbnail} alt="" width="72" height="72" /> : at + 1}</span>
              <span className="option-name" id={`${id}-name`}>{t.photo.person(at + 1)}</span>
              {note && <span className="option-note" id={`${id}-note`}>{note}</span>}
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

function noteOf(face: Face, t: Messages): string | null {
  if (face.usable) return null;
  const code = face.code ?? '';
  if (code.includes('small')) return t.photo.personSmall;
  if (code.includes('profile')) return t.photo.personAside;
  return t.photo.personUnusable;
}
