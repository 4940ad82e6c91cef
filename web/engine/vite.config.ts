import { defineConfig } from 'vite'

// The engine by itself, as one module and its worker: what its tests load.
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'browser', 'import', 'module'] },
  build: {
    lib: { entry: { engine: 'src/index.ts', worker: 'src/worker.ts' }, formats: ['es'] },
    target: 'es2022',
    emptyOutDir: true,
    minify: false,
  },
})
