import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fail, failureOf, isFailure } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { quoted } from '../../shared/quoted.ts'
import { ejectMedia } from '../../libvirt/domain-xml-edit.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import {
  createDomain,
  defineDomain,
  domainByName,
  domainInfo,
  domainState,
  setAutostart,
  startDomain,
  type StateAndReason
} from '../../libvirt/domains.ts'
import type { Shell } from '../../shared/shell.ts'
import { isStill } from '../evidence/file-identity.ts'
import { renameIfProven, shown } from '../evidence/removal.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import { bootId } from '../host-facts.ts'
import { hasRunIn, historySince, logPosition, type LogPosition, type VmHistory } from '../evidence/vm-history.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { jobDirectory } from '../jobs/job-directory.ts'
import type { UndoStep } from '../recover/program.ts'
import type { NotedVm } from '../evidence/vm-before.ts'
import { endByBoot, endTold, isWord, notedVms } from '../recover/start-after-fault.ts'
import { theOneSeen } from './displace.ts'
import { goneMediaOf } from './displaced-vm.ts'
import { bringRecordsBack, definitionAside, keepDefinition } from './kept-records.ts'
import { NO_LOG, putBackStep, type DisplacedVm, type Rename, type RestoreTrace } from './restore-plan.ts'

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
      left: [
        {
          path: to,
          because: `it belongs at ${from}: ${verdict.because}`,
          mend: [`ls -l ${quoted(from)} ${quoted(to)}`]
        }
      ]
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
  const files = renameBackSteps(job, vm.uuid, vm.renames, needs)
  const all = [...needs, ...files.map(({ name }) => name)]
  const [define, start] = [putBackStep('define', vm.uuid), putBackStep('start', vm.uuid)]
  let isAnew = false
  const defineIt = async (): Promise<undefined> => void (isAnew = await defineAgain(job, trace, vm))
  const defining: UndoStep = { name: define, needs: all, work: defineIt }
  const starting: UndoStep = { name: start, needs: [define], work: () => startAgain(job, trace, vm, isAnew) }
  // libvirt knows a transient VM only while it runs.
  return vm.persistent
    ? [...files, defining, recordsStep(job, trace, vm, define), starting]
    : [...files, defining, starting, recordsStep(job, trace, vm, start)]
}

const recordsStep = (job: JobContext, trace: RestoreTrace, vm: DisplacedVm, needed: string): UndoStep => ({
  name: putBackStep('records', vm.uuid),
  needs: [needed],
  // What its owner forgot while they were there is forgotten.
  work: async () => {
    if (!vm.persistent || trace.mayHaveUndefined(vm)) await bringRecordsBack(job.shell, job.id, vm.uuid)
    return undefined
  }
})

/**
 * One that has its definition was given it before, or has never lost it: then its autostart is as its owner has it by now. One
 * that went otherwise than by this restore was undefined by its owner. Answers whether it was defined just now.
 */
async function defineAgain(job: JobContext, trace: RestoreTrace, vm: DisplacedVm): Promise<boolean> {
  if (!vm.persistent || trace.hasPutBack('define', vm)) return false
  const isDefined = await hasDefinition(job.shell, vm)
  if (!isDefined && !trace.mayHaveUndefined(vm)) {
    job.warn(`${vm.name} was undefined by somebody just before it was to make way, and was left so`)
    return false
  }
  for (const rename of vm.renames)
    if (await isOwed(trace, rename)) stuck(vm, `its file ${rename.from} is not there`, defineByHand(job.id, vm))
  const anew = putBackStep('anew', vm.uuid)
  if (!isDefined) {
    await requireFreeName(job, vm)
    await putBack(job, vm, () => defineFrom(job.id, vm.definition, (path) => defineDomain(job.shell, path)))
  }
  if (!isDefined || trace.announced(anew) || !trace.announcesUndefines)
    await setAutostart(job.shell, vm.uuid, vm.autostart)
  return !isDefined
}

/** Announced with how far libvirt's log was: what is written from then on is of this VM again. */
async function putBack(job: JobContext, { uuid, name }: DisplacedVm, work: () => Promise<void>): Promise<void> {
  const log = await logPosition(name)
  await job.step(putBackStep('anew', uuid), { ...(log && { log }) }, work)
}

