import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { commandFailed, virsh } from './virsh.ts'

interface Waiting {
  /** Default: none, since RAM may be large and the disk slow. */
  readonly timeoutMs?: number
  /** Ends virsh, not the job in libvirt: that takes `abortJob`. */
  readonly signal?: AbortSignal
}

const waiting = ({ timeoutMs = Infinity, signal }: Waiting): Waiting => ({ timeoutMs, ...(signal && { signal }) })

/** Writes the domain's RAM to a file and stops it. The state it had (running, paused) is what a plain restore gives. */
export async function saveDomain(shell: Shell, uuid: Uuid, file: string, options: Waiting = {}): Promise<void> {
  await virsh(shell, ['save', uuid, '--file', file], waiting(options))
}

export interface RestoreOptions extends Waiting {
  /** Path of XML to use instead of the image's own: same name, UUID and guest hardware, other host paths. */
  readonly xml?: string
  /** A guest saved while suspended would otherwise come back paused. */
  readonly state: 'running' | 'paused'
}

/** Starts a domain from a RAM image. The image stays. */
export async function restoreDomain(shell: Shell, memoryFile: string, options: RestoreOptions): Promise<void> {
  const xml = options.xml === undefined ? [] : ['--xml', options.xml]
  await virsh(shell, ['restore', '--file', memoryFile, ...xml, `--${options.state}`], waiting(options))
}

/** The definition inside a RAM image, passwords included. */
export async function saveImageXml(shell: Shell, memoryFile: string): Promise<string> {
  const { stdout } = await virsh(shell, ['save-image-dumpxml', '--file', memoryFile, '--security-info'])
  return stdout.trim()
}

/**
 * The definition inside the managed save image of a domain that is shut off. Undefined: it has none, or one that is being
 * written still, or never got whole, which libvirt throws away at the next start. `dominfo` is not
 * asked: of an image that came to its place while libvirtd ran it knows nothing, and starts from it all the same.
 */
export async function managedSaveXml(shell: Shell, uuid: Uuid): Promise<string | undefined> {
  const result = await virsh(shell, ['managedsave-dumpxml', uuid, '--security-info'], { expect: [0, 1] }) // 1: it has none
  if (result.exitCode === 0) return result.stdout.trim()
  return /does not have managed save image|save image is incomplete/.test(result.stderr)
    ? undefined
    : commandFailed('virsh managedsave-dumpxml', result)
}

/** Where libvirt keeps the managed save image of a domain: found by its name alone, whosever RAM it is. */
export const managedSavePath = (name: string): string => `/var/lib/libvirt/qemu/save/${name}.save`

/** Changes the definition inside the managed save image: other host paths, the same guest. The VM stays saved. */
export async function defineManagedSave(shell: Shell, uuid: Uuid, xmlPath: string): Promise<void> {
  await virsh(shell, ['managedsave-define', uuid, xmlPath])
}
