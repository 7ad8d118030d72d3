import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { CHANNELS_FILE, OUTBOX_DIR, STATE_DIR, UNITS_DIR } from '../../shared/host-paths.ts'
import { Channels } from '../../shared/model/channels.ts'
import { makeDirs, writeDurably } from '../../store/durable.ts'

/** Where telling keeps its things; tests have a folder of their own. */
export interface TellFiles {
  readonly channels: string
  readonly outbox: string
  /** What was told when: digests and silence. */
  readonly state: string
  /** Units of systemd. */
  readonly units: string
}
export const TELL_FILES: TellFiles = {
  channels: CHANNELS_FILE,
  outbox: OUTBOX_DIR,
  state: `${STATE_DIR}/told.json`,
  units: UNITS_DIR
}

/** With their secrets. None where there is no file. @throws `bad-output` for one that cannot be understood */
export function readChannels({ channels: path }: TellFiles = TELL_FILES): Channels {
  const text = readIfThere(path)
  if (text === undefined) return {}
  const channels = Channels.safeParse(parsed(text))
  return channels.success
    ? channels.data
    : fail({ kind: 'bad-output', what: path, detail: 'It holds no mail and webhook settings. Enter them again.' })
}

/** For root only, also while it is written. */
export async function writeChannels(channels: Channels, { channels: path }: TellFiles = TELL_FILES): Promise<void> {
  await makeDirs(dirname(path))
  await writeDurably(path, Buffer.from(`${JSON.stringify(channels, undefined, 2)}\n`))
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
