import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

export interface DomainJob {
  readonly operation: string
  readonly memory: {
    readonly processedBytes: number
    readonly remainingBytes: number
    readonly bytesPerSecond: number
    readonly iteration: number
  }
}

/** The job that libvirt runs for this domain as a whole (save, snapshot, backup, migration), or undefined. */
export async function jobInfo(shell: Shell, uuid: Uuid): Promise<DomainJob | undefined> {
  const { stdout, exitCode } = await virsh(shell, ['domjobinfo', uuid, '--rawstats'], { expect: [0, 1] }) // 1: off, or unknown
  const { stdout: plain } = await virsh(shell, ['domjobinfo', uuid], { expect: [0, 1] })
  const type = /^Job type: +(\S+)/m.exec(plain)?.[1]
  if (exitCode !== 0 || type === undefined || type === 'None') return undefined
  const number = (key: string): number => Number(new RegExp(`^${key}: (\\d+)`, 'm').exec(stdout)?.[1] ?? 0)
  return {
    operation: /^Operation: +(.*)$/m.exec(plain)?.[1]?.trim() ?? 'unknown',
    memory: {
      processedBytes: number('memory_processed'),
      remainingBytes: number('memory_remaining'),
      bytesPerSecond: number('memory_bps'),
      iteration: number('memory_iteration')
    }
  }
}

/** Gives the job up; the guest goes on. */
export async function abortJob(shell: Shell, uuid: Uuid): Promise<void> {
  await virsh(shell, ['domjobabort', uuid])
}

/** How long the guest may stand still at the end. False while QEMU does not take it: the job has not begun, or is over. */
export async function setMaxDowntime(shell: Shell, uuid: Uuid, pauseMs: number): Promise<boolean> {
  const { exitCode } = await virsh(shell, ['migrate-setmaxdowntime', uuid, String(Math.max(1, Math.round(pauseMs)))], { expect: [0, 1] })
  return exitCode === 0
}

/** What QEMU itself counted for the last job, if it did. */
export async function completedDowntimeMs(shell: Shell, uuid: Uuid): Promise<number | undefined> {
  const { stdout } = await virsh(shell, ['domjobinfo', uuid, '--completed', '--keep-completed'], { expect: [0, 1] })
  const ms = /^Total downtime: +(\d+) +ms/m.exec(stdout)?.[1]
  return ms === undefined ? undefined : Number(ms)
}
