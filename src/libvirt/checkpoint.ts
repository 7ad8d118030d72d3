import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { namesOf } from './snapshot.ts'
import { virsh } from './virsh.ts'

/** A checkpoint that libvirt keeps a record of; its bitmaps are in the images. */
export interface CheckpointDefinition {
  readonly name: string
  readonly xml: string
}

/** Checkpoints of a domain, parents before their children, as `checkpoint-create --redefine` needs them. */
export async function checkpointDefinitions(shell: Shell, uuid: Uuid): Promise<CheckpointDefinition[]> {
  const definitions: CheckpointDefinition[] = []
  for (const name of await checkpointNames(shell, uuid)) {
    const { stdout } = await virsh(shell, ['checkpoint-dumpxml', uuid, name, '--security-info'])
    definitions.push({ name, xml: stdout.trim() })
  }
  return definitions
}

export async function checkpointNames(shell: Shell, uuid: Uuid): Promise<string[]> {
  return namesOf((await virsh(shell, ['checkpoint-list', uuid, '--name', '--topological'])).stdout)
}

/** libvirt records a checkpoint that is there already, from an XML file on the host. Parents come before their children. */
export async function redefineCheckpoint(shell: Shell, uuid: Uuid, xmlPath: string): Promise<void> {
  await virsh(shell, ['checkpoint-create', uuid, xmlPath, '--redefine'])
}