/** One that runs without was started in the moment in which its definition was taken away. */
const hasDefinition = async (shell: Shell, { uuid }: DisplacedVm): Promise<boolean> =>
  (await domainState(shell, uuid)) !== undefined && (await domainInfo(shell, uuid)).persistent

async function requireFreeName({ shell, id }: JobContext, vm: DisplacedVm): Promise<void> {
  const namesake = await domainByName(shell, vm.name)
  if (namesake !== undefined && namesake !== vm.uuid) stuck(vm, 'another VM has its name now', defineByHand(id, vm))
}

const defineByHand = (jobId: string, { uuid }: DisplacedVm): string => `virsh define '${definitionAside(jobId, uuid)}'`

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

/**
 * A VM that this restore stopped, or that a fault ended before it could, runs again: without a medium that is gone since, if
 * it does not start with it.
 *
 * @throws `left-behind` while it does not start: it is tried again until it runs
 */
async function startAgain(
  job: JobContext,
  trace: RestoreTrace,
  seen: DisplacedVm,
  isAnew: boolean
): Promise<undefined> {
  const vm = asAtBegin(trace, seen)
  const now = await domainState(job.shell, vm.uuid)
  const isOff = now === undefined || now.state === 'shut off'
  if (!vm.wasActive || trace.hasPutBack('start', vm) || !isOff) return
  // Its owner has undefined it.
  if (now === undefined && vm.persistent) return
  // What was off when the restore looked at it was stopped by somebody else.
  const mayBeOurs = seen.wasActive && trace.mayHaveStopped(vm)
  const again = isAnew ? undefined : await endSincePutBack(trace, vm, now)
  const end = again ? again.end : await (mayBeOurs ? endSinceStop(trace, vm, now) : endBeforeStop(trace, vm, now))
  if (end !== 'fault' && end !== 'this restore') {
    if (again)
      job.warn(`${vm.name} has run since it was put back, and is off (${end ?? 'nothing tells why'}): it was left so`)
    else if (!mayBeOurs) job.warn(`${vm.name} ${leftOff(end)}`)
    return
  }
  sayWhatItHad(job, vm)
  try {
    if (now !== undefined) await startDomain(job.shell, vm.uuid, { paused: vm.wasPaused })
    else await putBack(job, vm, () => createFrom(job, vm, vm.definition))
  } catch (error) {
    if (!isFailure(error, 'command-failed')) throw error
    await startWithoutGoneMedia(job, vm, error)
  }
  const why = end === 'fault' ? 'was found off' : 'was stopped for this restore'
  job.warn(`${vm.name} ${why} and was started again: what it had in RAM is lost`)
}

/** Before it is started: an undo that is cut short in that finds it running, and says no more of it. */
function sayWhatItHad(job: JobContext, { name, definition, forThatRun }: DisplacedVm): void {
  const empty = goneMediaOf(parseDomain(definition)).map(({ target }) => `${target} (empty)`)
  const lost = forThatRun.filter((change) => !empty.includes(change))
  if (lost.length > 0)
    job.warn(
      `${name} is started as its definition says; for that run only it had ${lost.join(', ')}: change that again if it is still wanted (virsh attach-device, change-media)`
    )
}

/** As it ran when the job began: a fault may have ended it by the time the restore looked at it. */
function asAtBegin(trace: RestoreTrace, vm: DisplacedVm): DisplacedVm {
  const before = notedVm(trace, vm)?.before
  return vm.wasActive || before?.process === undefined
    ? vm
    : { ...vm, wasActive: true, wasPaused: before.state === 'paused' }
}

const notedVm = ({ begin }: RestoreTrace, { uuid }: DisplacedVm): NotedVm | undefined =>
  notedVms(begin).find((noted) => noted.uuid === uuid)

const leftOff = (end: string | undefined): string =>
  end === undefined
    ? 'is off since before this restore would have stopped it, nothing tells why, and it was left so'
    : `was stopped by somebody (${end}) just before it was to make way, and was left so`

/** `this restore`, `fault`, or libvirt's word for an end that somebody wanted. Undefined: nothing tells. */
type End = string | undefined

