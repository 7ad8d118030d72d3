import { join } from 'node:path'
import { engineCall } from './engine-on-host/engine-call.ts'
import { engineAssets } from './engine-on-host/engine-assets.ts'
import type { PackedFiles } from './engine-on-host/packed-files.ts'
import { Connections, type Connect, type ConnectionsOptions } from './hosts/connections.ts'
import { History } from './settings/history.ts'
import { writeWaiting } from './settings/kept-lines.ts'
import { openSettings, type SettingsFile } from './settings/settings-file.ts'
import { catchUp } from './jobs/catch-up.ts'
import { putDamagedAside } from './ssh/damaged-keys.ts'
import { connectHost } from './ssh/connect.ts'
import type { ConnectQuestions } from './ssh/host-connection.ts'
import { collectGarbageEarly, keepYoungGenerationSmall } from './steady-memory.ts'

/** What every door holds: one settings folder, its history, and the connections made from it. */
export interface Core {
  readonly folder: string
  readonly settings: SettingsFile
  readonly history: History
  readonly connections: Connections
  /** What the operator should hear of known host keys. */
  readonly keyNotices: readonly string[]
  close(): Promise<void>
}

export interface CoreOptions {
  readonly folder: string
  readonly cache: string
  /** Where `out/engine` and the runtimes are. */
  readonly root: string
  /** What `root` has for hosts, where it is that of a package. */
  readonly packed?: PackedFiles | undefined
  readonly questions: ConnectQuestions
  /** The engine is being put on a host. */
  readonly onPlacing: (host: string, what: 'runtime' | 'engine', doneBytes: number, totalBytes: number) => void
  /** What to do about settings that a newer Stillpoint wrote; by default they are refused. */
  readonly newerSettings?: 'refuse' | 'leave'
  /** False: whoever opened the core asks hosts itself what ended on them. */
  readonly catchesUp?: boolean
  /** For tests. */
  readonly connect?: Connect
}

export function openCore(options: CoreOptions): Core {
  keepYoungGenerationSmall()
  collectGarbageEarly()
  const { folder, questions, onPlacing } = options
  const settings = openSettings(folder, options.newerSettings)
  const assets = engineAssets(options.root, options.cache, options.packed)
  const connect = options.connect ?? connectWith(questions, folder)
  const history = new History(join(folder, 'history.jsonl'))
  const onContact = options.catchesUp === false ? () => Promise.resolve() : catchUpInto(history)
  const connections = new Connections({ settings, assets, connect, onPlacing, onContact })
  const close = async (): Promise<void> => {
    await connections.close()
    await Promise.all([history.settled(), writeWaiting(folder)])
  }
  return { folder, settings, history, connections, keyNotices: putDamagedAside(folder), close }
}

const catchUpInto =
  (history: History): ConnectionsOptions['onContact'] =>
  (placed) =>
    catchUp(placed.host, (verb, question) => engineCall(placed, verb, question), history)

const connectWith =
  (questions: ConnectQuestions, settingsDir: string): Connect =>
  (address, expectedFingerprint) =>
    connectHost(address, { questions, settingsDir, ...(expectedFingerprint !== undefined && { expectedFingerprint }) })
