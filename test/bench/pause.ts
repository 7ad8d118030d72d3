import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { backupSpec, type BareEngine } from '../lab/bare-engine.ts'
import type { Guest } from '../lab/guest.ts'
import type { LabHost } from '../lab/host.ts'
import { median } from './table.ts'

export interface PauseRow {
  readonly ramMiB: number
  readonly rewriteMiBps: number
  readonly live: readonly number[]
  readonly classic: readonly number[]
  readonly engineMiB: number
}

/** Fraction of RAM that the guest rewrites: 1.2 GiB of 2 GiB, as `facts.md` measured by hand. */
const REWRITTEN = 0.6

/** Pauses of both methods for one size of guest and rate of rewriting; each run's point is deleted at once. */
export async function measurePauses(
  host: LabHost,
  engine: BareEngine,
  size: { ramMiB: number; rewriteMiBps: number; runs: number; classicRuns: number }
): Promise<PauseRow> {
  const { ramMiB, rewriteMiBps } = size
  const rewrite = { mib: Math.floor(ramMiB * REWRITTEN), mibPerSecond: rewriteMiBps }
  const guest = await host.defineGuest({
    name: `bench-${ramMiB}-${rewriteMiBps}`,
    ramMiB,
    tickMs: 25,
    ...(rewriteMiBps > 0 && { rewrite })
  })
  try {
    await guest.start()
    await guest.waitForTick(20)
    if (rewriteMiBps > 0) await guest.waitForRewriting(300_000)
    let engineMiB = 0
    const once = async (method: 'live' | 'classic'): Promise<number> => {
      const report = await runWatched(engine, guest, method, (mib) => (engineMiB = Math.max(engineMiB, mib)))
      return report
    }
    const live: number[] = []
    const classic: number[] = []
    for (let run = 0; run < size.runs; run++) live.push(await once('live'))
    for (let run = 0; run < size.classicRuns; run++) classic.push(await once('classic'))
    return { ramMiB, rewriteMiBps, live, classic, engineMiB }
  } finally {
    await guest.destroy()
    await guest.undefine()
  }
}

async function runWatched(
  engine: BareEngine,
  guest: Guest,
  method: 'live' | 'classic',
  onMemory: (mib: number) => void
): Promise<number> {
  const id = await engine.submit(backupSpec(guest, { method }))
  const watch = setInterval(() => void engineMemoryMiB(engine.host, id).then(onMemory), 200)
  try {
    const report = await engine.ask('follow', { id, from: Number.MAX_SAFE_INTEGER }, 600_000)
    if (report.point === undefined) throw new Error(`${method} backup failed: ${JSON.stringify(report.failure)}`)
    await engine.ask('delete', { store: DEFAULT_STORE, point: report.point })
    return report.pauseMs
  } finally {
    clearInterval(watch)
  }
}

/** Most memory that the job's own process has had so far. */
async function engineMemoryMiB(host: LabHost, id: string): Promise<number> {
  const { stdout } = await host.run(
    `grep VmHWM /proc/$(systemctl show -p MainPID --value stillpoint-job-${id}.service)/status 2>/dev/null`
  )
  return Number(/(\d+) kB/.exec(stdout)?.[1] ?? 0) / 1024
}

export const row = ({ ramMiB, rewriteMiBps, live, classic, engineMiB }: PauseRow): string[] => [
  `${ramMiB} MiB`,
  `${rewriteMiBps} MB/s`,
  `${median(live).toFixed(0)} ms`,
  `${Math.min(...live).toFixed(0)}–${Math.max(...live).toFixed(0)} ms (${live.length})`,
  `${median(classic).toFixed(0)} ms (${classic.length})`,
  `${(median(classic) / median(live)).toFixed(0)} x`,
  `${engineMiB.toFixed(0)} MiB`
]
