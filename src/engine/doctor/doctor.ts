import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import * as z from 'zod'
import { DEFAULT_STORE, RUN_DIR } from '../../shared/host-paths.ts'
import { failureOf } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import type { Leftover } from '../../shared/engine-protocol.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainXml, listDomains } from '../../libvirt/domains.ts'
import { removeFile } from '../../store/durable.ts'
import { listStrayMarks } from '../../store/mark-point.ts'
import { isSidecar } from '../capture/capture-plan.ts'
import type { StrayOverlay } from '../capture/overlay-disk.ts'
import { commitStrayOverlay } from '../capture/stray-overlay.ts'
import { isThere } from '../evidence/presence.ts'
import type { Kept } from '../evidence/verdict.ts'
import { removeStrayFile } from './stray-file.ts'
import { openJobs } from '../jobs/job-directory.ts'
import { deadFiles, removeDeadFiles } from '../jobs/private-files.ts'
import { deadJobs } from '../jobs/unit-state.ts'
import { removeStaleLock } from '../jobs/host-lock.ts'
import { lockVm } from '../jobs/vm-lock.ts'
import { deadRuns, goingRuns, recoverRuns, unreadRuns } from '../policy/recover-runs.ts'
import { recoverJob } from '../recover/recover.ts'
import { IMAGES } from '../restore/image-folders.ts'
import { whileAloneIn } from '../retention/store-lock.ts'
import { halfPoints } from './half-points.ts'
import { keptAside } from './kept-aside.ts'
import { lostKeys } from './lost-keys.ts'
import { trashIn } from './trash.ts'

export interface Finding extends Omit<Leftover, 'repaired'> {
  readonly repair?: () => Promise<unknown>
}

/** What of ours lies about on this host though no job needs it; with `repair` it is put right. */
export async function doctor(shell: Shell, stores: readonly string[], repair: boolean): Promise<Leftover[]> {
  const first = [
    ...(await settle(await interruptedJobs(shell), repair)),
    ...(await settle([...(await interruptedRuns(shell)), ...runsOutOfReach()], repair))
  ]
  const running = [...(await runningJobs(shell)), ...(await goingRuns())]
  if (running.length > 0) return first
  const rest = [
    ...(await overlays(shell)),
    ...(await halfPoints(shell, allOf(stores))),
    ...(await strayMarks(stores)),
    ...(await trashIn(shell, allOf(stores))),
    ...locks(),
    ...(await privateFiles()),
    ...(await keptAside(stores))
  ]
  const settled = await settle(rest, repair)
  const files = await settle(await strayFiles(shell), repair)
  return [...first, ...settled, ...files, ...(await settle(await lostKeys(shell), repair))]
}

async function settle(findings: readonly Finding[], repair: boolean): Promise<Leftover[]> {
  const leftovers: Leftover[] = []
  for (const { repair: mend, ...finding } of findings) {
    if (!repair || mend === undefined) leftovers.push({ ...finding, repaired: false })
    else leftovers.push({ ...finding, ...(await attempt(mend)) })
  }
  return leftovers
}

/** What a repair answers that had to leave its thing as it is. */
const KeptResult = z.object({ kind: z.literal('keep'), because: z.string(), mend: z.array(z.string()) })
const remedyOf = ({ because, mend }: z.infer<typeof KeptResult>): string => [`it stays: ${because}`, ...mend].join('\n')

/** What cannot be mended keeps nothing else back, and says why. */
async function attempt(mend: () => Promise<unknown>): Promise<Pick<Leftover, 'repaired'> & Partial<Leftover>> {
  try {
    const kept = KeptResult.safeParse(await mend())
    return kept.success ? { remedy: remedyOf(kept.data), repaired: false } : { repaired: true }
  } catch (error) {
    const { title, explanation, nextStep } = describeFailure(failureOf(error))
    return { repaired: false, remedy: `it could not be mended: ${title}. ${explanation} ${nextStep}` }
  }
}

async function runningJobs(shell: Shell): Promise<string[]> {
  const dead = await deadJobs(shell)
  return openJobs().filter((id) => !dead.includes(id))
}

