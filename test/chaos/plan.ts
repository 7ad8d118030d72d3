import { fits, isRestore, JOBS, jobName, momentsOf, type JobPlan, type Moment, type Phase } from './jobs.ts'
import { phaseOfActs, worldAt } from './outcome.ts'
import { Random } from './random.ts'
import { VM_KINDS, type VmKind } from './vms.ts'
import { ACT_KINDS, afterAct, canAct, type ActKind } from './world.ts'

/** What else goes on while a job is held: a second controller wants the VM, somebody looks after the host's points. */
export const SIDE_KINDS = ['second-controller', 'doctor', 'verify', 'delete', 'copy', 'copy-cut'] as const
export type SideKind = (typeof SIDE_KINDS)[number]

/** How a job that was held goes on. */
export const ENDINGS = ['release', 'cancel', 'kill', 'term', 'throw'] as const
export type Ending = (typeof ENDINGS)[number]

/** What befalls a whole host once all its jobs are held; and no room, on the file system of one job. */
export const HOST_FAULTS = ['libvirtd-killed', 'libvirtd-restarted', 'libvirtd-stopped', 'power-cut'] as const
export type HostFault = (typeof HOST_FAULTS)[number]
export const ROOM_FAULTS = ['store-full', 'images-full'] as const
export type RoomFault = (typeof ROOM_FAULTS)[number]

/** One VM, the job that works on it, and all that comes in between. */
export interface Scene {
  readonly vm: VmKind
  readonly job: JobPlan
  /** Where the job is held. Undefined: it cannot be. */
  readonly moment?: Moment
  readonly acts: readonly ActKind[]
  readonly side?: SideKind
  readonly room?: RoomFault
  readonly ending: Ending
  /** The engine is killed at a later point of a job that was let go. */
  readonly laterKill?: string
  /** The engine is killed once more, at so many steps of its undo. */
  readonly undoKill?: number
}

export const HOSTS = ['first', 'second'] as const
export type HostKey = (typeof HOSTS)[number]
export const otherHost = (host: HostKey): HostKey => (host === 'first' ? 'second' : 'first')

export interface HostPlan {
  readonly host: HostKey
  readonly scenes: readonly Scene[]
  /** A VM that no job has. */
  readonly bystander: VmKind
  readonly fault?: HostFault
}

export interface RoundPlan {
  readonly seed: number
  readonly round: number
  readonly hosts: readonly HostPlan[]
}

const SCENES_PER_HOST = 2

/** What happens in a round depends on seed and round alone: `--seed N --round K` does one again. */
export function planRound(seed: number, round: number): RoundPlan {
  const hosts = HOSTS.map((host) => planHost(new Random(seed, round, host), host))
  return { seed, round, hosts: hosts.map((plan) => (needsOther(plan, hosts) ? withoutPowerCut(plan) : plan)) }
}

/** Loses no power while the other host counts on it. */
const needsOther = ({ host }: HostPlan, all: readonly HostPlan[]): boolean =>
  all.some((plan) => plan.scenes.some((scene) => reachesOver(scene) || (plan.host === host && isHanging(scene))))

const reachesOver = ({ job, acts, side }: Scene): boolean =>
  job.kind === 'elsewhere' || acts.some((act) => act.startsWith('migrate')) || side === 'copy' || side === 'copy-cut'

/** Whether a VM that was paused by hand runs after a power cut is nobody's promise. */
const isHanging = ({ acts }: Scene): boolean => acts.includes('suspend') && !acts.includes('resume')

function withoutPowerCut({ fault, ...plan }: HostPlan): HostPlan {
  return fault === undefined || fault === 'power-cut' ? plan : { ...plan, fault }
}

/** The store of those that fill it is one: who comes second would find no room long before it is held. */
const fillsOnce = (scenes: readonly Scene[]): Scene[] =>
  scenes.map(({ room, ...scene }, n) =>
    room === undefined || (room === 'store-full' && scenes.slice(0, n).some((before) => before.room === room))
      ? scene
      : { ...scene, room }
  )

function planHost(random: Random, host: HostKey): HostPlan {
  const fault = random.weighted({
    none: 60,
    'libvirtd-killed': 8,
    'libvirtd-restarted': 8,
    'libvirtd-stopped': 8,
    'power-cut': 16
  })
  const scenes: Scene[] = []
  for (let count = 0; count < SCENES_PER_HOST; count++)
    scenes.push(
      planScene(
        random,
        scenes.map(({ vm }) => vm)
      )
    )
  const others = VM_KINDS.filter((vm) => !scenes.some((scene) => scene.vm === vm))
  return { host, scenes: fillsOnce(scenes), bystander: random.pick(others), ...(fault !== 'none' && { fault }) }
}

function planScene(random: Random, taken: readonly VmKind[]): Scene {
  const { vm, job } = random.pick(COMBINATIONS.filter(({ vm }) => !taken.includes(vm)))
  const moment = pickMoment(random, momentsOf(job, vm))
  if (moment === undefined) return { vm, job, acts: [], ending: random.pick(['release', 'kill']) }
  const acts = pickActs(random, vm, job, moment.phase)
  const side = random.chance(0.25) ? random.pick(SIDE_KINDS) : undefined
  const room = pickRoom(random, vm, job)
  return {
    vm,
    job,
    moment,
    acts,
    ...(side !== undefined && { side }),
    ...(room !== undefined && { room }),
    ...pickEnding(random, momentsOf(job, vm), moment)
  }
}

