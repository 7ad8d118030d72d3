import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf, type Failure, type FailureOf } from '../../shared/failure.ts'
import { ofType } from '../../shared/job-report.ts'
import { RECOVER_UNIT } from '../../shared/host-paths.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { CapturePlan, PLAN_STEP } from '../capture/capture-plan.ts'
import { jobDirectory, journalPath, vmOfJob } from '../jobs/job-directory.ts'
import { IncompleteUndo } from './program.ts'

type Left = FailureOf<'left-behind'>['left'][number]

/** Tries at once what the host tries every few minutes. */
const TRY_AGAIN = `systemctl start ${RECOVER_UNIT}`

/**
 * What an operator has to know of a job that could not be put right: its VM, what stands in the way and which file that is
 * about, which overlays are still there, and what to type.
 */
export async function whatIsLeft(
  shell: Shell,
  id: string,
  entries: readonly JournalEntry[],
  error: unknown,
  after: Failure
): Promise<Failure> {
  const failures = error instanceof IncompleteUndo ? error.failures : [failureOf(error)]
  const inTheWay = failures.flatMap((failure) =>
    failure.kind === 'left-behind' ? failure.left : [reasonOf(id, failure)]
  )
  const left = [...inTheWay, ...(await overlaysOf(shell, entries))]
  const last = left.pop()
  return {
    kind: 'left-behind',
    vm: vmOfJob(id)?.name ?? `the VM of job ${id}`,
    after,
    left: [...left, ...(last === undefined ? [] : [{ ...last, mend: [...last.mend, TRY_AGAIN] }])]
  }
}

function reasonOf(id: string, failure: Failure): Left {
  const { title, explanation } = describeFailure(failure)
  const path = fileNamedIn(failure) ?? journalPath(id)
  const isUnread = failure.kind === 'io' && failure.path === journalPath(id)
  return { path, because: `job ${id}: ${title}. ${explanation}`, mend: isUnread ? [giveUp(id)] : [] }
}

/** Nobody else can tell by now what the job had begun. */
const giveUp = (id: string): string =>
  `mv '${jobDirectory(id)}' /root/   # if it stays so, and no VM is on files of this job: virsh domblklist VM`

/** What QEMU and libvirt complain of stands in quotes. */
function fileNamedIn(failure: Failure): string | undefined {
  if (failure.kind === 'io' || failure.kind === 'no-room') return failure.path === '' ? undefined : failure.path
  if (failure.kind === 'command-failed') return /['"](\/[^'"]+)['"]/.exec(failure.stderr)?.[1]
  return failure.kind === 'bad-output' && failure.what.startsWith('/') ? failure.what : undefined
}

async function overlaysOf(shell: Shell, entries: readonly JournalEntry[]): Promise<Left[]> {
  const data = ofType(entries, 'step').findLast(({ step }) => step === PLAN_STEP)?.data?.['plan']
  const { disks, vmName } = CapturePlan.safeParse(data).data ?? { disks: [], vmName: '' }
  const looks = disks.map(async ({ target, sidecar }): Promise<Left[]> => {
    const isThere = await isSeen(shell, sidecar)
    const holds = isThere === true ? 'it holds' : 'it may be there and hold'
    const because = `${holds} what ${vmName} wrote to ${target} since its backup began`
    return isThere === false ? [] : [{ path: sidecar, because, mend: [] }]
  })
  return (await Promise.all(looks)).flat()
}

const SEEN_WITHIN_MS = 5000

/** Undefined: what it lies on does not say, or not in time. A child asks: all other VMs would wait for us. */
async function isSeen(shell: Shell, path: string): Promise<boolean | undefined> {
  try {
    const { exitCode, stderr } = await shell.run(['stat', '--', path], { timeoutMs: SEEN_WITHIN_MS })
    if (exitCode === 0) return true
    return stderr.includes('No such file or directory') ? false : undefined
  } catch {
    return undefined
  }
}
