import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { hashesToPack } from './src/main/core/engine-on-host/packed-files.ts'
import { NONCE_PLACEHOLDER } from './src/main/core/window-files/content-policy.ts'
import { contract } from './src/shared/contract.ts'
import { kindsOf } from './src/shared/contract-shape.ts'

/** What a package brings for hosts lies outside of app.asar: the main bundle knows what it has to be. */
const packed = await hashesToPack(import.meta.dirname)

/**
 * Zod asks by a try whether it may make code from text. The window's policy forbids that, and Firefox tells of each try as an
 * error of the page. It is to know before its schemas are made, which is before what imports them.
 */
const NO_CODE_FROM_TEXT = '(globalThis.__zod_globalConfig ??= {}).jitless = true;'

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
    build: {
      minify: true,
      rolldownOptions: { input: { index: 'src/renderer/index.html' }, output: { banner: NO_CODE_FROM_TEXT } }
    }
  }
})
