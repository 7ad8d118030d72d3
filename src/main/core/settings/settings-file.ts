import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Conf from 'conf'
import { describeFailure } from '../../../shared/failure-words.ts'
import { fail, failureOf, StillpointError, type Failure } from '../../../shared/failure.ts'
import { EMPTY_SETTINGS, Settings, SETTINGS_VERSION } from './settings-schema.ts'
import { FarTooLarge, putAside, readSmallFile } from './small-file.ts'

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
 * newer Stillpoint wrote is refused, for writing to it would lose what only that one understands, and so is one that
 * cannot be read. A window that has to start all the same opens with `leave`: empty, with that said, and nothing is ever
 * written.
 */
export function openSettings(folder: string, newer: 'refuse' | 'leave' = 'refuse'): SettingsFile {
  const path = join(folder, 'settings.json')
  try {
    return openUnderstood(folder, path)
  } catch (error) {
    const failure = failureOf(error)
    if (newer === 'refuse' || failure.kind === 'bug') throw error
    return leftAlone(path, failure)
  }
}

function openUnderstood(folder: string, path: string): SettingsFile {
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
function leftAlone(path: string, failure: Failure): SettingsFile {
  const reason = failure.kind === 'usage' ? failure.message : sentences(describeFailure(failure))
  return {
    path,
    notices: [
      `${reason} Until then this window is empty, and what you change here is not kept. The file stays as it is.`
    ],
    read: () => EMPTY_SETTINGS,
    update: () => fail({ kind: 'usage', message: reason })
  }
}

const sentences = ({ title, explanation, nextStep }: ReturnType<typeof describeFailure>): string =>
  [title, explanation, nextStep]
    .flatMap((text) => (text === '' ? [] : [/[.!?]$/.test(text) ? text : `${text}.`]))
    .join(' ')

const serialize = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

function understood(path: string): Settings {
  const found = readSettings(path)
  return typeof found === 'string' ? fail({ kind: 'bad-output', what: path, detail: found }) : found
}

/** The settings, or why the file cannot be understood. @throws `io` where it cannot be read, `usage` where a newer Stillpoint wrote it */
function readSettings(path: string): Settings | string {
  try {
    const text = readSmallFile(path, LARGEST_BYTES)
    return text === undefined ? EMPTY_SETTINGS : settingsIn(path, text)
  } catch (error) {
    if (error instanceof StillpointError) throw error
    if (error instanceof FarTooLarge) return error.message
    return fail(ioFailure(path, error, error instanceof Error ? error.message : ''), error)
  }
}

function settingsIn(path: string, text: string): Settings | string {
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
  try {
    const aside = putAside(path)
    return `The settings could not be read (${why}). They were kept aside as ${aside}, and Stillpoint starts with empty ones. Points and hosts are as they were.`
  } catch (error) {
    return fail(ioFailure(path, error, `it cannot be read (${why}), and not be kept aside`), error)
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    fail(ioFailure(folder, error, 'the folder of the settings cannot be made'), error)
  }
}

function write(conf: Conf<Settings>, path: string, settings: Settings): void {
  const checked = Settings.parse(settings)
  try {
    conf.store = checked
  } catch (error) {
    fail(ioFailure(path, error, 'the settings could not be written, they are as before'), error)
  }
}

const ioFailure = (path: string, error: unknown, detail: string): Failure => ({
  kind: 'io',
  path,
  code: error instanceof Error && 'code' in error ? String(error.code) : 'EIO',
  detail
})
