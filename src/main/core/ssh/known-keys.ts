import { homedir } from 'node:os'
import { fail } from '../../../shared/failure.ts'
import type { KnownKey } from '../../../shared/views/settings-view.ts'
import { fingerprintOf, forgetLine, ownKnownHosts, readKnownHosts, type KnownHostLine } from './known-hosts.ts'

/** Every key that is taken for known, and where it is written down. */
export async function knownKeys(settingsDir: string): Promise<KnownKey[]> {
  const own = ownKnownHosts(settingsDir)
  return (await readKnownHosts(homedir(), settingsDir)).map((line) => keyOf(line, own))
}

const keyOf = (line: KnownHostLine, own: string): KnownKey => ({
  hosts: line.hosts.startsWith('|') ? '(hashed)' : line.hosts,
  keyType: line.keyType,
  fingerprint: fingerprintOf(Buffer.from(line.key, 'base64')),
  file: line.file,
  line: line.line,
  ours: line.file === own,
  revoked: line.revoked
})

/** Takes one line out of our own file. @throws `not-found` if another key stands there by now */
export async function forgetKnownKey(settingsDir: string, line: number, fingerprint: string): Promise<void> {
  const isForgotten = await forgetLine(settingsDir, line, fingerprint)
  if (!isForgotten) fail({ kind: 'not-found', what: 'host', name: fingerprint })
}
