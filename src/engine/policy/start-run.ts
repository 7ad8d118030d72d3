import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import { runUnit } from '../../shared/host-paths.ts'
import { newTimeSortedId } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { expectZero } from '../expect-zero.ts'
import { engineCommand } from '../jobs/engine-command.ts'
import { knownProperties } from '../jobs/known-properties.ts'
import { isOverInShell, LIBVIRT_UNITS, takeUpUnless } from '../jobs/recover-units.ts'
import { readPolicy } from './policy-file.ts'
import { serviceProperties } from './policy-units.ts'
import { readRun, runDirectory } from './run-files.ts'
import { goingRuns } from './recover-runs.ts'

/** Starts a run by hand and returns when it has begun. If one of this policy goes on already, that is the one. */
export async function startRun(shell: Shell, id: string): Promise<{ run: string }> {
  const policy = await readPolicy(id)
  const [going] = await goingRuns(id)
  if (going !== undefined) return { run: going.id }
  const run = newTimeSortedId(new Date(), randomBytes)
  const order = `After=${LIBVIRT_UNITS} libvirt-guests.service`
  const properties = [
    'Type=exec',
    order,
    ...serviceProperties(policy.id),
    takeUpUnless(isOverInShell(runDirectory(run)))
  ]
  const known = (await knownProperties(shell, properties)).flatMap((property) => ['-p', property])
  const options = [`--unit=${runUnit(run)}`, '--collect', '--quiet', ...known]
  await expectZero(shell, ['systemd-run', ...options, '--', ...engineCommand(), 'run-policy', policy.id, run])
  await begun(run)
  return { run }
}

const BEGIN_WITHIN_MS = 60_000

async function begun(run: string): Promise<void> {
  const deadline = performance.now() + BEGIN_WITHIN_MS
  while (readRun(run) === undefined) {
    if (performance.now() > deadline)
      fail({ kind: 'timeout', what: `start of ${runUnit(run)}`, afterMs: BEGIN_WITHIN_MS })
    await sleep(20)
  }
}
