// Builds what runs on plain Node: the engine that is uploaded to hosts, and the terminal door. One file each.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

// By the day, so that a build of the same sources stays the same and is not uploaded anew; reproducible builds set the epoch.
const epoch = process.env['SOURCE_DATE_EPOCH']
const builtAt = (epoch === undefined ? new Date() : new Date(Number(epoch) * 1000)).toISOString().slice(0, 10)

/** CommonJS dependencies inside an ES module ask for these. */
const banner = {
  js: [
    "import { createRequire as __createRequire } from 'node:module'",
    'const require = __createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename'
  ].join('\n')
}

/** What Node itself brings and takes long to load is loaded by whoever needs it, and not at each start. */
const loadsLate = {
  name: 'loads-late',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?(https?|dns|net|tls|zlib|crypto|util|os|stream)$/ }, ({ path }) => ({
      path,
      namespace: 'loads-late'
    }))
    onLoad({ filter: /.*/, namespace: 'loads-late' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`
    }))
  }
}

const bundles = [
  // It goes over the operator's line: without what only readers need, but with its names, for stacks.
  {
    entry: 'src/engine/main.ts',
    out: 'out/engine/engine.mjs',
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [loadsLate]
  },
  { entry: 'src/main/doors/cli.ts', out: 'out/cli/cli.mjs' }
]

for (const { entry, out, ...smaller } of bundles) {
  if (!existsSync(join(root, entry))) continue
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: out,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner,
    define: { __ENGINE_VERSION__: JSON.stringify(version), __ENGINE_BUILT_AT__: JSON.stringify(builtAt) },
    // ssh2's optional natives: it does without them.
    external: ['cpu-features', '*.node'],
    ...smaller,
    legalComments: 'none',
    logLevel: 'warning'
  })
  for (const { path, contents } of outputFiles) put(path, contents)
}

/** Whole or not at all, and only if it is another: somebody may be running or uploading it just now. */
function put(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, contents)
  renameSync(`${path}.${process.pid}`, path)
}
