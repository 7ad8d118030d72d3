// Builds what runs on plain Node: the engine that is uploaded to hosts, and the terminal door. One file each.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** CommonJS dependencies inside an ES module ask for these. */
const banner = {
  js: [
    "import { createRequire as __createRequire } from 'node:module'",
    'const require = __createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename'
  ].join('\n')
}

const bundles = [
  { entry: 'src/engine/main.ts', out: 'out/engine/engine.mjs' },
  { entry: 'src/main/doors/cli.ts', out: 'out/cli/cli.mjs' }
]

for (const { entry, out } of bundles) {
  if (!existsSync(join(root, entry))) continue
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner,
    define: { __ENGINE_VERSION__: JSON.stringify(version) },
    // ssh2's optional natives: it does without them.
    external: ['cpu-features', '*.node'],
    legalComments: 'none',
    logLevel: 'warning'
  })
}