/** By its owner's will it is off, or elsewhere: it ran again before that, or has its disks from earlier. */
const WAS_RUN_AGAIN = ['shutdown', 'saved', 'migrated', 'from snapshot']

interface Told {
  readonly history: VmHistory | undefined
  /** libvirt's, for its state. */
  readonly reason: string | undefined
  /** It was off when its definition was taken, and nothing says that it has run since: so no boot of the host is why. */
  readonly wasOff: boolean
}

/**
 * What libvirt told of the VM, and not of the restored one, which may have its name. In a definition that is new it has no
 * reason for a state: then the one that it had when the former was taken counts, if the VM has not run since.
 */
async function toldOf(
  trace: RestoreTrace,
  vm: Pick<DisplacedVm, 'uuid' | 'name'>,
  since: LogPosition | undefined,
  now: StateAndReason | undefined
): Promise<Told> {
  const until = trace.logUntilTaken(vm)
  const history = until === NO_LOG ? undefined : await historySince(vm.name, since, until)
  const runsOn = until === undefined && history?.startedAgain === true && history.ended === undefined
  const then = runsOn ? undefined : trace.reasonWhenTaken(vm)
  return { history, reason: isWord(now?.reason) ? now?.reason : then, wasOff: then !== undefined }
}

/** It has run since an earlier pass of the undo put it back: then that is what counts. */
async function endSincePutBack(
  trace: RestoreTrace,
  vm: DisplacedVm,
  now: StateAndReason | undefined
): Promise<{ readonly end: End } | undefined> {
  const history = await historySince(vm.name, trace.logWhenPutBack(vm))
  if (history === undefined || !hasRunIn(history)) return undefined
  return { end: await endOf(trace, { history, reason: now?.reason, wasOff: false }) }
}

async function endSinceStop(trace: RestoreTrace, vm: DisplacedVm, now: StateAndReason | undefined): Promise<End> {
  const told = await toldOf(trace, vm, trace.logAtStop(vm), now)
  if (told.history?.startedAgain === true) return endOf(trace, told)
  return WAS_RUN_AGAIN.includes(told.reason ?? '') ? told.reason : 'this restore'
}

/** Not by this restore. libvirt has forgotten a transient VM that is off. */
async function endBeforeStop(trace: RestoreTrace, vm: DisplacedVm, now: StateAndReason | undefined): Promise<End> {
  const { name, before } = notedVm(trace, vm) ?? { name: vm.name, before: {} }
  const reason = now?.reason ?? ''
  // Once its definition is back, it is its owner who has run it.
  if (trace.reasonWhenTaken(vm) !== undefined && WAS_RUN_AGAIN.includes(reason)) return reason
  return endOf(trace, await toldOf(trace, { ...vm, name }, before.log, now))
}

/** What a person may start transient VMs from that are off, of which nothing tells why, and which libvirt has forgotten. */
export async function keepLostDefinitions(
  { shell, id }: JobContext,
  trace: RestoreTrace,
  vms: readonly DisplacedVm[]
): Promise<Kept | undefined> {
  const lost: DisplacedVm[] = []
  for (const vm of vms) if (await isLost(shell, trace, vm)) lost.push(vm)
  for (const vm of lost) await keepDefinition(id, vm)
  const paths = lost.map(({ uuid }) => definitionAside(id, uuid))
  const [path] = paths
  if (path === undefined) return undefined
  const names = lost.map(({ name }) => name).join(' and ')
  const because = `nothing tells why ${names} is off, which was transient, and nobody else has its definition`
  return keep(path, because, ...paths.map((each) => `virsh create ${quoted(each)}`))
}

async function isLost(shell: Shell, trace: RestoreTrace, vm: DisplacedVm): Promise<boolean> {
  if (vm.persistent || !vm.wasActive || trace.mayHaveStopped(vm)) return false
  return (await domainState(shell, vm.uuid)) === undefined && (await endBeforeStop(trace, vm, undefined)) === undefined
}

const endOf = async ({ begin }: RestoreTrace, { history, reason, wasOff }: Told): Promise<End> =>
  endTold(history, reason) ?? (wasOff ? undefined : endByBoot(begin?.bootId ?? (await bootId())))

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
