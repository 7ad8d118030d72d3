import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { NONCE_PLACEHOLDER } from './src/main/core/window-files/content-policy.ts'
import { contract } from './src/shared/contract.ts'
import { kindsOf } from './src/shared/contract-shape.ts'

export default defineConfig({
  main: {
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
