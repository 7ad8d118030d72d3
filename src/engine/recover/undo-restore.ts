import { fail } from '../../shared/failure.ts'
import { ofType } from '../../shared/job-report.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import { jobInfo, type DomainJobOperation } from '../../libvirt/domain-jobs.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import {
  destroyDomain,
  domainState,
  domainXml,
  listNamedDomains,
  undefineDomain,
  type StateAndReason
} from '../../libvirt/domains.ts'
import { tpmFolder } from '../../libvirt/host.ts'
import { networkXml, removeNetwork, uuidOfNetwork } from '../../libvirt/networks.ts'
import { identityOf, isSameFile, isStill } from '../evidence/file-identity.ts'
import { imageUsers, usersOf } from '../evidence/image-users.ts'
import { isThere } from '../evidence/presence.ts'
import { removeIfProven, renameIfProven, shown } from '../evidence/removal.ts'
import { keep, removable, type Kept, type Verdict } from '../evidence/verdict.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { Undone } from '../jobs/job-end.ts'
import { theOneSeen } from '../restore/displace.ts'
import { asideDirectory } from '../restore/kept-records.ts'
import { nvramOfCopy } from '../restore/plan-firmware.ts'
import { keepLostDefinitions, putBackSteps, renameBackSteps } from '../restore/put-back.ts'
import { settle } from '../restore/restore.ts'
import { placesOf, RestoreTrace, type Placement, type RestorePlan } from '../restore/restore-plan.ts'
import { isElsewhere } from '../restore/staged-copy.ts'
import { holdVms, othersIn, releaseVms } from '../restore/vm-locks.ts'
import { domainJobIsOver } from './domain-job-over.ts'
import { libvirtAnswers } from './libvirt-answers.ts'
import { runProgram, type UndoStep } from './program.ts'
import { startAfterFault } from './start-after-fault.ts'
import { startRestoredAfterFault } from './start-restored.ts'

/** A killed engine's last children may hold a lock for a moment longer. */
const LOCKS_WITHIN_MS = 30_000

/**
 * Undoes a restore: what it defined and wrote goes, what it displaced comes back. If its VM has run already, the restore
 * has reached its purpose, and what was still to be done is done.
 */
export async function undoRestore(job: JobContext, entries: readonly JournalEntry[]): Promise<Undone> {
  const trace = new RestoreTrace(entries)
  const { plan } = trace
  if (plan === undefined) return { end: 'undone', kept: await runProgram(job, [startAfterFault(job, entries)]) }
  try {
    await libvirtAnswers(job.shell, plan.vm)
    await startIsOver(job, trace, plan)
    if (trace.announced('displace')) await holdVms(job.id, othersIn(plan), LOCKS_WITHIN_MS)
    if (await hasReachedItsPurpose(job.shell, trace, plan)) return await finish(job, trace, plan, entries)
    const start = trace.announced('displace') ? [] : [startAfterFault(job, entries)]
    return { end: 'undone', kept: await runProgram(job, [...start, ...stepsOf(job, trace, plan)]) }
  } finally {
    await releaseVms()
  }
}

const STARTS: readonly DomainJobOperation[] = ['start', 'restore']

/** libvirtd goes on with a start whose client died: waits for what comes of it. @throws as `domainJobIsOver` */
async function startIsOver(job: JobContext, trace: RestoreTrace, { vm, vmName }: RestorePlan): Promise<void> {
  if (!trace.announced('start')) return
  const look = () => jobInfo(job.shell, vm).catch(() => undefined)
  await domainJobIsOver(vmName, look, (operation) => STARTS.includes(operation))
}

/** libvirt's words for the end of a VM that has run. One that did not come so far is `failed` or `unknown`. */
const HAS_RUN = ['shutdown', 'destroyed', 'crashed', 'saved', 'migrated', 'from snapshot', 'daemon']

/**
 * A VM that has run is its owner's again, whether or not it runs now. What runs under its UUID after the definition was
 * taken away is the one that was put back; and where no VM has what was placed nothing has been reached, whatever became
 * of the files.
 */
async function hasReachedItsPurpose(shell: Shell, trace: RestoreTrace, plan: RestorePlan): Promise<boolean> {
  if (trace.done(plan.mode === 'define' ? 'define' : 'start')) return true
  if (!trace.announced('define') || trace.done('undo.remove-vm')) return false
  const now = await domainState(shell, plan.vm)
  if (now === undefined || !((await isOurs(shell, trace, plan)) || (await standsOnPlaced(shell, trace, plan))))
    return false
  return isActive(now) || HAS_RUN.includes(now.reason) || (await wasWrittenTo(trace.placements))
}

const isActive = ({ state }: StateAndReason): boolean => state !== 'shut off'

