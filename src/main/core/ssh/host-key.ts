import { StillpointError, type Failure } from '../../../shared/failure.ts'
import type { UnknownHostKey } from './host-connection.ts'
import { fingerprintOf, judgeHostKey, keyTypeOf, knownKeyTypes, type KnownHostLine } from './known-hosts.ts'

/** The host as `known_hosts` calls it: its alias there, if `ssh_config` gives it one. */
export interface HostKeyName {
  readonly host: string
  readonly port: number
}

export interface HostKeyRules {
  /** What the host is called in messages. */
  readonly label: string
  /** Where it is reached: `address:port`, for messages. */
  readonly address: string
  readonly name: HostKeyName
  readonly known: readonly KnownHostLine[]
  readonly expectedFingerprint: string | undefined
  /** The file that has a line which cannot be read, and may be of this host. */
  damagedLine(): Promise<string | undefined>
  ask(key: UnknownHostKey): Promise<boolean>
  remember(key: Buffer): Promise<void>
}

/** ssh2's own list (that of ssh2 1.17), by which it negotiates without us. */
const DEFAULT_ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa'
] as const

type Algorithm = (typeof DEFAULT_ALGORITHMS)[number]

const keyTypeFor = (algorithm: Algorithm): string => (algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm)

/** Those of keys that are written down first, as OpenSSH does: else a known host shows a key nobody has seen. */
export function hostKeyAlgorithms(known: readonly KnownHostLine[], { host, port }: HostKeyName): Algorithm[] {
  const types = knownKeyTypes(known, host, port)
  const isKnown = (algorithm: Algorithm): boolean => types.includes(keyTypeFor(algorithm))
  return [...DEFAULT_ALGORITHMS.filter(isKnown), ...DEFAULT_ALGORITHMS.filter((algorithm) => !isKnown(algorithm))]
}

/** Resolves if this key may be trusted; rejects with one of the `host-key-…` failures. Asks only about unknown keys. */
export async function checkHostKey(key: Buffer, rules: HostKeyRules): Promise<void> {
  const { host, port } = rules.name
  const verdict = judgeHostKey(rules.known, host, port, key, DEFAULT_ALGORITHMS)
  const fingerprint = fingerprintOf(key)
  const shown = { host: rules.label, address: rules.address, keyType: keyTypeOf(key), fingerprint }
  const refuse = (failure: Failure): never => {
    throw new StillpointError(failure)
  }
  if (verdict.is === 'revoked') refuse({ kind: 'host-key-revoked', ...shown, knownIn: verdict.knownIn })
  if (verdict.is === 'changed') refuse({ kind: 'host-key-changed', ...shown, knownIn: verdict.knownIn })
  const { expectedFingerprint } = rules
  if (expectedFingerprint !== undefined && expectedFingerprint !== fingerprint)
    refuse({ kind: 'host-key-changed', ...shown, knownIn: `the fingerprint that was given (${expectedFingerprint})` })
  if (verdict.is === 'known') return
  if (expectedFingerprint === undefined) {
    const damagedIn = await rules.damagedLine()
    const unknown = {
      address: rules.address,
      keyType: shown.keyType,
      fingerprint,
      ...(damagedIn !== undefined && { damagedIn })
    }
    if (!(await rules.ask(unknown))) refuse({ kind: 'host-key-unknown', host: rules.label, ...unknown })
  }
  await rules.remember(key)
}
