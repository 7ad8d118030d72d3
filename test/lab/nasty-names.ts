import { randomUUID } from 'node:crypto'
import { defineDomain, undefineDomain } from '../../src/libvirt/domains.ts'
import type { Shell } from '../../src/shared/shell.ts'

/** Names that libvirt takes, each a trap for somebody who builds command lines. */
export const NASTY_NAMES = [
  '1',
  '99999999-8888-4777-8666-555555555555',
  '$(touch stillpoint-x)',
  '`touch stillpoint-x`',
  '; touch stillpoint-x;',
  '--help',
  '-rf',
  '...', // libvirt 9.0 itself stumbles over '..': it looks into snapshot/..
  'a  b ',
  'quote\'s "and" back\\slash',
  'n'.repeat(200),
  '🦆 ٠ é',
  '%s%n {{7*7}}',
  '<img src=x onerror=alert(1)>',
  'a\u202eb\u200bc'
] as const

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The smallest domain that libvirt defines. It is never started. */
export const smallestDomain = (uuid: string, name: string): string =>
  `<domain type='qemu'><name>${escapeXml(name)}</name><uuid>${uuid}</uuid><memory unit='MiB'>16</memory>` +
  `<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/></devices></domain>`

export interface NamedDomains {
  /** By name. */
  readonly uuids: ReadonlyMap<string, string>
  remove(): Promise<void>
}

/** Defines a domain for each name. */
export async function defineNamed(shell: Shell, names: readonly string[]): Promise<NamedDomains> {
  const uuids = new Map(names.map((name) => [name, randomUUID() as string]))
  const path = `/run/stillpoint-test-${randomUUID()}.xml`
  for (const [name, uuid] of uuids) {
    await shell.run(['sh', '-c', 'cat > "$1"', 'sh', path], { stdin: smallestDomain(uuid, name) })
    await defineDomain(shell, path)
  }
  await shell.run(['rm', '-f', path])
  return {
    uuids,
    remove: async () => {
      for (const uuid of uuids.values()) await undefineDomain(shell, uuid)
    }
  }
}
