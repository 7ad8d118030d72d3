#!/usr/bin/env node
// Thin launcher: sees to a new enough Node and to a build, then hands over to the bundle.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cli = join(root, 'out/cli/cli.mjs')
const ownNode = [join(root, 'node_modules/node/bin/node'), join(root, 'node_modules/.bin/node')].find(existsSync)
const isOld = Number(process.versions.node.split('.')[0]) < 22

if (isOld && ownNode !== undefined && process.env.STILLPOINT_RELAUNCHED === undefined) relaunch(ownNode)
else await start()

/** In the same process group: the terminal's Ctrl-C reaches the new one directly, so this one only waits. */
function relaunch(node) {
  const env = { ...process.env, STILLPOINT_RELAUNCHED: '1' }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit', env })
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', ...(process.platform === 'win32' ? [] : ['SIGUSR2'])])
    process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)))
}

async function start() {
  if (!existsSync(cli)) buildOnce()
  await import(pathToFileURL(cli).href)
}

function buildOnce() {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/build-node.mjs')], { encoding: 'utf8' })
  if (status === 0 && existsSync(cli)) return
  process.stderr.write(`Stillpoint is not built, and building it failed.\n${stderr}\n`)
  process.exit(1)
}
