import { loadEnv } from 'vite'
import { defineConfig } from 'vitest/config'

// The page is served by `sonoriff serve`; `npm run dev` hands API calls to one that runs beside it.
const { SONORIFF_SERVER: server = 'http://127.0.0.1:3013' } = loadEnv('', '.', 'SONORIFF_')

export default defineConfig({
  base: './',
  build: {
    outDir: '../src/sonoriff/server/static',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 800,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': { target: server, ws: true } } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})
