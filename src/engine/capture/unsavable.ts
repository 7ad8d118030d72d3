import { isFailure } from '../../shared/failure.ts'

/** The commands that save RAM, alone or with the disks' instant. */
const SAVES = /^virsh (snapshot-create|snapshot-create-as|save) /

/**
 * What ends a save and says nothing of the VM's devices: libvirt that went away or was busy, a VM that ended, a file that
 * could not be written, somebody who ended it.
 */
const OF_ANOTHER_KIND =
  /failed to (connect|get domain)|Domain not found|Disconnected|End of file|connection (reset|refused|closed)|client socket is closed|Broken pipe|state change lock|timed out|(is not|no longer) running|(closed|lost) the monitor|monitor socket|being destroyed|No space left|quota exceeded|Input\/output error|Read-only file system|(abort|cancel)|ended by SIG/i

/** Words for a device or a processor that cannot be moved. */
const OF_DEVICES = /migrat|invtsc|Operation not supported/i

export interface Unsavable {
  readonly because: string
  /** libvirt or QEMU speak of what the VM has. Anything else may be a fault of the host that ends one day. */
  readonly isKnown: boolean
}

/**
 * Why RAM of this VM cannot be saved, in libvirt's or QEMU's words, whichever those are: they have many for a device that
 * cannot be moved, and new ones in every version. Undefined: something else went wrong, as what is said of `files`, which the
 * backup writes itself.
 */
export function whyUnsavable(error: unknown, files: readonly string[]): Unsavable | undefined {
  if (!isFailure(error, 'command-failed')) return undefined
  const { command, stderr } = error.failure
  if (!SAVES.test(command) || OF_ANOTHER_KIND.test(stderr)) return undefined
  const said = stderr.match(/^error: .*$/gm)?.at(-1)
  if (said === undefined || files.some((path) => said.includes(path))) return undefined
  const because = said.replace(/^error: (Requested operation is not valid: |Operation not supported: )?/, '')
  return { because: because.slice(0, 500), isKnown: OF_DEVICES.test(said) }
}
