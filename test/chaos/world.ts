import type { Phase } from './jobs.ts'
import { TRAITS, type VmKind } from './vms.ts'

/** `saved-to-file`: by `virsh save`; libvirt then knows a VM that is off, or none. `moved`: it lives on the other host. */
export type Power = 'running' | 'paused' | 'off' | 'managed-saved' | 'saved-to-file' | 'moved'
export type Medium = 'first' | 'second'

/** One VM as its owner wants it: what has to be so when all jobs are over. */
export interface World {
  readonly power: Power
  /** Would be right as well. */
  readonly mayAlso?: Power
  /** libvirt of this host keeps a definition of it. */
  readonly isDefined: boolean
  /** It may also have none. */
  readonly mayBeTransient?: true
  /** `same`: its ticks go on without a gap since the round began, on one boot. */
  readonly boot: 'same' | 'any'
  /** Targets that it has while it runs, and those that it starts with next. */
  readonly live: readonly string[]
  readonly next: readonly string[]
  readonly liveMedium?: Medium
  readonly nextMedium?: Medium
  readonly name: 'own' | 'other'
  /** Of others, as libvirt's metadata have them. */
  readonly snapshots: readonly ('inside' | 'beside')[]
  readonly checkpoint: boolean
  /** Another tool reads a backup of it, until it ends that itself. */
  readonly othersBackup: boolean
  /** What was copied is of no single instant: no point may come of it. */
  readonly torn: boolean
  /** Nobody but a person can end this well: a job may say so. */
  readonly needsPerson: boolean
  /** A job is about it that began while it ran: a fault does not end it for good. */
  readonly comesBack: boolean
}

export function worldOf(vm: VmKind): World {
  const { runs, isDefined, disks, hasDrive } = TRAITS[vm]
  const targets = disks.map(({ target }) => target)
  return {
    power: runs ? 'running' : 'off',
    isDefined,
    boot: 'same',
    live: targets,
    next: isDefined ? targets : [],
    ...(hasDrive && { liveMedium: 'first', nextMedium: 'first' }),
    name: 'own',
    snapshots: [],
    checkpoint: false,
    othersBackup: false,
    torn: false,
    needsPerson: false,
    comesBack: runs
  }
}

/** What somebody does to a VM while a job has it. */
export interface Act {
  /** Phases of a job in which it makes sense. */
  readonly at: readonly Phase[]
  readonly when: (world: World, vm: VmKind, phase: Phase) => boolean
  /** How the owner's world is afterwards, if libvirt did not refuse it. */
  readonly then: (world: World, phase: Phase) => World
}

const RUNNING: readonly Phase[] = ['before', 'overlay', 'mirrored', 'after', 'untouched', 'restored']
const HELD: readonly Phase[] = [...RUNNING, 'frozen', 'suspended']
const ANY: readonly Phase[] = [...RUNNING, 'copying']

const runs = ({ power }: World): boolean => power === 'running'
const isOff = ({ power, isDefined }: World): boolean => power === 'off' && isDefined
/** Others' work on disks leaves no room for theirs. */
const isPlain = (world: World): boolean => runs(world) && world.snapshots.length === 0 && !world.othersBackup
const allQcow2 = (vm: VmKind): boolean => TRAITS[vm].disks.every(({ format }) => format === 'qcow2')

/** What libvirt knew of a VM without a definition it forgets with its end. */
const ended = (world: World, power: Power): World => ({
  ...world,
  power,
  othersBackup: false,
  checkpoint: world.checkpoint && world.isDefined
})
const with_ = (targets: readonly string[], target: string): string[] => [...targets, target].sort()
const without = (targets: readonly string[], target: string): string[] => targets.filter((other) => other !== target)
/** What another's backup or checkpoint, or a snapshot inside an overlay of ours, makes of our overlay is for a person to say. */
const inOverlay = (phase: Phase): boolean => phase === 'overlay' || phase === 'frozen'

export const HOT_DISK = 'vdc'

