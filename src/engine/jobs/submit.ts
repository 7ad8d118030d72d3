import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import { jobUnit } from '../../shared/host-paths.ts'
import type { JobSpec } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { readJournal } from '../journal/journal.ts'
import { engineCommand, KEEP_COMPILED } from './engine-command.ts'
import { knownProperties } from './known-properties.ts'
import { armWatch, isOverInShell, LIBVIRT_UNITS, takeUpUnless } from './recover-units.ts'
import { withHostLock } from './host-lock.ts'
import { forgetJob, jobDirectory, journalPath, writeSpec } from './job-directory.ts'
import { ofType } from '../../shared/job-report.ts'
import { submitLock } from './unit-state.ts'

const BEGIN_WITHIN_MS = 60_000

/**
 * Writes the job down, has its host watch over it and starts its unit: from here on it depends on nobody but this host.
 *
 * @throws `vm-busy` if another job has the VM, or what keeps systemd from it; the order is then forgotten.
 */
export async function submitJob(shell: Shell, id: string, spec: JobSpec, fault: string | undefined): Promise<void> {
  await withHostLock(submitLock(id), `submission of job ${id}`, async () => {
    if (readJournal(journalPath(id)).length > 0) return
    writeSpec(id, spec)
    await armWatch(shell).catch((error: unknown) => {
      forgetJob(id)
      throw error
    })
    await startUnit(shell, id, fault)
    await begun(id)
  })
}

/**
 * Of every job's unit. KillMode mixed: TERM reaches the engine only, which ends its own children and puts the VM right. At
 * shutdown it ends before libvirt and libvirt-guests do. Whatever kills the engine, its ExecStopPost or both, the host takes
 * the job up, and goes on trying.
 */
export const JOB_PROPERTIES: readonly string[] = [
  KEEP_COMPILED,
  'KillMode=mixed',
  'TimeoutStopSec=900',
  'OOMPolicy=continue',
  'IOWeight=50',
  `After=${LIBVIRT_UNITS} libvirt-guests.service local-fs.target remote-fs.target network.target`
]

const unitProperties = (id: string, engine: readonly string[]): string[] => [
  ...JOB_PROPERTIES,
  // Most jobs have written their end by then, and an engine takes longer to see that.
  `ExecStopPost=-/bin/sh -c '${isOverInShell(jobDirectory(id))} || exec ${[...engine, 'recover-job', id].join(' ')}'`,
  takeUpUnless(isOverInShell(jobDirectory(id)))
]

async function startUnit(shell: Shell, id: string, fault: string | undefined): Promise<void> {
  const engine = engineCommand()
  const environment = fault === undefined ? [] : [`--setenv=STILLPOINT_FAULT=${fault}`]
  const properties = (await knownProperties(shell, unitProperties(id, engine))).flatMap((each) => ['-p', each])
  const options = [`--unit=${jobUnit(id)}`, '--collect', '--quiet', ...properties]
  const result = await shell.run(['systemd-run', ...options, ...environment, '--', ...engine, 'run', id])
  if (result.exitCode === 0) return
  rmSync(jobDirectory(id), { recursive: true })
  fail({ kind: 'command-failed', command: 'systemd-run', exitCode: result.exitCode, stderr: result.stderr.trim() })
}

/** Returns when the job holds its VM. */
async function begun(id: string): Promise<void> {
  const deadline = performance.now() + BEGIN_WITHIN_MS
  while (performance.now() < deadline) {
    const entries = readJournal(journalPath(id))
    const failure = ofType(entries, 'end')[0]?.report.failure
    if (failure?.kind === 'vm-busy') {
      rmSync(jobDirectory(id), { recursive: true })
      fail(failure)
    }
    if (entries.length > 0) return
    await sleep(20)
  }
  fail({ kind: 'timeout', what: `start of ${jobUnit(id)}`, afterMs: BEGIN_WITHIN_MS })
}
