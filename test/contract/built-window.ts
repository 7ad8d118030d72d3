import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { filesToPack } from '../../src/main/core/engine-on-host/packed-files.ts'
import { oneAtATime } from './one-at-a-time.ts'

const ROOT = join(import.meta.dirname, '../..')
const OUT = join(ROOT, 'out')

const INTO_IT = ['src/{main,preload,renderer,shared}/**/*', 'electron.vite.config.ts', 'package.json']

export const built = {
  main: join(OUT, 'main/index.js'),
  preload: join(OUT, 'preload/index.cjs'),
  renderer: join(OUT, 'renderer')
}

/** Builds main, preload and window, unless what is there is newer than all that goes into it. */
export function buildIfStale(): void {
  mkdirSync(OUT, { recursive: true })
  oneAtATime(join(OUT, 'building.lock'), buildWhatIsStale)
}

function buildWhatIsStale(): void {
  const sources = globSync([...INTO_IT, ...filesToPack(ROOT)], {
    cwd: ROOT
  })
  const changedAt = Math.max(...sources.map((file) => modifiedAt(join(ROOT, file))))
  const builtAt = Math.min(...[built.main, built.preload, join(built.renderer, 'index.html')].map(modifiedAt))
  if (builtAt > changedAt) return
  const builder = join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js')
  execFileSync(process.execPath, [builder, 'build'], {
    cwd: ROOT,
    stdio: 'pipe',
    env: { ...process.env, NODE_ENV: 'production' }
  })
}

const modifiedAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