export const ACTS = {
  shutdown: { at: RUNNING, when: runs, then: (world) => ended(world, 'off') },
  reboot: { at: RUNNING, when: runs, then: (world) => ({ ...world, boot: 'any' }) },
  destroy: { at: HELD, when: (world) => runs(world) || world.power === 'paused', then: (world) => ended(world, 'off') },
  'qemu-killed': { at: HELD, when: runs, then: (world) => afterCrash(world) },
  managedsave: {
    at: RUNNING,
    when: (world) => runs(world) && world.isDefined,
    then: (world) => ended(world, 'managed-saved')
  },
  save: {
    at: RUNNING,
    when: runs,
    then: (world, phase) => ({ ...ended(world, 'saved-to-file'), needsPerson: world.needsPerson || inOverlay(phase) })
  },
  suspend: { at: RUNNING, when: runs, then: (world) => ({ ...world, power: 'paused' }) },
  resume: { at: RUNNING, when: ({ power }) => power === 'paused', then: (world) => ({ ...world, power: 'running' }) },
  'resume-ours': { at: ['suspended'], when: runs, then: (world) => world },
  start: {
    at: [...ANY, 'in-file'],
    when: (world, _vm, phase) =>
      phase === 'in-file'
        ? world.isDefined && runs(world) && world.boot === 'same'
        : isOff(world) || world.power === 'managed-saved',
    then: (world, phase) => ({
      ...(phase === 'in-file' || world.power === 'off' ? startedAnew(world) : world),
      power: 'running'
    })
  },
  migrate: {
    at: ['before', 'overlay', 'after'],
    when: (world, vm) => vm === 'shared' && isPlain(world),
    then: (world, phase) => ({ ...ended(world, 'moved'), needsPerson: world.needsPerson || inOverlay(phase) })
  },
  'migrate-undefine': {
    at: ['before', 'overlay', 'after'],
    when: (world, vm) => vm === 'shared' && isPlain(world),
    then: (world, phase) => ({
      ...ended(world, 'moved'),
      isDefined: false,
      next: [],
      needsPerson: world.needsPerson || inOverlay(phase)
    })
  },
  undefine: {
    at: ANY,
    when: (world) => world.isDefined && (runs(world) || isOff(world)) && world.snapshots.length === 0,
    then: (world, phase) => ({
      ...world,
      isDefined: false,
      next: [],
      snapshots: [],
      // libvirt takes no checkpoint from a VM that runs, whatever it was asked to.
      checkpoint: world.checkpoint && runs(world),
      // libvirt 9.0 writes the definition again, with the overlay of a disk that only the running VM has lost.
      needsPerson: world.needsPerson || (inOverlay(phase) && world.next.some((target) => !world.live.includes(target)))
    })
  },
  rename: {
    at: ANY,
    when: (world) => isOff(world) && world.name === 'own' && world.snapshots.length === 0 && !world.checkpoint,
    then: (world) => ({ ...world, name: 'other' })
  },
  'attach-live': {
    at: RUNNING,
    when: (world) => runs(world) && !has(world, HOT_DISK),
    then: (world) => ({ ...world, live: with_(world.live, HOT_DISK) })
  },
  'attach-config': {
    at: ANY,
    when: (world) => world.isDefined && !has(world, HOT_DISK) && (runs(world) || isOff(world)),
    then: (world) => ({ ...world, next: with_(world.next, HOT_DISK) })
  },
  'attach-both': {
    at: RUNNING,
    when: (world) => runs(world) && world.isDefined && !has(world, HOT_DISK),
    then: (world) => ({ ...world, live: with_(world.live, HOT_DISK), next: with_(world.next, HOT_DISK) })
  },
  'detach-live': {
    at: RUNNING,
    when: (world) => runs(world) && world.live.includes('vdb'),
    then: (world) => ({ ...world, live: without(world.live, 'vdb') })
  },
  'detach-config': {
    at: ANY,
    when: (world) => world.isDefined && world.next.includes('vdb') && (runs(world) || isOff(world)),
    then: (world) => ({ ...world, next: without(world.next, 'vdb') })
  },
  'detach-both': {
    at: RUNNING,
    when: (world) => runs(world) && world.live.includes('vdb') && world.next.includes('vdb'),
    then: (world) => ({ ...world, live: without(world.live, 'vdb'), next: without(world.next, 'vdb') })
  },
  'media-eject': {
    at: RUNNING,
    when: (world) => runs(world) && world.liveMedium !== undefined,
    then: ({ liveMedium: _, ...world }) => world
  },
  'media-insert': {
    at: RUNNING,
    when: (world, vm) => runs(world) && TRAITS[vm].hasDrive && world.liveMedium !== 'second',
    then: (world) => ({ ...world, liveMedium: 'second' })
  },
  'snapshot-inside': {
    at: ['before', 'overlay', 'after', 'untouched'],
    when: (world, vm) => isPlain(world) && world.isDefined && allQcow2(vm) && world.live.length === 1,
    then: (world, phase) => ({
      ...world,
      snapshots: ['inside'],
      needsPerson: world.needsPerson || inOverlay(phase)
    })
  },
  'snapshot-beside': {
    at: ['before', 'overlay', 'after', 'untouched'],
    when: (world) => isPlain(world) && world.isDefined && world.live.length === 1 && world.next.length === 1,
    then: (world, phase) => ({
      ...world,
      snapshots: ['beside'],
      needsPerson: world.needsPerson || inOverlay(phase)
    })
  },
  'commit-by-hand': {
    at: ['overlay'],
    when: (world) => isPlain(world) && world.live.includes('vda'),
    then: (world) => ({ ...world, torn: true })
  },
  'abort-mirror': { at: ['mirrored'], when: isPlain, then: (world) => world },
  'others-backup': {
    at: ['before', 'overlay', 'after', 'untouched'],
    when: isPlain,
    then: (world) => ({ ...world, othersBackup: true })
  },
  'others-checkpoint': {
    at: ['before', 'overlay', 'after', 'untouched'],
    when: (world, vm) => isPlain(world) && world.isDefined && allQcow2(vm) && !world.checkpoint,
    then: (world) => ({ ...world, checkpoint: true })
  }
} as const satisfies Record<string, Act>

