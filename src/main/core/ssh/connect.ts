import { homedir } from 'node:os'
import type { ConnectQuestions, HostAddress, HostConnection } from './host-connection.ts'
import { Link, openRoute } from './link.ts'
import { RemoteShell } from './remote-shell.ts'
import { resolveTargets } from './targets.ts'

export interface ConnectOptions {
  readonly questions: ConnectQuestions
  /** Where our own `known_hosts` is. */
  readonly settingsDir: string
  readonly homeDir?: string
  /** For each machine on the way, without the time a person takes to answer. Default 15 000. */
  readonly connectTimeoutMs?: number
  /** `SHA256:…` of the host's key: it is accepted without asking, and no other one. */
  readonly expectedFingerprint?: string
}

const DEFAULT_CONNECT_TIMEOUT_MS = 15_000

const noQuestions: ConnectQuestions = {
  unknownHostKey: () => Promise.resolve(false),
  passphrase: () => Promise.resolve(undefined)
}

/**
 * Logs in to a host. Rejects with `usage`, `host-unreachable`, `host-key-unknown`, `host-key-changed`,
 * `host-key-revoked`, `auth-failed` or `identity-unusable`. Nothing is sent before the host's key is verified.
 */
export async function connectHost(address: HostAddress, options: ConnectOptions): Promise<HostConnection> {
  const targets = await resolveTargets(address, options)
  const context = {
    settingsDir: options.settingsDir,
    homeDir: options.homeDir ?? homedir(),
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS
  }
  const link = new Link(address.name, (asking) =>
    openRoute(targets, { ...context, questions: asking === 'may ask' ? options.questions : noQuestions })
  )
  await link.live()
  return {
    address,
    shell: new RemoteShell(address.name, link),
    get state() {
      return link.state
    },
    close: () => link.close()
  }
}