/** Backups most often; and RAM, which one VM alone can be brought back with, not too seldom. */
const COMBINATIONS = VM_KINDS.flatMap((vm) =>
  JOBS.filter((job) => fits(job, vm)).flatMap((job) => {
    const times = job.kind === 'backup' ? 3 : isRestore(job) && job.mode === 'resume' ? 2 : 1
    return Array.from({ length: times }, () => ({ vm, job }))
  })
)

/** Most happens while overlays are in place, as most of a backup's time is spent there. */
function pickMoment(random: Random, moments: readonly Moment[]): Moment | undefined {
  if (moments.length === 0) return undefined
  const phases = [...new Set(moments.map(({ phase }) => phase))]
  const phase = random.pick(phases.flatMap((each): Phase[] => (each === 'overlay' ? [each, each] : [each])))
  return random.pick(moments.filter((moment) => moment.phase === phase))
}

/** Possible for few VMs, or at few moments. */
const RARE: readonly ActKind[] = [
  ...(['migrate', 'migrate-undefine', 'commit-by-hand', 'abort-mirror', 'resume-ours', 'rename'] as const),
  ...(['detach-live', 'detach-config', 'detach-both', 'media-eject', 'media-insert'] as const)
]

function pickActs(random: Random, vm: VmKind, job: JobPlan, moment: Phase): ActKind[] {
  const count = random.pick([0, 1, 1, 1, 2])
  const phase = phaseOfActs(job, moment)
  const acts: ActKind[] = []
  let world = worldAt(job, vm, moment)
  while (acts.length < count) {
    const now = world
    const possible = ACT_KINDS.filter((kind) => canAct(kind, now, vm, phase))
    if (possible.length === 0) break
    const act = random.pick(possible.flatMap((kind) => Array.from({ length: RARE.includes(kind) ? 3 : 1 }, () => kind)))
    acts.push(act)
    world = afterAct(act, world, phase)
  }
  return acts
}

function pickRoom(random: Random, vm: VmKind, job: JobPlan): RoomFault | undefined {
  if (job.kind !== 'backup' || job.method === 'offline') return undefined
  if (vm === 'small') return random.chance(0.6) ? 'images-full' : undefined
  return random.chance(0.08) ? 'store-full' : undefined
}

function pickEnding(
  random: Random,
  moments: readonly Moment[],
  moment: Moment
): Pick<Scene, 'ending' | 'laterKill' | 'undoKill'> {
  const ending = random.weighted({ release: 45, kill: 27, cancel: 12, term: 8, throw: 8 })
  const later = moments.slice(moments.findIndex(({ point }) => point === moment.point) + 1)
  const laterKill =
    ending === 'release' && later.length > 0 && random.chance(0.3) ? random.pick(later).point : undefined
  const isUndone = ending !== 'release' || laterKill !== undefined
  return {
    ending,
    ...(laterKill !== undefined && { laterKill }),
    ...(isUndone && random.chance(0.5) && { undoKill: 1 + random.int(5) })
  }
}

/** Points of one backup that nobody disturbs have to be good; everything else may end in more than one way. */
export const isUndisturbed = (scene: Scene, host: HostPlan): boolean =>
  scene.acts.length === 0 &&
  scene.room === undefined &&
  scene.ending === 'release' &&
  scene.laterKill === undefined &&
  host.fault === undefined

/** One line for people. */
export function sceneText(scene: Scene): string {
  const { vm, job, moment, acts, side, room, ending, laterKill, undoKill } = scene
  const between = [...acts, ...(side === undefined ? [] : [side]), ...(room === undefined ? [] : [room])]
  return [
    `${jobName(job)} of ${vm}`,
    ...(moment === undefined ? [] : [`held at ${moment.point}`]),
    ...between,
    ending,
    ...(laterKill === undefined ? [] : [`killed at ${laterKill}`]),
    ...(undoKill === undefined ? [] : [`killed in step ${undoKill} of its undo`])
  ].join(', ')
}

export const hostText = ({ host, scenes, bystander, fault }: HostPlan): string[] => [
  `${host}${fault === undefined ? '' : `, ${fault}`}; bystander ${bystander}`,
  ...scenes.map((scene) => `  ${sceneText(scene)}`)
]

/** Everything that a round does, by name: for counting what has been tried. */
export function namesIn({ hosts }: RoundPlan): string[] {
  return hosts.flatMap(({ scenes, fault }) => [
    ...(fault === undefined ? [] : [fault]),
    ...scenes.flatMap(({ vm, job, moment, acts, side, room, ending, laterKill, undoKill }) => [
      `VM ${vm}`,
      jobName(job),
      ...(moment === undefined ? [] : [`phase ${moment.phase}`]),
      ...acts,
      ...(side === undefined ? [] : [side]),
      ...(room === undefined ? [] : [room]),
      ending,
      ...(laterKill === undefined ? [] : ['killed later']),
      ...(undoKill === undefined ? [] : ['killed in its undo']),
      ...(isRestore(job) ? ['restore'] : [])
    ])
  ])
}
