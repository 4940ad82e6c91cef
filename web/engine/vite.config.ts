import { defineConfig } from 'vite'

// The engine by itself, as one module: what the tests of its numbers load.
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'browser', 'import', 'module'] },
  build: {
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'engine' },
    target: 'es2022',
    emptyOutDir: true,
    minify: false,
  },
})
