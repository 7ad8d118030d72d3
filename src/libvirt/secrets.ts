import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

/** A secret that libvirt keeps: what it is is never asked. */
export interface Secret {
  readonly uuid: string
  /** What it is for, as `volume /srv/l.img`; empty if that was not said. */
  readonly usage: string
}

/** The secrets of this host. */
export const listSecrets = async (shell: Shell): Promise<Secret[]> =>
  parseSecrets((await virsh(shell, ['secret-list'])).stdout)

/** ` 1111…   volume /srv/l.img`, or `Unused` in place of a usage. */
export const parseSecrets = (text: string): Secret[] =>
  [...text.matchAll(/^ *([0-9a-f]{8}-[0-9a-f-]{27})(?: +(\S.*?))? *$/gm)].map(([, uuid = '', usage = '']) => ({
    uuid,
    usage: usage === 'Unused' ? '' : usage
  }))

/** By its UUID, or by what it is for, as a definition names it. */
export const secretNamed = (secrets: readonly Secret[], name: string): Secret | undefined =>
  secrets.find(({ uuid, usage }) => uuid === name.toLowerCase() || (usage !== '' && usage.endsWith(` ${name}`)))
