import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Conf from 'conf'
import { describeFailure } from '../../../shared/failure-words.ts'
import { fail, failureOf, StillpointError, systemCodeOf, type Failure } from '../../../shared/failure.ts'
import { formatBytes } from '../../../shared/format.ts'
import { whileLocked } from './lock-file.ts'
import { EMPTY_SETTINGS, Settings, SETTINGS_VERSION } from './settings-schema.ts'
import { FarTooLarge, parsedJson, putAside, readSmallFile } from './small-file.ts'
import { NOTHING_STRANGE, readTolerantly, strangeWords, type Strange } from './strange-settings.ts'

export interface SettingsFile {
  readonly path: string
  /** What the operator should hear: a broken file that was kept aside, entries that are not understood. */
  readonly notices: readonly string[]
  read(): Settings
  /**
   * What several Stillpoints change at once is all there afterwards.
   * @throws `io` if the file cannot be written: the settings are then as before.
   */
  update(change: (settings: Settings) => Settings): void
}

const LARGEST_BYTES = 16 << 20

/**
 * The settings of a folder. A file that cannot be understood is kept aside under another name, and said; entries that cannot
 * be are carried along, and said. One that a
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
  const found = readSettings(path)
  const notices = typeof found === 'string' ? keepAside(path) : strangeWords(path, found.strange)
  makeFolder(folder)
  const conf = new Conf<Settings>({ cwd: folder, configName: 'settings', configFileMode: 0o600, serialize })
  return {
    path,
    notices,
    read: () => understood(path).settings,
    update: (change) => changeAlone(conf, path, change)
  }
}

function changeAlone(conf: Conf<Settings>, path: string, change: (settings: Settings) => Settings): void {
  try {
    whileLocked(path, () => {
      const { settings, strange } = understood(path)
      write(conf, path, change(settings), strange)
    })
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    fail(ioFailure(path, error, UNWRITTEN), error)
  }
}

const UNWRITTEN = 'the settings could not be written, they are as before'

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

interface Found {
  readonly settings: Settings
  readonly strange: Strange
}

function understood(path: string): Found {
  const found = readSettings(path)
  return typeof found === 'string' ? fail({ kind: 'bad-output', what: path, detail: found }) : found
}

/** The settings, or why the file cannot be understood. @throws `io` where it cannot be read, `usage` where a newer Stillpoint wrote it */
function readSettings(path: string): Found | string {
  try {
    const text = readSmallFile(path, LARGEST_BYTES)
    return text === undefined ? { settings: EMPTY_SETTINGS, strange: NOTHING_STRANGE } : settingsIn(path, text)
  } catch (error) {
    if (error instanceof StillpointError) throw error
    if (error instanceof FarTooLarge) return error.message
    return fail(ioFailure(path, error, error instanceof Error ? error.message : ''), error)
  }
}

function settingsIn(path: string, text: string): Found | string {
  const value = parsedJson(text.replace(/^\uFEFF/, ''))
  refuseNewer(path, value)
  return readTolerantly(value)
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

/** Of several that start at once, one keeps it aside: what another has begun anew meanwhile is no broken file. */
function keepAside(path: string): readonly string[] {
  try {
    return whileLocked(path, () => {
      const why = readSettings(path)
      if (typeof why !== 'string') return []
      return [
        `The settings could not be read (${why}). They were kept aside as ${putAside(path)}, and Stillpoint starts with empty ones. Points and hosts are as they were.`
      ]
    })
  } catch (error) {
    if (error instanceof StillpointError) throw error
    return fail(ioFailure(path, error, 'it cannot be understood, and not be kept aside'), error)
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    fail(ioFailure(folder, error, 'the folder of the settings cannot be made'), error)
  }
}

/** Never what reading would not take. */
function write(conf: Conf<Settings>, path: string, settings: Settings, strange: Strange): void {
  const checked = Settings.safeParse(settings)
  if (!checked.success)
    return refuse(path, `${checked.error.issues[0]?.path.join('.')}: ${checked.error.issues[0]?.message}`)
  const whole = strange.carriedIn(checked.data)
  const bytes = Buffer.byteLength(serialize(whole))
  if (bytes > LARGEST_BYTES)
    refuse(path, `it would have ${formatBytes(bytes)}, and more than ${formatBytes(LARGEST_BYTES)} are not read`)
  try {
    conf.store = whole
  } catch (error) {
    fail(ioFailure(path, error, UNWRITTEN), error)
  }
}

const refuse = (path: string, why: string): never =>
  fail({ kind: 'io', path, code: 'EINVAL', detail: `${UNWRITTEN}: ${why}` })

const ioFailure = (path: string, error: unknown, detail: string): Failure => ({
  kind: 'io',
  path,
  code: error instanceof Error && 'code' in error ? String(error.code) : 'EIO',
  detail
})
