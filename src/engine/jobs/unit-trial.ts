import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { RUN_DIR, STATE_DIR } from '../../shared/host-paths.ts'
import type { Shell } from '../../shared/shell.ts'
import { virsh } from '../../libvirt/virsh.ts'
import { expectZero } from '../expect-zero.ts'
import { engineCommand } from './engine-command.ts'
import { knownProperties } from './known-properties.ts'
import { JOB_PROPERTIES } from './submit.ts'
import { lookForObstacle, type UnitObstacle } from './unit-obstacle.ts'

const TRIAL_MS = 90_000

/**
 * Starts the engine once as jobs, policies and recovery are started: by the host's systemd, with a job's settings. A host may
 * let a login run what its systemd may not. Undefined: nothing stands in the way.
 */
export async function unitObstacle(shell: Shell): Promise<UnitObstacle | undefined> {
  const unit = `stillpoint-trial-${randomBytes(4).toString('hex')}.service`
  const properties = await knownProperties(shell, [...JOB_PROPERTIES, 'ExecStopPost=-/bin/true'])
  const options = [`--unit=${unit}`, '--wait', '--collect', '--quiet', ...properties.flatMap((each) => ['-p', each])]
  try {
    // libvirt that is down for everybody is no matter of units, and no reason to lose the way to the host.
    const asks = await virsh(shell, ['version']).then(
      () => [],
      () => [WITHOUT_LIBVIRT]
    )
    const argv = ['systemd-run', ...options, '--', ...engineCommand(), 'unit-trial', ...asks] as const
    const result = await shell.run([...argv], { timeoutMs: TRIAL_MS })
    return result.exitCode === 0 ? undefined : await lookForObstacle(shell, unit, result)
  } catch (error) {
    await shell.run(['systemctl', 'stop', '--no-block', unit])
    throw error
  }
}

const WITHOUT_LIBVIRT = 'without-libvirt'

/** As that unit: what every job needs first. @throws what stands in its way */
export async function tryAsUnit(shell: Shell, how: string): Promise<void> {
  for (const dir of [STATE_DIR, RUN_DIR]) {
    const path = `${dir}/.trial-${process.pid}`
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    writeFileSync(path, '')
    rmSync(path)
  }
  if (how !== WITHOUT_LIBVIRT) await virsh(shell, ['version'])
  await expectZero(shell, ['qemu-img', '--version'])
}