/** A guest that was started writes to its disks within moments; a start that failed does not. */
async function wasWrittenTo(placements: readonly Placement[]): Promise<boolean> {
  for (const { path, file, format } of placements) {
    const now = format === undefined ? undefined : await identityOf(path)
    if (isSameFile(now, file) && now?.modifiedNs !== file.modifiedNs) return true
  }
  return false
}

/** Whether the VM of this UUID is the one that this restore defined: its disks are the files that were placed. */
async function isOurs(shell: Shell, trace: RestoreTrace, plan: RestorePlan): Promise<boolean> {
  const images = trace.placements.filter(({ format }) => format !== undefined)
  if (images.length === 0) return plan.displaced.length === 0 || trace.done('displace')
  for (const { source } of parseDomain(await domainXml(shell, plan.vm)).disks) {
    const file = source === undefined ? undefined : await identityOf(source)
    if (images.some((image) => isSameFile(image.file, file))) return true
  }
  return false
}

/** Whether it needs a file that was placed, perhaps below an overlay that its owner has made since. */
async function standsOnPlaced(shell: Shell, { placements }: RestoreTrace, { vm }: RestorePlan): Promise<boolean> {
  const users = await imageUsers(shell)
  for (const { path, file, format } of placements) {
    if (format === undefined || !(await isStill(path, file))) continue
    if ((await usersOf(users, path)).some(({ uuid }) => uuid === vm)) return true
  }
  return false
}

async function finish(
  job: JobContext,
  trace: RestoreTrace,
  plan: RestorePlan,
  entries: readonly JournalEntry[]
): Promise<Undone> {
  job.warn(
    plan.mode === 'define'
      ? 'The job was interrupted after the VM was defined'
      : 'The job was interrupted after the VM ran again'
  )
  if (!ofType(entries, 'fact').some(({ fact }) => fact.mode !== undefined)) job.fact({ mode: plan.mode })
  const mode = await startRestoredAfterFault(job, plan, entries)
  await settle(job, { ...plan, mode })
  return { end: 'was-finished', kept: [] }
}

function stepsOf(job: JobContext, trace: RestoreTrace, plan: RestorePlan): UndoStep[] {
  const removeVm: UndoStep = { name: 'undo.remove-vm', work: () => removeOurVm(job, trace, plan) }
  const files = fileSteps(job, trace, plan, trace.announced('define') ? [removeVm.name] : [])
  const gone = files.map(({ name }) => name)
  const back = trace.announced('displace')
    ? [
        ...renameBackSteps(job, 'orphan', plan.orphans, gone),
        ...plan.displaced.flatMap((vm) => putBackSteps(job, trace, vm, gone))
      ]
    : []
  const networks = plan.networks.define.map((network, n) => ({
    name: `undo.network.${n}`,
    work: () => removeOurNetwork(job, network, plan)
  }))
  const steps = [...(trace.announced('define') ? [removeVm] : []), ...files, ...back, ...networks]
  return [...steps, { name: 'undo.forget', needs: steps.map(({ name }) => name), work: () => forget(job, trace, plan) }]
}

/** Takes the definition away again; one that is not ours stays. */
async function removeOurVm(job: JobContext, trace: RestoreTrace, plan: RestorePlan): Promise<undefined> {
  const { shell } = job
  const now = await domainState(shell, plan.vm)
  if (now === undefined || trace.done('undo.remove-vm') || !(await isOurs(shell, trace, plan))) return
  if (isActive(now)) await destroyDomain(shell, plan.vm)
  await undefineDomain(shell, plan.vm, { keepManagedSave: true, keepSnapshots: true })
}

/** Files that were written, wherever they are by now: beside their place, or in it. */
function fileSteps(job: JobContext, trace: RestoreTrace, plan: RestorePlan, needs: readonly string[]): UndoStep[] {
  const steps = placesOf(plan).map((place) => {
    const placed = trace.placements.find(({ name }) => name === place.name)
    return { name: `undo.file.${place.name}`, needs, work: () => removeWritten(job, trace, place, placed) }
  })
  return plan.copyOf === undefined || !trace.announced('define')
    ? steps
    : [...steps, { name: 'undo.firmware', needs, work: () => removeFirmwareOfCopy(job, plan) }]
}

async function removeWritten(
  job: JobContext,
  trace: RestoreTrace,
  place: Omit<Placement, 'file'>,
  placed: Placement | undefined
): Promise<Kept | undefined> {
  const staged = await removeStaged(job, trace, place)
  // What lies there now may be what was renamed back.
  if (placed === undefined || !(await isStill(place.path, placed.file))) return staged
  const there = staged ?? (await removePlaced(job, trace, placed))
  if (there === undefined) return undefined
  const aside = await stageAgain(job, placed)
  return aside.kind === 'keep' ? aside : { ...there, path: place.staged }
}

