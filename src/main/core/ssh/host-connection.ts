import type { Shell } from '../../../shared/shell.ts'

/** Where and how to log in, as the operator gave it. `~/.ssh/config` fills what is undefined. */
export interface HostAddress {
  /** Name in Stillpoint. */
  readonly name: string
  /** Host name, IP address, or an alias of `~/.ssh/config`. */
  readonly address: string
  readonly user: string | undefined
  readonly port: number | undefined
  readonly identityFile: string | undefined
}

export interface UnknownHostKey {
  readonly address: string
  readonly keyType: string
  readonly fingerprint: string
  /** It may have been known: this file of ours has a line that cannot be read, and may be of this host. */
  readonly damagedIn?: string | undefined
}

/** What must be asked of a person while connecting. Non-interactive doors answer with refusals. */
export interface ConnectQuestions {
  /** A key nobody has vouched for yet. True: write it down as known, and go on. */
  unknownHostKey(key: UnknownHostKey): Promise<boolean>
  /** Undefined: no passphrase is to be had; the identity is skipped. */
  passphrase(identityFile: string): Promise<string | undefined>
}

/** One connection, shared by all channels to that host; it comes back by itself after a loss. */
export interface HostConnection {
  readonly address: HostAddress
  /** Runs as root: directly, or through `sudo -n`. Rejects with `no-root` where neither goes. */
  readonly shell: Shell
  readonly state: 'connected' | 'reconnecting' | 'closed'
  close(): Promise<void>
}
