import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Conf from 'conf'
import { fail } from '../../../shared/failure.ts'
import { EMPTY_SETTINGS, Settings, SETTINGS_VERSION } from './settings-schema.ts'

export interface SettingsFile {
  readonly path: string
  /** What the operator should hear: a broken file that was kept aside. */
  readonly notices: readonly string[]
  read(): Settings
  /** @throws `io` if the file cannot be written: the settings are then as before. */
  update(change: (settings: Settings) => Settings): void
}

const LARGEST_BYTES = 16 << 20

/**
 * The settings of a folder. A file that cannot be understood is kept aside under another name, and said; one that a
 * newer Stillpoint wrote is refused, for writing to it would lose what only that one understands. A window that has to
 * start all the same opens with `leave`: empty, with that said, and nothing is ever written.
 */
export function openSettings(folder: string, newer: 'refuse' | 'leave' = 'refuse'): SettingsFile {
  const path = join(folder, 'settings.json')
  const reason = newer === 'leave' ? whyNewer(path, readJson(path)) : undefined
  if (reason !== undefined) return leftAlone(path, reason)
  const notices: string[] = []
  const found = readSettings(path)
  if (typeof found === 'string') notices.push(keepAside(path, found))
  makeFolder(folder)
  const conf = new Conf<Settings>({ cwd: folder, configName: 'settings', configFileMode: 0o600, serialize })
  return {
    path,
    notices,
    read: () => understood(path),
    update: (change) => write(conf, path, change(understood(path)))
  }
}

/** Settings that are not ours to understand: as if there were none, and as if they could not be written. */
function leftAlone(path: string, reason: string): SettingsFile {
  return {
    path,
    notices: [
      `${reason} Until then this window is empty, and what you change here is not kept. The file stays as it is.`
    ],
    read: () => EMPTY_SETTINGS,
    update: () => fail({ kind: 'usage', message: reason })
  }
}

const serialize = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

function understood(path: string): Settings {
  const found = readSettings(path)
  return typeof found === 'string' ? fail({ kind: 'bad-output', what: path, detail: found }) : found
}

/** The settings, or why the file cannot be understood. */
function readSettings(path: string): Settings | string {
  if (!existsSync(path)) return EMPTY_SETTINGS
  const text = readFileSync(path, 'utf8')
  if (text.length > LARGEST_BYTES) return 'it is far larger than settings are'
  const value = parse(text)
  refuseNewer(path, value)
  const settings = Settings.safeParse(value)
  return settings.success ? settings.data : (settings.error.issues[0]?.message ?? 'it is not what it should be')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}

function readJson(path: string): unknown {
  return existsSync(path) ? parse(readFileSync(path, 'utf8')) : undefined
}

function refuseNewer(path: string, value: unknown): void {
  const message = whyNewer(path, value)
  if (message !== undefined) fail({ kind: 'usage', message })
}

function whyNewer(path: string, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('version' in value)) return undefined
  const { version } = value
  if (typeof version !== 'number' || version <= SETTINGS_VERSION) return undefined
  return `${path} was written by a newer Stillpoint (settings version ${version}). Use that one, or another settings folder (STILLPOINT_HOME).`
}

function keepAside(path: string, why: string): string {
  const aside = `${path}.broken-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
  renameSync(path, aside)
  return `The settings could not be read (${why}). They were kept aside as ${aside}, and Stillpoint starts with empty ones. Points and hosts are as they were.`
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

function write(conf: Conf<Settings>, path: string, settings: Settings): void {
  const checked = Settings.parse(settings)
  try {
    conf.store = checked
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    fail({ kind: 'io', path, code, detail: 'the settings could not be written, they are as before' }, error)
  }
}