export type ActKind = keyof typeof ACTS
export const ACT_KINDS = Object.keys(ACTS) as readonly ActKind[]

const has = (world: World, target: string): boolean => world.live.includes(target) || world.next.includes(target)

export const canAct = (kind: ActKind, world: World, vm: VmKind, phase: Phase): boolean => {
  const act: Act = ACTS[kind]
  return act.at.includes(phase) && act.when(world, vm, phase)
}

export const afterAct = (kind: ActKind, world: World, phase: Phase): World => (ACTS[kind] as Act).then(world, phase)

/** QEMU died. What its host or QEMU ended is started again where a job is responsible for it; libvirt forgets a transient VM. */
function afterCrash(world: World): World {
  if (!world.isDefined || !world.comesBack) return ended(world, 'off')
  return startedAnew(ended(world, 'running'))
}

/** With what its definition says. */
export function startedAnew({ liveMedium: _, ...world }: World): World {
  const { next: live, nextMedium } = world
  return { ...world, boot: 'any', live, ...(nextMedium !== undefined && { liveMedium: nextMedium }) }
}

/** A libvirtd that starts while another tool's backup goes on may write a definition of a VM that has none (libvirt 9.0). */
export function afterRestart(world: World): World {
  if (!world.othersBackup || world.isDefined) return world
  const { nextMedium: _, ...rest } = world
  const { live: next, liveMedium } = world
  return {
    ...rest,
    isDefined: true,
    mayBeTransient: true,
    next,
    ...(liveMedium !== undefined && { nextMedium: liveMedium })
  }
}

/** The host lost its power. */
export function afterReset(world: World): World {
  if (world.power === 'running') return afterCrash(world)
  if (world.power === 'paused') return { ...afterCrash(world), mayAlso: 'off' }
  return world
}
