import { existsSync } from 'node:fs'
import { mkdir, open, readFile } from 'node:fs/promises'
import * as z from 'zod'
import { ASIDE_DIR } from '../../shared/host-paths.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { checkpointDefinitions, checkpointNames, redefineCheckpoint } from '../../libvirt/checkpoint.ts'
import { domainState } from '../../libvirt/domains.ts'
import { currentSnapshot, redefineSnapshot, snapshotDefinitions, snapshotNames } from '../../libvirt/snapshot.ts'
import { syncDirectory } from '../journal/json-lines.ts'
import type { DisplacedVm } from './restore-plan.ts'

export const asideDirectory = (jobId: string): string => `${ASIDE_DIR}/${jobId}`
export const asideOfVm = (jobId: string, vm: Uuid): string => `${asideDirectory(jobId)}/${vm}`
export const definitionAside = (jobId: string, vm: Uuid): string => `${asideOfVm(jobId, vm)}/definition.xml`

const RecordFile = z.object({ name: z.string(), file: z.string() })

/** What libvirt remembers of a VM's snapshots and checkpoints, and forgets with its definition. Parents come first. */
const Records = z.object({
  snapshots: z.array(RecordFile),
  currentSnapshot: z.string().optional(),
  checkpoints: z.array(RecordFile)
})
type Records = z.infer<typeof Records>

/**
 * Writes down, on disk when it returns, all of a VM that is in libvirt's memory only. Its files are renamed, not copied.
 * Answers of which snapshots and checkpoints.
 */
export async function keepRecords(shell: Shell, jobId: string, vm: DisplacedVm): Promise<RecordNames> {
  const folder = asideOfVm(jobId, vm.uuid)
  const write = (name: string, text: string): Promise<void> => writeSynced(`${folder}/${name}`, text)
  await keepDefinition(jobId, vm)
  const records: Records = { snapshots: [], checkpoints: [] }
  for (const [n, { name, xml }] of (await snapshotDefinitions(shell, vm.uuid)).entries()) {
    await write(`snapshot-${n}.xml`, xml)
    records.snapshots.push({ name, file: `snapshot-${n}.xml` })
  }
  for (const [n, { name, xml }] of (await checkpointDefinitions(shell, vm.uuid)).entries()) {
    await write(`checkpoint-${n}.xml`, xml)
    records.checkpoints.push({ name, file: `checkpoint-${n}.xml` })
  }
  const current = await currentSnapshot(shell, vm.uuid)
  await write(
    'records.json',
    JSON.stringify({ ...records, ...(current !== undefined && { currentSnapshot: current }) })
  )
  syncDirectory(folder)
  return { snapshots: records.snapshots.map(nameOf), checkpoints: records.checkpoints.map(nameOf) }
}

/** The same, of what the job itself knows. */
export async function keepDefinition(jobId: string, vm: DisplacedVm): Promise<void> {
  const folder = asideOfVm(jobId, vm.uuid)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeSynced(`${folder}/vm.json`, JSON.stringify(vm, undefined, 2))
  await writeSynced(definitionAside(jobId, vm.uuid), vm.definition)
  for (const path of [folder, asideDirectory(jobId), ASIDE_DIR]) syncDirectory(path)
}

/** Snapshots and checkpoints of a VM that libvirt has records of. */
export interface RecordNames {
  readonly snapshots: readonly string[]
  readonly checkpoints: readonly string[]
}

const nameOf = ({ name }: { readonly name: string }): string => name

export const recordNames = async (shell: Shell, vm: Uuid): Promise<RecordNames> => ({
  snapshots: await snapshotNames(shell, vm),
  checkpoints: await checkpointNames(shell, vm)
})

/** libvirt knows them again. Those that it knows are left as they are, and so is a VM that is not there. */
export async function bringRecordsBack(shell: Shell, jobId: string, vm: Uuid): Promise<undefined> {
  const folder = asideOfVm(jobId, vm)
  if (!existsSync(`${folder}/records.json`) || (await domainState(shell, vm)) === undefined) return
  const records = Records.parse(JSON.parse(await readFile(`${folder}/records.json`, 'utf8')))
  const snapshots = await snapshotNames(shell, vm)
  for (const { name, file } of records.snapshots)
    if (!snapshots.includes(name))
      await redefineSnapshot(shell, vm, `${folder}/${file}`, { current: name === records.currentSnapshot })
  const checkpoints = await checkpointNames(shell, vm)
  for (const { name, file } of records.checkpoints)
    if (!checkpoints.includes(name)) await redefineCheckpoint(shell, vm, `${folder}/${file}`)
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
