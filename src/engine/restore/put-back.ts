import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fail, failureOf, isFailure } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { ejectMedia } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import {
  createDomain,
  defineDomain,
  domainByName,
  domainState,
  setAutostart,
  startDomain
} from '../../libvirt/domains.ts'
import { isStill } from '../evidence/file-identity.ts'
import { renameIfProven, shown } from '../evidence/removal.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { jobDirectory } from '../jobs/job-directory.ts'
import type { UndoStep } from '../recover/program.ts'
import { theOneSeen } from './displace.ts'
import { goneMediaOf } from './displaced-vm.ts'
import { bringRecordsBack, definitionAside } from './kept-records.ts'
import type { DisplacedVm, Rename, RestoreTrace } from './restore-plan.ts'

type Step = `undo.${string}`

/** The way back of what was renamed aside, each by itself. Nothing is put over a file that lies there now. */
export function renameBackSteps(
  job: JobContext,
  label: string,
  renames: readonly Rename[],
  needs: readonly string[]
): UndoStep[] {
  return renames.map((rename, n) => ({
    name: `undo.rename.${label}.${n}`,
    needs,
    work: () => renameBack(job, rename)
  }))
}

/** @throws `left-behind` while somebody is in the way: it is tried again until it is back */
async function renameBack(job: JobContext, rename: Rename): Promise<undefined> {
  const { from, to, format } = rename
  const verdict = await renameIfProven(
    job.shell,
    { path: to, ...(format && { format }), made: () => theOneSeen(to, rename), content: shown('it is renamed') },
    from
  )
  if (verdict.kind === 'keep')
    fail({
      kind: 'left-behind',
      vm: job.spec.vmName,
      left: [{ path: to, because: `it belongs at ${from}: ${verdict.because}`, mend: [`ls -l '${from}' '${to}'`] }]
    })
}

/**
 * The way back of a VM that made way: files, definition, snapshots and checkpoints, autostart; and it runs again if it did.
 */
export function putBackSteps(
  job: JobContext,
  trace: RestoreTrace,
  vm: DisplacedVm,
  needs: readonly string[]
): UndoStep[] {
  const label = vm.uuid.slice(0, 8)
  const files = renameBackSteps(job, label, vm.renames, needs)
  const [define, records, start]: Step[] = [`undo.define.${label}`, `undo.records.${label}`, `undo.start.${label}`]
  const all = [...needs, ...files.map(({ name }) => name)]
  if (define === undefined || records === undefined || start === undefined) return files
  return [
    ...files,
    { name: define, needs: all, work: () => defineAgain(job, trace, vm, trace.done(define)) },
    { name: records, needs: [define], work: () => bringRecordsBack(job.shell, job.id, vm.uuid) },
    { name: start, needs: [define], work: () => startAgain(job, trace, vm, trace.done(start)) }
  ]
}

/** One that is there was put back before, or has never gone. */
async function defineAgain(
  { shell, id }: JobContext,
  trace: RestoreTrace,
  vm: DisplacedVm,
  wasDone: boolean
): Promise<undefined> {
  if (!vm.persistent || wasDone) return
  for (const rename of vm.renames)
    if (await isOwed(trace, rename))
      stuck(vm, `its file ${rename.from} is not there`, `virsh define '${definitionAside(id, vm.uuid)}'`)
  if ((await domainState(shell, vm.uuid)) === undefined) {
    if ((await domainByName(shell, vm.name)) !== undefined)
      stuck(vm, 'another VM has its name now', `virsh define '${definitionAside(id, vm.uuid)}'`)
    await defineFrom(id, vm.definition, (path) => defineDomain(shell, path))
  }
  await setAutostart(shell, vm.uuid, vm.autostart)
}

/**
 * Whether this job has a file of the VM renamed aside that is not back. One that is at neither place, and of which nobody
 * says that it was ever renamed, went without us: libvirt removes some as a VM stops.
 */
async function isOwed(trace: RestoreTrace, { from, to, file }: Rename): Promise<boolean> {
  if (file === undefined || (await isStill(from, file))) return false
  return trace.done('displace') || existsSync(to) || existsSync(from)
}

const stuck = ({ uuid, name }: DisplacedVm, because: string, ...mend: string[]): never =>
  fail({ kind: 'left-behind', vm: name, left: [{ path: `VM ${name} (${uuid})`, because, mend }] })

async function defineFrom(jobId: string, xml: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = `${jobDirectory(jobId)}/displaced.xml`
  await writeFile(path, xml, { mode: 0o600 })
  await use(path)
}

/** By its owner's will it is off, or elsewhere: it ran again before that. */
const WAS_RUN_AGAIN = ['shutdown', 'saved', 'migrated']

/**
 * A VM that this restore stopped runs again: without a medium that is gone since, if it does not start with it.
 *
 * @throws `left-behind` while it does not start: it is tried again until it runs
 */
async function startAgain(job: JobContext, trace: RestoreTrace, vm: DisplacedVm, wasDone: boolean): Promise<undefined> {
  const now = await domainState(job.shell, vm.uuid)
  const isOff = now === undefined || now.state === 'shut off'
  if (!vm.wasActive || wasDone || !isOff || WAS_RUN_AGAIN.includes(now?.reason ?? '')) return
  // libvirt has forgotten a transient VM that is off.
  if ((now === undefined || now.reason === 'destroyed') && !trace.mayHaveStopped(vm)) {
    job.warn(`${vm.name} was stopped by somebody just before it was to make way, and was left so`)
    return
  }
  try {
    if (vm.persistent) await startDomain(job.shell, vm.uuid, { paused: vm.wasPaused })
    else await createFrom(job, vm, vm.definition)
  } catch (error) {
    if (!isFailure(error, 'command-failed')) throw error
    await startWithoutGoneMedia(job, vm, error)
  }
  job.warn(`${vm.name} was stopped for this restore and was started again: what it had in RAM is lost`)
}

/** For this once: its definition stays as it is. */
async function startWithoutGoneMedia(job: JobContext, vm: DisplacedVm, error: unknown): Promise<void> {
  const gone = goneMediaOf(parseDomain(vm.definition))
  if (gone.length === 0) return doesNotStart(vm, error)
  const xml = gone.reduce((edited, { target }) => ejectMedia(edited, target), vm.definition)
  await createFrom(job, vm, xml).catch((again: unknown) => doesNotStart(vm, again))
  const media = gone.map(({ target, source = '' }) => `${target} (${source})`).join(', ')
  job.warn(`${vm.name} was started with empty drives for media that are gone: ${media}`)
}

const createFrom = (job: JobContext, { wasPaused }: DisplacedVm, xml: string): Promise<void> =>
  defineFrom(job.id, xml, (path) => createDomain(job.shell, path, { paused: wasPaused }))

function doesNotStart(vm: DisplacedVm, error: unknown): never {
  if (!isFailure(error, 'command-failed')) throw error
  const { explanation } = describeFailure(failureOf(error))
  return stuck(vm, `it is back as it was, but it does not start: ${explanation}`, `virsh start ${vm.uuid}`)
}