async function removeStaged(
  { shell }: JobContext,
  trace: RestoreTrace,
  { staged, format }: Omit<Placement, 'file'>
): Promise<Kept | undefined> {
  const verdict = await removeIfProven(shell, {
    path: staged,
    ...(format && { format }),
    made: shown('this job named it so, and nobody else does'),
    content: () => isElsewhere(trace, staged)
  })
  return verdict.kind === 'keep' ? verdict : undefined
}

async function removePlaced({ shell }: JobContext, trace: RestoreTrace, placed: Placement): Promise<Kept | undefined> {
  const { path, format } = placed
  const verdict = await removeIfProven(shell, {
    path,
    ...(format && { format }),
    made: () => theOneSeen(path, placed),
    content: async () => {
      const unwritten = await isUnwritten(placed)
      return unwritten.kind === 'keep' ? unwritten : isElsewhere(trace, placed.staged)
    }
  })
  return verdict.kind === 'keep' ? verdict : undefined
}

/**
 * What was placed and cannot be shown to be elsewhere makes room all the same: under the name that it was written by it
 * stands in nobody's way.
 */
const stageAgain = ({ shell }: JobContext, placed: Placement): Promise<Verdict> =>
  renameIfProven(
    shell,
    {
      path: placed.path,
      ...(placed.format && { format: placed.format }),
      made: () => theOneSeen(placed.path, placed),
      content: () => isUnwritten(placed)
    },
    placed.staged
  )

const isUnwritten = async (placed: Placement): Promise<Verdict> =>
  (await wasWrittenTo([placed]))
    ? keep(placed.path, 'a VM has written to it')
    : removable('no VM has written to it since it was placed')

/** libvirt makes firmware variables and a TPM for a VM that is started. Below a UUID that this job made up they are the copy's. */
async function removeFirmwareOfCopy(job: JobContext, plan: RestorePlan): Promise<Kept | undefined> {
  for (const path of [nvramOfCopy(plan.vm), tpmFolder(plan.vm)]) {
    const verdict = await removeIfProven(job.shell, {
      path,
      made: shown('its name is the UUID of a VM that this job made up'),
      content: shown('that VM has never run')
    })
    if (verdict.kind === 'keep') return verdict
  }
  return undefined
}

/** A network that this job made goes, unless a VM uses it by now. */
async function removeOurNetwork(
  { shell }: JobContext,
  { name, xml }: RestorePlan['networks']['define'][number],
  plan: RestorePlan
): Promise<Kept | undefined> {
  const now = await networkXml(shell, name)
  if (now === undefined) return undefined
  const mend = [`virsh net-destroy ${quoted(name)}`, `virsh net-undefine ${quoted(name)}`]
  if (uuidOfNetwork(xml) !== undefined && uuidOfNetwork(xml) !== uuidOfNetwork(now))
    return keep(`network ${name}`, 'it is another one than this job has made')
  const user = await userOfNetwork(shell, name, plan.vm)
  if (user !== undefined) return keep(`network ${name}`, `VM ${user} is plugged into it`, ...mend)
  await removeNetwork(shell, name)
  return undefined
}

async function userOfNetwork(shell: Shell, network: string, but: string): Promise<string | undefined> {
  for (const { uuid, name } of await listNamedDomains(shell)) {
    if (uuid === but) continue
    const definitions = [await domainXml(shell, uuid), await domainXml(shell, uuid, { inactive: true })].map(
      parseDomain
    )
    const cards = definitions.flatMap(({ interfaces }) => interfaces)
    if (cards.some(({ type, source }) => type === 'network' && source === network)) return name
  }
  return undefined
}

/** Nothing is aside any more, so nothing needs to be remembered of it: but a definition that nobody else has. */
async function forget(job: JobContext, trace: RestoreTrace, plan: RestorePlan): Promise<Kept | undefined> {
  const { shell, id, spec } = job
  const { displaced, orphans } = plan
  const renames = [...displaced.flatMap(({ renames }) => renames), ...orphans]
  const aside = (await Promise.all(renames.map(async (each) => ((await isThere(each.to)) ? [each] : [])))).flat()
  if (aside.length > 0)
    fail({
      kind: 'left-behind',
      vm: spec.vmName,
      left: aside.map(({ from, to }) => ({ path: to, because: `it belongs at ${from}`, mend: [] }))
    })
  const lost = await keepLostDefinitions(job, trace, displaced)
  if (lost !== undefined) return lost
  const verdict = await removeIfProven(shell, {
    path: asideDirectory(id),
    made: shown('its name is the id of this job'),
    content: shown('all that it tells of is back')
  })
  return verdict.kind === 'keep' ? verdict : undefined
}
