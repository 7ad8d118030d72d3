// Builds what runs on plain Node: the engine that is uploaded to hosts, and the terminal door. One file each.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)
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

const BUILT_IN = /^(node:)?(https?|dns|net|tls|zlib|crypto|util|os|stream)$/

/**
 * What takes long to load is loaded by whoever needs it, and not at each start: much of what Node itself brings, and the XML
 * parser. Packages get the module itself at their first `require`; for our own `import`s each function, and each class that is
 * only made, loads it when it is called.
 */
const loadsLate = {
  name: 'loads-late',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: BUILT_IN }, ({ path, importer }) => ({
      path,
      namespace: importer.includes('/node_modules/') ? 'loads-late' : 'calls-late'
    }))
    onResolve({ filter: /^@xmldom\/xmldom$/ }, ({ path, importer }) =>
      importer.startsWith(root) ? { path, namespace: 'calls-late' } : undefined
    )
    onLoad({ filter: /.*/, namespace: 'loads-late' }, ({ path }) => ({ contents: `module.exports = ${builtIn(path)}` }))
    onLoad({ filter: /.*/, namespace: 'calls-late' }, ({ path }) => ({ contents: callingLate(path), resolveDir: root }))
  }
}

const builtIn = (path) => `process.getBuiltinModule(${JSON.stringify(path)})`

/** What is not called at all is left out of the bundle. */
function callingLate(path) {
  const load = BUILT_IN.test(path) ? builtIn(path) : `require(${JSON.stringify(path)})`
  const callable = Object.entries(require(path)).filter(([, value]) => typeof value === 'function')
  return callable
    .map(
      ([name]) =>
        `export function ${name}(...given) { return new.target ? new (${load}.${name})(...given) : ${load}.${name}(...given) }`
    )
    .join('\n')
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
