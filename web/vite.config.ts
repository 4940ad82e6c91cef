import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { loadEnv, type Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// The page is served by `sonoriff serve`; `npm run dev` hands API calls to one that runs beside it.
const { SONORIFF_SERVER: server = 'http://127.0.0.1:3013' } = loadEnv('', '.', 'SONORIFF_')

/** Every text beside itself as Brotli and as gzip, so that the server compresses nothing. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir }) {
      const names = readdirSync(dir!, { recursive: true, encoding: 'utf8' })
      for (const name of names.filter((one) => /\.(js|css|html|svg|webmanifest)$/.test(one))) {
        const text = readFileSync(join(dir!, name))
        writeFileSync(join(dir!, `${name}.br`), brotliCompressSync(text))
        writeFileSync(join(dir!, `${name}.gz`), gzipSync(text))
      }
    },
  }
}

export default defineConfig({
  base: './',
  plugins: [compressed()],
  // The engine's runtime is a file of its own.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'browser', 'import', 'module'] },
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
