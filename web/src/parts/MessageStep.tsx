// SPDX-License-Identifier: Apache-2.0
import type { Fault } from '../App.tsx';
import { useMessages } from '../i18n/language.tsx';
import { codePoints, MAX_TEXT } from '../lib/text.ts';
import type { Change, Draft } from '../state/draft.ts';
import { Step, Warning } from './Step.tsx';

interface Props {
  draft: Draft;
  change: (change: Change) => void;
  missing: boolean;
  fault: Fault | null;
}

export function MessageStep({ draft, change, missing, fault }: Props) {
  const t = useMessages();
  const count = codePoints(draft.text);
  const over = count > MAX_TEXT;
  const empty = missing && draft.text.trim() === '';
  const problem = over ? t.message.tooLong : empty ? t.message.missing : fault?.field === 'text' ? fault.detail : null;
  return (
    <Step id="message" number={2} title={t.message.title}>
      <label className="caption" htmlFor="field-text">{t.message.label}</label>
      <textarea
        id="field-text"
        name="text"
        rows={5}
        dir="auto"
        value={draft.text}
        placeholder={t.message.placeholder}
        onChange={(event) => change({ text: event.target.value })}
        aria-describedby="text-count text-problem"
        aria-invalid={problem !== null}
      />
      <div className="under">
        <div className="ideas" role="group" aria-label={t.message.ideas}>
          {t.message.ideaList.map(([name, text]) => (
            <button key={name} type="button" className="chip" onClick={() => change({ text })}>{name}</button>
          ))}
        </div>
        <p className={`count ${over ? 'over' : ''}`} id="text-count">
          <span aria-hidden="true">{count} / {MAX_TEXT}</span>
          <span className="sr">{t.message.counter(count, MAX_TEXT)}</span>
        </p>
      </div>
      <div id="text-problem" role="status">
        {problem && <Warning>{problem}{over && t.message.over(count - MAX_TEXT)}</Warning>}
        {!over && count >= MAX_TEXT - 50 && <p className="say">{t.message.left(MAX_TEXT - count)}</p>}
      </div>
    </Step>
  );
}
