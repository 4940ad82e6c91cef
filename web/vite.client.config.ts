import { defineConfig } from 'vite'

// The client for other pages and programs: `npm run build:client -- --outDir FOLDER`.
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist',
    target: 'es2022',
    lib: { entry: 'src/client.ts', formats: ['es'], fileName: () => 'sonoriff-client.js' },
  },
})
