import { fail } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { commandFailed, saysNotActive, virsh } from './virsh.ts'
import { exact, wholeNumber } from './numbers.ts'

/** A job that has the whole domain: save, restore, snapshot with RAM, migration, dump, backup. */
export interface DomainJob {
  readonly operation: DomainJobOperation
  readonly elapsedMs: number
  /** RAM: all zero until QEMU has begun. */
  readonly memory: MemoryJob
  /** As QEMU counts it, or expects it while the job runs. */
  readonly downtimeMs: number | undefined
}

export interface MemoryJob {
  /** Written so far, repeated passes included. */
  readonly processedBytes: number
  readonly remainingBytes: number
  readonly totalBytes: number
  /** Rate of writing. */
  readonly bytesPerSecond: number
  /** Rate at which the guest rewrites pages, as of the last pass. */
  readonly dirtyBytesPerSecond: number
  /** Passes over RAM begun: 1 is the first, whole one. */
  readonly iteration: number
}

/** virDomainJobOperation, in its order. */
const OPERATIONS = [
  'unknown',
  'start',
  'save',
  'restore',
  'incoming migration',
  'outgoing migration',
  'snapshot',
  'snapshot revert',
  'dump',
  'backup',
  'snapshot delete'
] as const
export type DomainJobOperation = (typeof OPERATIONS)[number]

/** The domain's job. Undefined if none runs, the domain is off, or not known. */
export const jobInfo = (shell: Shell, uuid: Uuid): Promise<DomainJob | undefined> => askForJob(shell, uuid, [])

/**
 * The job that ended last; the answer stays for the next who asks. Undefined if libvirt remembers none: it forgets with
 * the QEMU process.
 */
export const completedJob = (shell: Shell, uuid: Uuid): Promise<DomainJob | undefined> =>
  askForJob(shell, uuid, ['--completed', '--keep-completed'])

async function askForJob(shell: Shell, uuid: Uuid, flags: readonly string[]): Promise<DomainJob | undefined> {
  const result = await virsh(shell, ['domjobinfo', uuid, '--rawstats', ...flags], { expect: [0, 1] }) // 1: not running
  if (result.exitCode === 0) return parseJob(result.stdout)
  return saysNotActive(result.stderr) ? undefined : commandFailed(`virsh domjobinfo ${uuid}`, result)
}

/** Whole milliseconds for which QEMU itself counts the guest as stopped; libvirt's own share is not in it. */
export const completedDowntimeMs = async (shell: Shell, uuid: Uuid): Promise<number | undefined> =>
  (await completedJob(shell, uuid))?.downtimeMs

/** `domjobinfo --rawstats`: bytes as they are, where the form for people rounds them. */
export function parseJob(text: string): DomainJob | undefined {
  const type = /^Job type:\s+(\d+)\s*$/m.exec(text)?.[1]
  if (type === undefined) return fail({ kind: 'bad-output', what: 'virsh domjobinfo', detail: text.slice(0, 200) })
  if (type === '0') return undefined
  const stats = new Map(
    [...text.matchAll(/^([a-z_]+): (\d+)$/gm)].map(([, name, value]) => [name, wholeNumber(value, 0)])
  )
  const stat = (name: string): number => stats.get(name) ?? 0
  return {
    operation: OPERATIONS[stat('operation')] ?? 'unknown',
    elapsedMs: stat('time_elapsed'),
    downtimeMs: stats.get('downtime'),
    memory: {
      processedBytes: stat('memory_processed'),
      remainingBytes: stat('memory_remaining'),
      totalBytes: stat('memory_total'),
      bytesPerSecond: stat('memory_bps'),
      dirtyBytesPerSecond: exact(stat('memory_dirty_rate') * (stat('memory_page_size') || 4096)),
      iteration: stat('memory_iteration')
    }
  }
}

const NO_JOB = /no job is active/

/** Asks libvirt to give the job up; its guest goes on. False if there was none. Returns before the job is over. */
export async function abortJob(shell: Shell, uuid: Uuid): Promise<boolean> {
  const result = await virsh(shell, ['domjobabort', uuid], { expect: [0, 1] }) // 1: no job
  if (result.exitCode === 0) return true
  return NO_JOB.test(result.stderr) ? false : commandFailed(`virsh domjobabort ${uuid}`, result)
}

/**
 * The longest final pause that QEMU may plan. It stays for the life of this QEMU process.
 * False if libvirt did not take it, as in the first moments of a job, or without one.
 */
export async function setMaxDowntime(shell: Shell, uuid: Uuid, milliseconds: number): Promise<boolean> {
  const whole = String(Math.max(1, Math.round(milliseconds)))
  const result = await virsh(shell, ['migrate-setmaxdowntime', uuid, whole], { expect: [0, 1] }) // 1: not taken
  return result.exitCode === 0
}

/** The longest final pause that QEMU may plan at present. Undefined where libvirt does not say. */
export async function maxDowntimeMs(shell: Shell, uuid: Uuid): Promise<number | undefined> {
  const result = await virsh(shell, ['migrate-getmaxdowntime', uuid], { expect: [0, 1] }) // 1: not running
  return result.exitCode === 0 ? wholeNumber(result.stdout.trim(), undefined) : undefined
}
