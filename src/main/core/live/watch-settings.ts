import { mkdirSync, watch, type FSWatcher } from 'node:fs'
import type { Stop } from '../../../shared/contract-shape.ts'

/** A file is replaced in several steps; one word about it is enough. */
const SETTLE_MS = 100

/** Hears of every change of the settings, whichever door made it. The folder is watched: writers put a new file in its place. */
export function watchSettings(folder: string, listener: () => void): Stop {
  let timer: NodeJS.Timeout | undefined
  const heard = (_event: string, name: string | null): void => {
    if (name !== null && name !== 'settings.json') return
    clearTimeout(timer)
    timer = setTimeout(listener, SETTLE_MS)
  }
  const watcher = watcherOf(folder, heard)
  return () => {
    clearTimeout(timer)
    watcher?.close()
  }
}

/** Undefined where nothing can be watched: what this door changes is known all the same. */
function watcherOf(folder: string, heard: (event: string, name: string | null) => void): FSWatcher | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const watcher = watch(folder, { persistent: false }, heard)
    return watcher.on('error', () => watcher.close())
  } catch {
    return undefined
  }
}
