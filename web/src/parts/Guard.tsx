// SPDX-License-Identifier: Apache-2.0
import { Component, type ReactNode } from 'react';
import { useMessages } from '../i18n/language.tsx';

/** If the page itself breaks, a person still gets a sentence and a way on. */
export class Guard extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };
  static getDerivedStateFromError() {
    return { broken: true };
  }
  override render() {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const t = useMessages();
  return (
    <main className="broken" role="alert">
      <p>{t.app.crash}</p>
      <button type="button" className="button primary" onClick={() => location.reload()}>
        {t.app.reload}
      </button>
    </main>
  );
}
