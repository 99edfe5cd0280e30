// SPDX-License-Identifier: Apache-2.0
import { within } from '../lib/framing.ts';
import { fromTheLeft, personId, type Photo } from '../state/draft.ts';

/**
 * The found faces, marked over the photo. With several, a mark is one more label of that person's
 * choice under the photo, for whoever points at the face itself.
 */
export function FaceMarks({ photo, chosen }: { photo: Photo; chosen: number | null }) {
  const faces = fromTheLeft(photo.faces);
  if (faces.length === 1) {
    return faces.map((face) => <span key={face.index} className="face" style={within(photo, face.box)} />);
  }
  return faces.map((face, at) => (
    <label
      key={face.index}
      className={`face choice ${face.index === chosen ? 'chosen' : ''}`}
      htmlFor={personId(face)}
      style={within(photo, face.box)}
      aria-hidden="true"
    >
      <span>{at + 1}</span>
    </label>
  ));
}
