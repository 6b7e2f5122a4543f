// Builds the web app to dist/: index.html at the root, everything else hashed under /assets/, no inline script or style,
// because the server answers with a strict Content-Security-Policy and embeds dist/ into the binary.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const server = process.env.BELFRY_URL ?? 'http://127.0.0.1:9765';

export default defineConfig({
  base: '/',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  // `npm run dev` against a running belfry. The Host is rewritten because belfry answers only to its own name.
  server: { proxy: { '/api': { target: server, changeOrigin: true }, '/-': { target: server, changeOrigin: true } } },
});
