// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const gateway = process.env['VMAD_URL'] ?? 'http://127.0.0.1:55433';

/** Writes sw.js with the list of the shell's files; its text changes exactly when they do. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = Object.keys(bundle).filter((name) => !name.endsWith('.html'));
      const shell = ['/', ...files.map((name) => `/${name}`).sort()];
      const page = readFileSync(fileURLToPath(new URL('index.html', import.meta.url)), 'utf8');
      const version = createHash('sha256').update(page + shell.join('\n')).digest('hex').slice(0, 12);
      const template = readFileSync(fileURLToPath(new URL('sw/sw.js', import.meta.url)), 'utf8');
      const source = template
        .replace("'__VERSION__'", JSON.stringify(version))
        .replace("['__SHELL__']", JSON.stringify(shell));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

/** A packed copy beside each text file, which the server sends where the browser takes it. */
function packedCopies(): Plugin {
  return {
    name: 'packed-copies',
    apply: 'build',
    closeBundle() {
      const dist = fileURLToPath(new URL('dist', import.meta.url));
      for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(js|css|html|svg|webmanifest)$/.test(name)) continue;
        const path = join(dist, name);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), serviceWorker(), packedCopies()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // data: URLs would need a wider Content-Security-Policy
    modulePreload: { polyfill: false },
  },
  server: {
    port: 55434,
    strictPort: true,
    fs: { allow: ['..'] },
    proxy: { '/api': gateway },
  },
});
