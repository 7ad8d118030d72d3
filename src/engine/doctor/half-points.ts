import { lstat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fail } from '../../shared/failure.ts'
import { isEnded, type JobReport } from '../../shared/model/job.ts'
import { quoted } from '../../shared/quoted.ts'
import type { Shell } from '../../shared/shell.ts'
import { ownerPath, readOwner, type PointOwner } from '../../store/owner.ts'
import { entriesOf } from '../../store/point-files.ts'
import { dropUnfinished, listUnfinished } from '../../store/point-store.ts'
import { judge } from '../evidence/removal.ts'
import { keep, removable, type Verdict } from '../evidence/verdict.ts'
import { machineId } from '../host-facts.ts'
import { readReport } from '../jobs/job-directory.ts'
import { holdAlone } from '../retention/file-lock.ts'
import { whileAloneIn } from '../retention/store-lock.ts'
import { locksHold, mountAt } from '../room/file-systems.ts'
import type { Finding } from './doctor.ts'

/** Points of these stores that were begun and are not complete. Only those of this host's own ended jobs can go. */
export async function halfPoints(shell: Shell, stores: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const store of stores)
    for (const dir of await listUnfinished(store)) findings.push(findingOf(shell, store, dir, await verdictOn(dir)))
  return findings
}

function findingOf(shell: Shell, store: string, dir: string, verdict: Verdict): Finding {
  const kind = 'half point'
  if (verdict.kind === 'remove')
    return { kind, what: `${dir} was never completed`, remedy: 'remove it', repair: () => remove(shell, store, dir) }
  const { because, mend } = verdict
  const remedy = mend.length === 0 ? 'leave it' : `leave it, unless you know better: ${mend.join('; ')}`
  return { kind, what: `${dir} ${because}`, remedy }
}

/** Looks once more with nobody else at work in the store, and at each file, since it may hold what is nowhere else. */
async function remove(shell: Shell, store: string, dir: string): Promise<void> {
  await whileAloneIn(store, async () => {
    const made = (): Promise<Verdict> => verdictOn(dir)
    const content = (): Promise<Verdict> =>
      Promise.resolve(removable('the job that wrote it has ended, with its VM put right'))
    for await (const entry of entriesOf(dir)) {
      const path = join(dir, entry)
      if (!(await lstat(path)).isFile()) continue
      const verdict = await judge(shell, { path, made, content })
      if (verdict.kind === 'keep')
        fail({ kind: 'foreign-work', vm: basename(dir), detail: `${path}: ${verdict.because}` })
    }
    await dropUnfinished(dir)
  })
}

async function verdictOn(dir: string): Promise<Verdict> {
  const owner = await readOwner(dir)
  return judgeHalfPoint(dir, {
    owner,
    machineId: await machineId(),
    job: readReport(basename(dir)),
    isLocked: owner !== undefined && (await isLocked(ownerPath(dir))),
    locksHold: await mountAt(dir).then((mount) => mount !== undefined && locksHold(mount))
  })
}

async function isLocked(path: string): Promise<boolean> {
  const lock = await holdAlone(path, 0)
  if (typeof lock === 'string') return lock !== 'none' // where there are no locks nobody can tell
  await lock.release()
  return false
}

export interface HalfPointFacts {
  /** Undefined: an engine before there were owners began it, or nobody knows who. */
  readonly owner: PointOwner | undefined
  /** Of this host. */
  readonly machineId: string
  /** What this host knows of the job of this id. */
  readonly job: JobReport | undefined
  /** Somebody holds the lock on the owner's file. */
  readonly isLocked: boolean
  /** Such locks hold between hosts on that file system. */
  readonly locksHold: boolean
}

/** Whether an unfinished point may go: only where it is proven that this host began it, and that its job is over. */
export function judgeHalfPoint(dir: string, facts: HalfPointFacts): Verdict {
  const { owner, job, isLocked, locksHold } = facts
  const byHand = `rm -r ${quoted(dir)}`
  if (owner !== undefined && owner.machineId !== facts.machineId)
    return keep(
      dir,
      `is being written by ${owner.host} since ${owner.since}, or was left by it`,
      ...(isLocked ? [] : [byHand])
    )
  if (isLocked)
    return keep(dir, `is being written by ${owner?.host ?? 'another host'} since ${owner?.since ?? 'lately'}`)
  if (job !== undefined) return judgeByJob(dir, job)
  if (owner === undefined) return keep(dir, 'was never completed, and nothing says which host began it', byHand)
  if (!locksHold)
    return keep(dir, 'was begun by a host with the id of this one, and this host knows of no such job', byHand)
  return removable('this host began it, knows of no such job any more, and nobody writes it')
}

function judgeByJob(dir: string, job: JobReport): Verdict {
  if (!isEnded(job.state)) return keep(dir, `belongs to job ${job.id}, which has not ended`)
  const { failure } = job
  if (failure?.kind === 'left-behind' && failure.left.some(({ path }) => path === dir || path.startsWith(`${dir}/`)))
    return keep(dir, `holds what job ${job.id} had to leave: ${failure.left.map(({ because }) => because).join('; ')}`)
  return removable(`job ${job.id} of this host began it, and has ended`)
}
