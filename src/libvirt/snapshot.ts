import { fail } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

export interface SnapshotRequest {
  /** RAM goes here, in the format of `virsh save`. Without it: disks only. */
  readonly memoryFile?: string
  readonly disks: readonly ({ readonly target: string; readonly overlay: string } | { readonly target: string; readonly skip: true })[]
  /** Lets the guest run while RAM is written. Only with `memoryFile`. */
  readonly live: boolean
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * External snapshot without metadata, all disks and RAM at one instant. Ends when it is taken. Ending the program early
 * does not end the job in libvirtd.
 */
export async function snapshotCreateAs(shell: Shell, uuid: Uuid, request: SnapshotRequest): Promise<void> {
  const { memoryFile, live, timeoutMs, signal } = request
  const disks = request.disks.flatMap((disk) => ['--diskspec', 'skip' in disk ? `${disk.target},snapshot=no` : diskspec(disk)])
  const memory = memoryFile === undefined ? ['--disk-only'] : ['--memspec', `file=${spec(memoryFile)},snapshot=external`]
  await virsh(
    shell,
    ['snapshot-create-as', uuid, ...memory, ...disks, ...(live ? ['--live'] : []), '--atomic', '--no-metadata'],
    { timeoutMs, ...(signal && { signal }) }
  )
}

const diskspec = ({ target, overlay }: { target: string; overlay: string }): string => `${target},snapshot=external,file=${spec(overlay)}`

/** virsh takes a comma as the end of a value, and a doubled one as a comma. */
function spec(path: string): string {
  if (/[\n\r]/.test(path)) fail({ kind: 'bad-output', what: 'path', detail: 'it holds a line break' })
  return path.replaceAll(',', ',,')
}
