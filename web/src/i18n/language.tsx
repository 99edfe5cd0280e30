// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { setRequestLanguage } from '../api/client.ts';
import { readStored, writeStored } from '../lib/storage.ts';
import { en, type Messages } from './en.ts';
import { ja } from './ja.ts';

export type Language = 'ja' | 'en';

interface Value {
  language: Language;
  messages: Messages;
  choose: (language: Language) => void;
}

const KEY = 'vm.language';
const dictionaries: Record<Language, Messages> = { ja, en };
const Context = createContext<Value | null>(null);

function initial(): Language {
  const stored = readStored<string>(KEY);
  if (stored === 'ja' || stored === 'en') return stored;
  for (const tag of navigator.languages) {
    if (tag.startsWith('ja')) return 'ja';
    if (tag.startsWith('en')) return 'en';
  }
  return 'en';
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(initial);
  setRequestLanguage(language); // before the children's effects ask the server for anything
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = dictionaries[language].name;
  }, [language]);
  const value = useMemo<Value>(() => {
    const choose = (next: Language) => {
      writeStored(KEY, next);
      setLanguage(next);
    };
    return { language, messages: dictionaries[language], choose };
  }, [language]);
  return <Context value={value}>{children}</Context>;
}

export function useLanguage(): Value {
  const value = useContext(Context);
  if (!value) throw new Error('useLanguage outside its provider');
  return value;
}

export function useMessages(): Messages {
  return useLanguage().messages;
}
