import { mkdirSync, watch, type FSWatcher } from 'node:fs'
import type { HostCard } from '../../shared/contract.ts'
import type { Stop } from '../../shared/contract-shape.ts'
import { openSettings, type SettingsFile } from '../core/settings/settings-file.ts'
import type { HostRecord } from '../core/settings/settings-schema.ts'
import type { HostsSource } from './handlers.ts'

/** A file is replaced in several steps; one word about it is enough. */
const SETTLE_MS = 100

/** The hosts in the settings of this folder. Nothing is read before somebody asks. */
export function hostsInSettings(folder: string): HostsSource {
  let opened: SettingsFile | undefined
  const settings = (): SettingsFile => (opened ??= openSettings(folder))
  return {
    list: () => Promise.resolve().then(() => settings().read().hosts.map(cardOf)),
    onChanged: (listener) => watchSettings(folder, listener)
  }
}

/** Only these fields: a record also holds the path of the key file, which is no business of the window. */
const cardOf = ({ name, address, user, port, addedAt }: HostRecord): HostCard => ({
  name,
  address,
  user,
  port,
  addedAt
})

/** The folder is watched, not the file: writers put a new file in its place. Also hears what the terminal door does. */
function watchSettings(folder: string, listener: () => void): Stop {
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

/** Undefined where nothing can be watched: the list is still right whenever it is asked for, only the news is missing. */
function watcherOf(folder: string, heard: (event: string, name: string | null) => void): FSWatcher | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const watcher = watch(folder, { persistent: false }, heard)
    return watcher.on('error', () => watcher.close())
  } catch {
    return undefined
  }
}
