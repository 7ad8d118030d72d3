import type { Method } from './model/point.ts'
import type { HostView, VmView } from './views/host-view.ts'
import type { BackupQuestion, Estimate, JobView } from './views/job-view.ts'
import { classicPauseMs } from './estimate.ts'
import { isOfVm } from './told-by.ts'

/** What was measured on the lab: reading RAM and disks into a point, hashing included. */
const COPY_BYTES_PER_SECOND = 300 * 1024 ** 2
/** A guest that works rewrites this much of its RAM while it is saved. */
const MEMORY_SHARE = { low: 0.3, high: 1.3 }
const OVERHEAD_MS = 2500
const LIVE_PAUSE_MS = { low: 25, high: 90 }
const DISK_PAUSE_MS = { low: 5, high: 60 }
/** Of what the VM's disks hold: what it may write anew while they are copied. */
const OVERLAY_SHARE = 0.05
const SAMPLES = 10

type Range = Estimate['pauseMs']

/** What a backup of this VM would cost, from earlier ones on its host by the same method where there are any, else from sizes. */
export function estimateBackup(
  question: BackupQuestion,
  { host, vm, jobs }: { readonly host: HostView; readonly vm: VmView; readonly jobs: readonly JobView[] }
): Estimate {
  const { method, methodReason } = methodFor(question.method, vm)
  const hasMemory = method === 'live' || method === 'classic'
  const excluded = question.excludeDisks ?? []
  const disks = vm.disks.filter(({ device, target }) => device === 'disk' && !excluded.includes(target))
  const diskBytes = disks.reduce(
    (sum, { allocationBytes, capacityBytes }) => sum + (allocationBytes ?? capacityBytes ?? 0),
    0
  )
  const earlier = jobs
    .filter((job) => job.kind === 'backup' && isOfVm(job, host.name, vm.uuid) && job.method === method && isDone(job))
    .slice(0, SAMPLES)
  const memoryBytes = hasMemory ? vm.ramBytes : 0
  const sizeBytes = earlier[0]?.sizeBytes ?? diskBytes + memoryBytes
  const bySize = { low: diskBytes + memoryBytes * MEMORY_SHARE.low, high: diskBytes + memoryBytes * MEMORY_SHARE.high }
  const neededBytes = Math.round(bySize.high + diskBytes * OVERLAY_SHARE)
  const freeBytes = question.store === undefined ? host.facts?.store?.freeBytes : undefined
  return {
    method,
    methodReason,
    pauseMs: spread(earlier.map(({ pauseMs }) => pauseMs)) ?? pauseFor(method, vm),
    durationMs: spread(earlier.map(durationOf)) ?? {
      low: OVERHEAD_MS + (bySize.low / COPY_BYTES_PER_SECOND) * 1000,
      high: OVERHEAD_MS + (bySize.high / COPY_BYTES_PER_SECOND) * 3000
    },
    sizeBytes,
    neededBytes,
    ...(freeBytes !== undefined && { freeBytes }),
    classicPauseMs: classicPauseMs(vm.ramBytes),
    samples: earlier.length,
    remarks: remarksOn({ method, vm, neededBytes, freeBytes, disks: disks.length })
  }
}

const isDone = ({ state }: JobView): boolean => state === 'done' || state === 'done-with-warnings'
const durationOf = ({ startedAt, endedAt }: JobView): number =>
  endedAt === undefined ? 0 : Date.parse(endedAt) - Date.parse(startedAt)

/** The host decides in the end: it also knows the VM's devices. */
function methodFor(asked: Method | undefined, { state }: VmView): Pick<Estimate, 'method' | 'methodReason'> {
  if (asked !== undefined) return { method: asked, methodReason: 'as you chose' }
  if (state === 'running' || state === 'idle')
    return { method: 'live', methodReason: 'the VM runs: its RAM and disks are taken at one instant' }
  if (state === 'shut off') return { method: 'offline', methodReason: 'the VM is shut off: only its disks are taken' }
  if (state === 'paused') return { method: 'classic', methodReason: 'the VM is paused: its RAM is saved and put back' }
  return { method: 'disk', methodReason: `the VM is ${state}: only its disks are taken` }
}

function pauseFor(method: Method, vm: VmView): Range {
  if (method === 'offline') return { low: 0, high: 0 }
  if (method === 'classic') return { low: classicPauseMs(vm.ramBytes) * 0.5, high: classicPauseMs(vm.ramBytes) * 1.5 }
  return method === 'live' ? LIVE_PAUSE_MS : DISK_PAUSE_MS
}

/** The smallest and the largest of what was measured; undefined without any. */
const spread = (values: readonly number[]): Range | undefined =>
  values.length === 0 ? undefined : { low: Math.min(...values), high: Math.max(...values) }

interface Remarked {
  readonly method: Method
  readonly vm: VmView
  readonly neededBytes: number
  readonly freeBytes: number | undefined
  readonly disks: number
}

function remarksOn({ method, vm, neededBytes, freeBytes, disks }: Remarked): string[] {
  const remarks: string[] = []
  if (freeBytes !== undefined && freeBytes < neededBytes)
    remarks.push('There may be too little room in the store: choose another one, or delete points first.')
  if (disks === 0) remarks.push('No disk would be in the point.')
  if (method === 'disk' && vm.agent !== 'connected')
    remarks.push('Without a guest agent the file systems are taken as after a power cut; they recover when booted.')
  return [...remarks, ...(vm.limits ?? []).map((limit) => `${limit}.`)]
}
