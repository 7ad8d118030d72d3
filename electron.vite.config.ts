import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { hashesToPack } from './src/main/core/engine-on-host/packed-files.ts'
import { NONCE_PLACEHOLDER } from './src/main/core/window-files/content-policy.ts'
import { contract } from './src/shared/contract.ts'
import { kindsOf } from './src/shared/contract-shape.ts'

/** What a package brings for hosts lies outside of app.asar: the main bundle knows what it has to be. */
const packed = await hashesToPack(import.meta.dirname)

export default defineConfig({
  main: {
    define: { STILLPOINT_PACKED: JSON.stringify(packed) },
    build: { rolldownOptions: { input: { index: 'src/main/index.ts' } } }
  },
  preload: {
    // A sandboxed preload must be one CommonJS file that requires nothing but electron.
    define: { STILLPOINT_CHANNELS: JSON.stringify(kindsOf(contract)) },
    build: {
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: 'src/preload/index.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false }
      }
    }
  },
  renderer: {
    root: 'src/renderer',
    define: { STILLPOINT_CHANNELS: JSON.stringify(kindsOf(contract)) },
    plugins: [react()],
    html: { cspNonce: NONCE_PLACEHOLDER },
    build: { minify: true, rolldownOptions: { input: { index: 'src/renderer/index.html' } } }
  }
})
