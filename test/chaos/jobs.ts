import { STEPS } from '../../src/engine/capture/steps.ts'
import { RESTORE_STEPS } from '../../src/engine/restore/restore-plan.ts'
import type { RestoreMode } from '../../src/shared/model/job.ts'
import type { Method } from '../../src/shared/model/point.ts'
import type { VmKind } from './vms.ts'

/** `backup` by a method; `replace` puts a VM back in its own place, `copy` beside it, `elsewhere` on the other host. */
export type JobPlan =
  | { readonly kind: 'backup'; readonly method: Method }
  | { readonly kind: 'replace' | 'copy' | 'elsewhere'; readonly mode: RestoreMode }
  | { readonly kind: 'policy' }

export const isRestore = (job: JobPlan): job is Extract<JobPlan, { mode: RestoreMode }> => 'mode' in job

/** A copy cannot have the RAM of another VM. */
export const JOBS: readonly JobPlan[] = [
  ...(['live', 'disk', 'classic', 'offline'] as const).map((method) => ({ kind: 'backup' as const, method })),
  ...(['resume', 'boot', 'define'] as const).map((mode) => ({ kind: 'replace' as const, mode })),
  ...(['boot', 'define'] as const).map((mode) => ({ kind: 'copy' as const, mode })),
  ...(['resume', 'boot'] as const).map((mode) => ({ kind: 'elsewhere' as const, mode })),
  { kind: 'policy' }
]

/** For people, and for counting. */
export function jobName(job: JobPlan): string {
  if (job.kind === 'backup') return `${job.kind} ${job.method}`
  return job.kind === 'policy' ? job.kind : `${job.kind} ${job.mode}`
}

/** What of the VM a job has in its hands at a moment; what an owner may do then, and what comes of it, depends on that. */
export type Phase =
  /** The VM is as it was. */
  | 'before'
  | 'frozen'
  /** Its disks write to overlays. */
  | 'overlay'
  /** Its disks are mirrored while it runs. */
  | 'mirrored'
  /** The job has suspended it. */
  | 'suspended'
  /** It is nowhere but in a file of ours. */
  | 'in-file'
  /** It is off, and its disks are read. */
  | 'copying'
  /** The VM has its own disks again; the job goes on with its point. */
  | 'after'
  /** A restore has not touched the VM yet. */
  | 'untouched'
  /** The former VM has made way, the new one does not run yet. */
  | 'displaced'
  /** The new VM is there. */
  | 'restored'

/** A moment at which a job can be held: right after a step was announced, or after it was done but before that was noted. */
export interface Moment {
  readonly point: string
  readonly phase: Phase
}

const both = (step: string): string[] => [step, `${step}.done`]

/** From which point on a job is in which phase. */
const BEGINNINGS: Readonly<Record<string, Readonly<Record<string, Phase>>>> = {
  live: { 'begin-point': 'before', 'snapshot.done': 'overlay', 'fold-back.done': 'after' },
  disk: { 'begin-point': 'before', 'snapshot.done': 'overlay', 'fold-back.done': 'after' },
  frozen: {
    'begin-point': 'before',
    'freeze.done': 'frozen',
    'thaw.done': 'overlay',
    'fold-back.done': 'after'
  },
  classic: {
    'begin-point': 'before',
    'mirror.done': 'mirrored',
    'suspend.done': 'suspended',
    'save.done': 'in-file',
    'restore.done': 'after'
  },
  offline: { 'begin-point': 'copying', 'copy.done': 'after' },
  restore: { verify: 'untouched', 'displace.done': 'displaced', 'start.done': 'restored' },
  define: { verify: 'untouched', 'displace.done': 'displaced', 'define.done': 'restored' }
}

/** All moments of a job on such a VM, in their order. A policy's run cannot be held. */
export function momentsOf(job: JobPlan, vm: VmKind): readonly Moment[] {
  if (job.kind === 'policy') return []
  return job.kind === 'backup' ? momentsOfBackup(job.method, vm) : momentsOfRestore(job.mode)
}

function momentsOfBackup(method: Method, vm: VmKind): readonly Moment[] {
  const freezes = method === 'disk' && vm === 'pair'
  const steps = STEPS[method].filter((step) => freezes || (step !== 'freeze' && step !== 'thaw'))
  return phased(steps.flatMap(both), freezes ? 'frozen' : method)
}

function momentsOfRestore(mode: RestoreMode): readonly Moment[] {
  const steps = RESTORE_STEPS.filter((step) => mode !== 'define' || step !== 'start')
  return phased(steps.flatMap(both), mode === 'define' ? 'define' : 'restore')
}

function phased(points: readonly string[], kind: string): readonly Moment[] {
  const beginnings = BEGINNINGS[kind] ?? {}
  const unknown = Object.keys(beginnings).filter((point) => !points.includes(point))
  if (unknown.length > 0) throw new Error(`${kind} has no points ${unknown.join(', ')}`)
  let phase = beginnings[points[0] ?? '']
  return points.map((point) => {
    phase = beginnings[point] ?? phase
    if (phase === undefined) throw new Error(`${kind} has no phase at ${point}`)
    return { point, phase }
  })
}

/** On which VMs a job makes sense. */
export function fits(job: JobPlan, vm: VmKind): boolean {
  switch (job.kind) {
    case 'backup':
      return (job.method === 'offline') === (vm === 'off')
    case 'policy':
      return vm === 'plain' || vm === 'off'
    // Only this one's base point has RAM.
    case 'elsewhere':
    case 'replace':
      return job.mode === 'resume' ? vm === 'plain' : vm === 'plain' || vm === 'pair' || vm === 'off' || vm === 'media'
    case 'copy':
      return vm === 'plain' || vm === 'pair' || vm === 'off'
  }
}
