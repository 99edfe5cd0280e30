// SPDX-License-Identifier: Apache-2.0
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { LanguageProvider } from './i18n/language.tsx';
import { Guard } from './parts/Guard.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/steps.css';
import './styles/photo.css';
import './styles/stage.css';
import './styles/recent.css';
import './styles/comfort.css';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no root');
createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <Guard>
        <App />
      </Guard>
    </LanguageProvider>
  </StrictMode>,
);