async function interruptedJobs(shell: Shell): Promise<Finding[]> {
  return (await deadJobs(shell)).map((id) => ({
    kind: 'job',
    what: `job ${id} was interrupted and not recovered`,
    remedy: 'recover it: put its VM right and remove what it left',
    repair: () => recoverJob(shell, id)
  }))
}

async function interruptedRuns(shell: Shell): Promise<Finding[]> {
  return (await deadRuns()).map(({ id, policy }) => ({
    kind: 'run',
    what: `run ${id} of policy ${policy.name} was interrupted and has no end`,
    remedy: 'end it as failed, and tell of it',
    repair: () => recoverRuns(shell, policy.id)
  }))
}

/** Such a run may have ended long ago; but recovery comes back for it. */
const runsOutOfReach = (): Finding[] =>
  unreadRuns().map((folder) => ({
    kind: 'run',
    what: `the journal of run ${basename(folder)} cannot be read: nobody can tell whether it has ended`,
    remedy: `have its file system looked after, or give that run up:\nmv ${quoted(folder)} /root/   # if it stays so`
  }))

async function overlays(shell: Shell): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const vm of await listDomains(shell)) {
    const now = parseDomain(await domainXml(shell, vm))
    const next = parseDomain(await domainXml(shell, vm, { inactive: true }))
    const named = new Map([...next.disks, ...now.disks].map(({ target, source }) => [source ?? '', target]))
    for (const [overlay, target] of named) {
      if (!isSidecar(overlay)) continue
      const isSeen = await isThere(overlay)
      findings.push({
        kind: 'overlay',
        what: `disk ${target} of ${now.name} ${isSeen ? 'writes to' : 'names'} the overlay ${overlay}${isSeen ? '' : ', which is not there'}`,
        remedy: isSeen
          ? 'fold it back into the image below, and remove it'
          : 'name the image below, if it was committed into that, here or on another host',
        repair: () => foldStray(shell, { vm, vmName: now.name, target, overlay })
      })
    }
  }
  return findings
}

async function foldStray(shell: Shell, stray: StrayOverlay): Promise<Kept | undefined> {
  const lock = await lockVm(stray.vm, stray.vmName, 'doctor')
  try {
    return await commitStrayOverlay(shell, stray)
  } finally {
    await lock.release()
  }
}

async function strayFiles(shell: Shell): Promise<Finding[]> {
  const inUse = new Set<string>()
  const folders = new Set([IMAGES])
  for (const uuid of await listDomains(shell))
    for (const source of parseDomain(await domainXml(shell, uuid)).allSources) {
      inUse.add(source)
      folders.add(dirname(source))
    }
  const files = [...folders]
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  return files
    .filter((path) => isSidecar(path) && !inUse.has(path))
    .map((path) => ({
      kind: 'file',
      what: `${path} belongs to no VM and no job`,
      remedy: 'remove it, if a job of this host made it and what it holds is elsewhere',
      repair: () => removeStrayFile(shell, path)
    }))
}

const allOf = (stores: readonly string[]): string[] => [...new Set([DEFAULT_STORE, ...stores])]

async function strayMarks(stores: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const store of allOf(stores))
    for (const path of await listStrayMarks(store))
      findings.push({
        kind: 'marks',
        what: `${path} marks a point that is gone`,
        remedy: 'remove it',
        repair: () => removeMarks(store, path)
      })
  return findings
}

/** Looks again with nobody else at work there: a pin is written in two steps, a point moves to the trash before its marks. */
function removeMarks(store: string, path: string): Promise<void> {
  return whileAloneIn(store, async () => {
    if ((await listStrayMarks(store)).includes(path)) await removeFile(path)
  })
}

async function privateFiles(): Promise<Finding[]> {
  return (await deadFiles()).map((path) => ({
    kind: 'keys',
    what: `${path} has keys of disks or definitions of VMs, of an engine that was killed`,
    remedy: 'remove it',
    repair: removeDeadFiles
  }))
}

/** A lock file that nobody holds does no harm. */
function locks(): Finding[] {
  if (!existsSync(RUN_DIR)) return []
  const uuids = readdirSync(RUN_DIR).filter((name) => name.endsWith('.lock'))
  return uuids.map((name) => ({
    kind: 'lock',
    what: `${RUN_DIR}/${name}`,
    remedy: 'remove it if nobody holds it',
    repair: () => removeStaleLock(basename(name, '.lock'))
  }))
}
