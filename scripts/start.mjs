// `npm start`: the window in Electron where its binary is or can be fetched, else in the browser.
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { electronBinary, noElectronBecause, sourceOf } from './how-to-start.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
const FETCH_MS = 60_000
const LOOK_MS = 3_000

const because = noElectronBecause({ platform: process.platform, uid: process.getuid?.(), env: process.env })
const binary = because === undefined ? (electronBinary(root, process.env) ?? (await fetched())) : undefined
await build()
if (binary !== undefined) await handOver(binary, [root, ...args])
else {
  console.log(`${because ?? 'Electron is not here and cannot be fetched'}: opening the window in your browser instead.`)
  await handOver(process.execPath, [join(root, 'bin/stillpoint.mjs'), 'serve', ...args])
}

/** By Electron's own install script, which checks what it fetched. */
async function fetched() {
  const source = sourceOf(process.env)
  if (!source.isProxied && !(await answers(source))) return undefined
  console.log('Fetching Electron, once…')
  const install = join(root, 'node_modules/electron/install.js')
  const code = await run(process.execPath, [install], { timeout: FETCH_MS, killSignal: 'SIGKILL' })
  return code === 0 ? electronBinary(root, process.env) : undefined
}

function answers({ host, port }) {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (does) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(does)
    }
    const timer = setTimeout(() => end(false), LOOK_MS)
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

/** Unless what is built is newer than all that goes into it. */
async function build() {
  const sources = ['src', 'electron.vite.config.ts', 'package.json'].map((path) => join(root, path))
  const built = ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/index.html', 'out/cli/cli.mjs']
  const builtAt = Math.min(...built.map((path) => changedAt(join(root, path))))
  if (builtAt > Math.max(...sources.map(newestIn))) return
  console.log('Building…')
  const vite = join(root, 'node_modules/electron-vite/bin/electron-vite.js')
  for (const step of [[join(root, 'scripts/build-node.mjs')], [vite, 'build', '--logLevel', 'warn']]) {
    const code = await run(process.execPath, step, { env: { ...process.env, NODE_ENV: 'production' } })
    if (code !== 0) process.exit(code ?? 1)
  }
}

function newestIn(path) {
  if (!statSync(path).isDirectory()) return changedAt(path)
  return Math.max(...readdirSync(path, { recursive: true }).map((name) => changedAt(join(path, name))))
}

function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Ends as the program ends. Ctrl-C reaches it by itself: this process only waits. */
async function handOver(program, programArgs) {
  process.on('SIGINT', () => undefined)
  process.exitCode = (await run(program, programArgs)) ?? 1
}

/** The exit code; undefined if a signal or the deadline ended it, or if it could not be started. */
function run(program, programArgs, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, programArgs, { cwd: root, stdio: 'inherit', ...options })
    process.once('SIGTERM', () => child.kill('SIGTERM'))
    child.once('error', () => resolve(undefined)).once('exit', (code) => resolve(code ?? undefined))
  })
}
