import type { RunReport, RunVm } from '../../src/shared/model/policy.ts'
import type { FakeData } from './fake-data.ts'

type Vm = FakeData['hosts'][number]['vms'][number]
const HOUR_MS = 3_600_000
const GIB = 1024 ** 3

export const stampedId = (at: Date, n: number): string =>
  `${at.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${n.toString(16).padStart(6, '0')}`

export interface RunOf {
  readonly host: string
  readonly policy: RunReport['policy']
  readonly vms: readonly Vm[]
  readonly at: Date
  readonly n: number
}

/** A run of a made-up policy that went well. */
export function goodRun({ host, policy, vms, at, n }: RunOf): RunReport {
  const startedAt = new Date(at.getTime() + 137_000)
  const id = stampedId(startedAt, n)
  return {
    id,
    policy,
    host,
    trigger: n % 7 === 3 ? 'manual' : 'timer',
    ...(n % 7 !== 3 && { scheduledFor: at.toISOString() }),
    startedAt: startedAt.toISOString(),
    endedAt: new Date(startedAt.getTime() + vms.length * 41_000).toISOString(),
    state: 'done',
    missed: [],
    missedCount: 0,
    vms: vms.map((vm, nth) => backedUp(vm, id, nth)),
    pruned: {
      trashed: vms.slice(0, 3).map(() => id),
      removed: [id],
      memoryDropped: [],
      freedBytes: 11 * GIB,
      refused: []
    },
    told: [{ channel: 'mail', ok: true, text: 'ops@example.org' }],
    nextRunAt: new Date(at.getTime() + 24 * HOUR_MS).toISOString(),
    warnings: []
  }
}

const backedUp = ({ uuid, name, state, ramBytes }: Vm, id: string, nth: number): RunVm => ({
  vm: { uuid, name },
  outcome: 'done',
  job: id,
  point: id,
  method: state === 'running' ? 'live' : 'offline',
  sizeBytes: ramBytes + nth * GIB,
  ...(state === 'running' && { pauseMs: 31 + nth * 3 }),
  durationMs: 18_000 + nth * 4000
})

/** The same, when much of it went wrong. */
export function badRun(of: RunOf): RunReport {
  const run = goodRun(of)
  return {
    ...run,
    trigger: 'timer',
    scheduledFor: of.at.toISOString(),
    state: 'failed',
    missed: [1, 2, 3].map((n) => ({
      at: new Date(of.at.getTime() - n * 24 * HOUR_MS).toISOString(),
      reason: 'the host was off'
    })),
    missedCount: 64,
    vms: run.vms.map((vm, nth) => troubled(vm, nth)),
    pruned: {
      trashed: [],
      removed: [],
      memoryDropped: [],
      freedBytes: 0,
      refused: ['the clock of this host is not sane: it is behind its own newest point']
    },
    told: [
      { channel: 'mail', ok: false, text: 'mail.example.org:587 does not answer; it is tried again' },
      { channel: 'webhook', ok: true, text: 'https://ntfy.example.org' }
    ],
    warnings: ['The command before wrote nothing for 50 s']
  }
}

function troubled(vm: RunVm, nth: number): RunVm {
  const { point: _point, sizeBytes: _size, pauseMs: _pause, ...rest } = vm
  if (nth % 4 === 0)
    return {
      ...rest,
      outcome: 'failed',
      failure: {
        kind: 'no-room',
        path: '/var/lib/stillpoint/points',
        forWhat: 'the point',
        neededBytes: 40 * GIB,
        freeBytes: 3 * GIB
      }
    }
  if (nth % 4 === 1) return { ...rest, outcome: 'skipped', reason: 'the hours in which backups begin were over' }
  return nth % 4 === 2 ? { ...vm, outcome: 'done-with-warnings' } : vm
}

/** In the middle of its VMs. */
export function runningRun(of: RunOf, trigger: RunReport['trigger']): RunReport {
  const { endedAt: _end, pruned: _pruned, nextRunAt: _next, scheduledFor: _wanted, ...run } = goodRun(of)
  return {
    ...run,
    trigger,
    state: 'running',
    told: [],
    vms: run.vms.map((vm, n) => {
      const { point: _point, sizeBytes: _size, pauseMs: _pause, durationMs: _took, ...rest } = vm
      return n === 0 ? vm : { ...rest, outcome: n === 1 ? 'running' : 'waiting' }
    })
  }
}
