// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';
import type { Fault } from '../App.tsx';
import { sampleUrl } from '../api/client.ts';
import type { Voice, VoicesReply } from '../api/types.ts';
import { useLanguage, useMessages } from '../i18n/language.tsx';
import { languageOf } from '../lib/text.ts';
import type { Change, Draft } from '../state/draft.ts';
import type { Loaded } from '../state/loaded.ts';
import { usePlayer, type Player } from '../state/player.ts';
import { PlayIcon, StopIcon } from './icons.tsx';
import { NotLoaded, Step, Warning } from './Step.tsx';

interface Props {
  draft: Draft;
  change: (change: Change) => void;
  voices: Loaded<VoicesReply>;
  chosen: string | null;
  fault: Fault | null;
}

type Group = 'ja' | 'en' | 'other';

export function VoiceStep({ draft, change, voices, chosen, fault }: Props) {
  const { language, messages: t } = useLanguage();
  const player = usePlayer();
  const textLanguage = languageOf(draft.text);
  const list = voices.value?.voices ?? [];
  const voice = list.find((item) => item.id === chosen);
  const mismatch = voice && textLanguage && groupOf(voice) !== textLanguage ? textLanguage : null;
  const failed = list.find((item) => sampleUrl(item.id) === player.failed);
  const groups = order(textLanguage ?? language).filter((group) => list.some((item) => groupOf(item) === group));
  return (
    <Step id="voice" number={3} title={t.voice.title}>
      <div id="field-voice_profile" className={voices.value || voices.failed ? undefined : 'to-come'}>
        {groups.map((group, at) => {
          const members = list.filter((item) => groupOf(item) === group);
          const cards = (
            <div className="voices">
              {members.map((item) => (
                <VoiceCard key={item.id} voice={item} checked={item.id === chosen} player={player} choose={() => change({ voice: item.id })} />
              ))}
            </div>
          );
          if (at > 0) return <Others key={group} name={t.voice.group[group]} open={members.some((item) => item.id === chosen)}>{cards}</Others>;
          return (
            <fieldset key={group}>
              <legend className="caption">{t.voice.group[group]}</legend>
              {cards}
            </fieldset>
          );
        })}
      </div>
      <div role="status">
        {!voices.value && !voices.failed && <p className="say busy">{t.voice.loading}</p>}
        {voices.failed && <NotLoaded list={voices}>{t.voice.failed}</NotLoaded>}
        {mismatch && <p className="say">{t.voice.mismatch[mismatch]}</p>}
        {failed && <Warning>{t.voice.silent}</Warning>}
        {fault?.field === 'voice_profile' && <Warning>{fault.detail}</Warning>}
      </div>
    </Step>
  );
}

interface OthersProps {
  name: string;
  open: boolean;
  children: ReactNode;
}

/** The voices of the languages that the message is not in: folded, until one of them is chosen. */
function Others({ name, open, children }: OthersProps) {
  return (
    <details className="fold" open={open}>
      <summary className="caption">{name}</summary>
      <fieldset>
        <legend className="sr">{name}</legend>
        {children}
      </fieldset>
    </details>
  );
}

interface CardProps {
  voice: Voice;
  checked: boolean;
  player: Player;
  choose: () => void;
}

function VoiceCard({ voice, checked, player, choose }: CardProps) {
  const t = useMessages();
  const url = sampleUrl(voice.id);
  const playing = player.playing === url;
  return (
    <div className="voice">
      <label className="option">
        <input type="radio" name="voice" value={voice.id} checked={checked} onChange={choose} />
        <span className="option-text">
          <span className="option-name">{voice.name}</span>
          {voice.description && <span className="option-note">{voice.description}</span>}
        </span>
      </label>
      <button type="button" className={`round ${playing ? 'playing' : ''}`} aria-label={playing ? t.voice.stop(voice.name) : t.voice.listen(voice.name)} onClick={() => player.toggle(url)}>
        {playing ? <StopIcon /> : <PlayIcon />}
      </button>
    </div>
  );
}

function groupOf(voice: Voice): Group {
  if (voice.language.startsWith('ja')) return 'ja';
  return voice.language.startsWith('en') ? 'en' : 'other';
}

function order(first: 'ja' | 'en'): Group[] {
  return first === 'ja' ? ['ja', 'en', 'other'] : ['en', 'ja', 'other'];
}
