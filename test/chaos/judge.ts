import type { JobReport } from '../../src/shared/model/job.ts'
import type { HostLook, VmState } from '../lab/host-look.ts'
import type { LabHost } from '../lab/host.ts'
import { Guest } from '../lab/guest.ts'
import { isContiguous, isOneBoot, joinResumed, parseBoots, parseTicks, type Tick } from '../lab/ticks.ts'
import type { Site } from './arena.ts'
import { tickOnDisk } from '../lab/tick-on-disk.ts'
import { medium, type ChaosVm } from './fleet.ts'
import { expectedWorld, isBeforeNote, isDone, isMute, losesWhatItHad } from './outcome.ts'
import { isUndisturbed, type HostPlan } from './plan.ts'
import type { Play } from './scene.ts'
import { TRAITS } from './vms.ts'
import { worldOf, type World } from './world.ts'

/** How long a guest may take to show that it lives; the machine may be busy with others. */
const ALIVE_WITHIN_MS = 120_000

/** Everything that is wrong with a VM, the report of its job and what came of it. */
export async function judgePlay(play: Play, host: HostPlan, looks: ReadonlyMap<Site, HostLook>): Promise<string[]> {
  const world = expectedWorld(play.scene, play.world, play.report?.state)
  const look = looks.get(play.site)
  const told = play.report === undefined ? [] : await aboutReport(play, host, play.report, world)
  const seen = look === undefined ? [] : aboutState(play, world, look)
  const ticks = seen.length > 0 ? [] : [...(await aboutTicks(play, world, look)), ...(await aboutDetached(play, world))]
  const made = await aboutNewVm(play)
  return [...play.problems, ...told, ...seen, ...ticks, ...made].map((problem) => `${play.vm.name}: ${problem}`)
}

/** What a report says has to be so. */
async function aboutReport(play: Play, host: HostPlan, report: JobReport, world: World): Promise<string[]> {
  const { scene } = play
  const said = `the report says ${report.state}${report.failure === undefined ? '' : ` (${JSON.stringify(report.failure).slice(0, 600)})`}`
  if (isUndisturbed(scene, host) && !isDone(report.state)) return [`nothing went wrong, yet ${said}`]
  if (
    report.state === 'failed-clean' &&
    losesWhatItHad(scene, play.world) &&
    !/for that run only it had/.test(report.warnings.join())
  )
    return [`what it had for that run only is lost, and ${said}`]
  if (report.state === 'failed-needs-you')
    return world.needsPerson || isBeyondProof(play) ? namedPaths(play, report) : [`no person is needed, yet ${said}`]
  if (!isDone(report.state) || scene.job.kind !== 'backup') return []
  const tornBefore = ['snapshot.done', 'thaw.done', 'copy']
  if (world.torn && tornBefore.includes(scene.moment?.point ?? ''))
    return [`the images were written to while they were copied, yet ${said}`]
  return aboutPoint(play, report)
}

/**
 * What is left of a VM that is gone with its definition: a mirror, which nobody can say that it had not gone over to; or an
 * overlay whose image below somebody has written to since. And the overlay of a VM that is gone, of a disk that its owner took
 * off, or of one that was committed by hand and is off, if it was not noted yet how the image below it stood. And that of a VM
 * which was saved to a file, or has migrated, in the moment of the snapshot: the file may name it, or the VM where it is now. And
 * whether a guest is frozen that cannot say so.
 */
function isBeyondProof({ scene, world, vm }: Play): boolean {
  const { moment } = scene
  const isOff = world.power !== 'running' && world.power !== 'paused'
  const isGone = isOff && !world.isDefined
  const isDetached = ownDisks(vm).some((target) => !(isOff ? world.next : world.live).includes(target))
  if (isBeforeNote(scene) && (isGone || isDetached || (isOff && world.torn))) return true
  if (isMute(scene, world)) return true
  if (moment?.point === 'snapshot' && ['saved-to-file', 'moved'].includes(world.power)) return true
  return isGone && (moment?.phase === 'mirrored' || MIRROR_IS_THERE.includes(moment?.point ?? '') || world.torn)
}

/** Behind its pause, too, until it was seen to end. */
const MIRROR_IS_THERE = ['suspend.done', 'end-mirror', 'end-mirror.done']

/** A person is told what to look at, and it is there. */
async function namedPaths({ stage }: Play, report: JobReport): Promise<string[]> {
  const paths = leftPaths(report)
  if (paths.length === 0) return [`the report wants a person and names no file: ${JSON.stringify(report.failure)}`]
  const problems: string[] = []
  for (const path of paths.filter((each) => each.startsWith('/')))
    if ((await stage.host.run(['test', '-e', path])).exitCode !== 0)
      problems.push(`the report names ${path}, which is not there`)
  return problems
}

export const leftPaths = (report: JobReport | undefined): string[] =>
  report?.failure?.kind === 'left-behind' ? report.failure.left.map(({ path }) => path) : []

/** A point that a report calls good is good, of its time, and its disks are of one instant. */
async function aboutPoint(play: Play, { point }: JobReport): Promise<string[]> {
  const { stage, store, vm, firstTick } = play
  if (point === undefined) return ['the report says done and names no point']
  const verified = await stage.engine.ask('verify', { store, point })
  if (!verified.good) return [`its point is not good: ${JSON.stringify(verified.problems)}`]
  const folder = `${store}/${vm.uuid}/${point}/disks`
  const ticks: number[] = []
  for (const { target } of TRAITS[vm.kind].disks) {
    const path = `${folder}/${target}.qcow2`
    if ((await stage.host.run(['test', '-e', path])).exitCode === 0)
      ticks.push(await tickOnDisk(stage.host, path, 'qcow2'))
  }
  const [least, most] = [Math.min(...ticks), Math.max(...ticks)]
  return [
    ...(ticks.length === 0 ? ['its point has no disk'] : []),
    ...(most - least > 1 ? [`the disks of its point are of different instants: ticks ${ticks.join(', ')}`] : []),
    ...(least < firstTick - 1 ? [`its point is older than the round: tick ${least}, not ${firstTick}`] : [])
  ]
}

/** What libvirt says of it is what its owner wants. */
function aboutState(play: Play, world: World, look: HostLook): string[] {
  const { vm, report } = play
  const state = look.vms.find(({ uuid }) => uuid === vm.uuid)
  const powers = [world.power, ...(world.mayAlso === undefined ? [] : [world.mayAlso])]
  const is = powerOf(state)
  const definitions = world.mayBeTransient ? [true, false] : [world.isDefined]
  const wanted = powers.flatMap((power) => definitions.map((isDefined) => seenAs(power, isDefined)))
  if (!wanted.includes(is)) return [`it is ${is} (${state?.reason ?? ''}), not ${wanted.join(' or ')}`]
  if (state === undefined) return []
  const left = leftPaths(report)
  return [
    ...(world.mayBeTransient || state.persistent === (world.isDefined ? 'yes' : 'no')
      ? []
      : [`persistent: ${state.persistent}`]),
    ...(is === 'running' || is === 'paused'
      ? disksProblem(
          'has',
          state.liveDisks.map(ownName(play)),
          wantedDisks(vm, world, world.live, world.liveMedium),
          left
        )
      : []),
    ...(world.isDefined
      ? disksProblem(
          'starts with',
          state.definedDisks.map(ownName(play)),
          wantedDisks(vm, world, world.next, world.nextMedium),
          left
        )
      : []),
    ...(state.name === (world.name === 'own' ? vm.name : `${vm.name}-renamed`) ? [] : [`it is called ${state.name}`]),
    ...listProblem('snapshots', state.snapshots, world.snapshots.length === 0 ? [] : ['theirs']),
    ...listProblem('checkpoints', state.checkpoints, world.checkpoint ? ['theirs'] : [])
  ]
}

const powerIn = (look: HostLook | undefined, { uuid }: ChaosVm): string =>
  powerOf(look?.vms.find((vm) => vm.uuid === uuid))

/** In libvirt's words, but for `off`, `saved` and `unknown`. */
function powerOf(state: VmState | undefined): string {
  if (state === undefined) return 'unknown'
  if (state.state !== 'shut off') return state.state
  return state.managedSave === 'yes' ? 'saved' : 'off'
}

function seenAs(power: World['power'], isDefined: boolean): string {
  if (power === 'running' || power === 'paused') return power
  if (!isDefined) return 'unknown'
  return power === 'managed-saved' ? 'saved' : 'off'
}

function wantedDisks(vm: ChaosVm, world: World, targets: readonly string[], which: World['liveMedium']): string[] {
  const images = targets.map((target) =>
    target === 'vda' && world.snapshots.includes('beside') ? vm.snapshotFile : vm.image(target)
  )
  const drive = TRAITS[vm.kind].hasDrive ? [which === undefined ? '-' : medium(which)] : []
  return [...images, ...drive].sort()
}

const ownName =
  ({ hasImageBeside, base }: Play) =>
  (line: string): string =>
    hasImageBeside ? line.replace(`-${base?.id ?? ''}.`, '.') : line

/** A disk that a person has been told of may be on what was left. */
function disksProblem(
  verb: string,
  lines: readonly string[],
  wanted: readonly string[],
  left: readonly string[]
): string[] {
  const has = lines.map((line) => line.split(' ').slice(3).join(' ')).sort()
  const isFine = has.length === wanted.length && has.every((path) => wanted.includes(path) || left.includes(path))
  return isFine ? [] : [`it ${verb} ${has.join(', ') || 'nothing'}, not ${wanted.join(', ') || 'nothing'}`]
}

function listProblem(what: string, lines: readonly string[], wanted: readonly string[]): string[] {
  const names = lines.map((line) => line.split(' ')[0] ?? '')
  return names.join() === wanted.join()
    ? []
    : [`its ${what} are ${names.join() || 'none'}, not ${wanted.join() || 'none'}`]
}

/** Nothing that the guest has written is lost, and where it should not have noticed anything, it has not. */
async function aboutTicks(play: Play, world: World, look: HostLook | undefined): Promise<string[]> {
  const { vm } = play
  const isRestored = isRewound(play)
  switch (world.power) {
    case 'running':
      return isOffAsWell(world, look, vm) ? aboutRest(play, world, look) : aliveAndWhole(play, world, isRestored)
    case 'paused':
      if (isOffAsWell(world, look, vm)) return aboutRest(play, world, look)
      if (world.mayAlso === 'running' && powerIn(look, vm) === 'running') return aliveAndWhole(play, world, isRestored)
      return woken(play, world, ['resume', vm.uuid], isRestored)
    case 'managed-saved':
      return woken(play, world, ['start', vm.uuid], isRestored)
    case 'saved-to-file':
      return woken(play, world, ['restore', vm.saveFile], isRestored)
    case 'moved':
      return aboutMoved(play, world)
    case 'off':
      return aboutRest(play, world, look)
  }
}

const isOffAsWell = ({ mayAlso }: World, look: HostLook | undefined, vm: ChaosVm): boolean =>
  mayAlso === 'off' && powerIn(look, vm) === seenAs(mayAlso, true)

/** A restore has brought the VM back to what it was long ago. */
const isRewound = ({ scene, report }: Play): boolean => scene.job.kind === 'replace' && isDone(report?.state)

async function woken(play: Play, world: World, command: readonly string[], isRestored: boolean): Promise<string[]> {
  const { exitCode, stderr } = await play.site.host.run(['virsh', '-q', ...command], { timeoutMs: 240_000 })
  if (exitCode !== 0) return [`its owner cannot ${command[0] ?? ''} it any more: ${stderr.trim()}`]
  return aliveAndWhole(play, world, isRestored)
}

async function aliveAndWhole(play: Play, world: World, isRestored: boolean): Promise<string[]> {
  const { vm, base } = play
  try {
    await vm.guest.waitForMoreTicks(3, ALIVE_WITHIN_MS)
  } catch (error) {
    return [`it does not tick: ${String(error)}`]
  }
  return isRestored ? aboutRestored(vm.guest.log(), base?.tick ?? 0) : aboutLog(play, world)
}

/** What a log says of the ticks in it: none lost between two boots, none at all without a boot. */
function aboutLog(
  { vm, logBytes, detachedAt }: Pick<Play, 'vm' | 'logBytes'> & Partial<Pick<Play, 'detachedAt'>>,
  { boot, live }: Pick<World, 'boot' | 'live'>
): string[] {
  if (boot === 'any')
    return lostAtBoots(
      vm.guest.log(),
      ownDisks(vm).filter((target) => live.includes(target)),
      detachedAt
    )
  const ticks = parseTicks(vm.logFrom(logBytes))
  if (!isOneBoot(ticks)) return ['its guest has booted, though nobody wanted that']
  return isContiguous(ticks) ? [] : ['ticks of its guest are missing']
}

const ownDisks = ({ kind }: ChaosVm): string[] => TRAITS[kind].disks.map(({ target }) => target)

/**
 * Each boot finds on each of these disks at least what was printed before it: a tick is printed once it is on all disks. One
 * that its owner has attached is blank. `detachedAt`: the last tick before its owner took `vdb` off the running VM.
 */
export function lostAtBoots(log: string, disks: readonly string[], detachedAt = Infinity): string[] {
  const problems: string[] = []
  let before = log.search(/^BOOT /m)
  for (const boot of parseBoots(log)) {
    const at = log.indexOf(`BOOT ${boot.bootId}`, Math.max(0, before))
    const printed = parseTicks(log.slice(0, at)).at(-1)?.counter ?? 0
    for (const { target, state, lastTick } of boot.disks.filter((disk) => disks.includes(disk.target))) {
      if (state === 'damaged') problems.push(`its file system on ${target} was damaged`)
      const wanted = target === 'vdb' ? Math.min(printed, detachedAt) : printed
      if (lastTick < wanted) problems.push(`ticks ${lastTick + 1} to ${wanted} are lost from ${target}`)
    }
    before = at + 1
  }
  return problems
}

/** A VM that a restore has made beside the one of the point: a copy of it, or itself on another host. */
async function aboutNewVm({ scene: { job }, stage, vm, copyUuid, report, base }: Play): Promise<string[]> {
  if ((job.kind !== 'copy' && job.kind !== 'elsewhere') || !isDone(report?.state)) return []
  const uuid = job.kind === 'copy' ? copyUuid : vm.uuid
  const is = await state(stage.host, uuid)
  const wanted = job.mode === 'define' ? 'shut off' : 'running'
  if (is !== wanted) return [`what was restored is ${is || 'unknown'}, not ${wanted}`]
  if (is !== 'running') return []
  const guest = new Guest(stage.host, { uuid, name: `${job.kind} of ${vm.name}`, disks: [] })
  try {
    await guest.waitForMoreTicks(3, ALIVE_WITHIN_MS)
  } catch (error) {
    return [`what was restored does not tick: ${String(error)}`]
  }
  const went =
    report?.mode === 'resume' ? aboutResumed(guest.ticks(), base?.tick ?? 0) : lostAtBoots(guest.log(), ownDisks(vm))
  return [...went, ...aboutRestored(guest.log(), base?.tick ?? 0)].map((problem) => `what was restored: ${problem}`)
}

/** RAM goes on where the point's disks end. */
function aboutResumed(ticks: readonly Tick[], baseTick: number): string[] {
  const first = ticks[0]?.counter ?? 0
  return [
    ...(first < baseTick || first > baseTick + 2 ? [`it went on at tick ${first}, its disks at ${baseTick}`] : []),
    ...(isOneBoot(ticks) && isContiguous(ticks) ? [] : ['ticks are missing'])
  ]
}

/** A restored guest goes on from its point, and has lost nothing since. */
function aboutRestored(log: string, baseTick: number): string[] {
  const last = parseTicks(log).at(-1)?.counter ?? 0
  return last < baseTick ? [`the restored guest is at tick ${last}, before its point's ${baseTick}`] : []
}

async function aboutMoved({ vm, other, logBytes }: Play, world: World): Promise<string[]> {
  const there = vm.guest.on(other.host)
  if ((await state(other.host, vm.uuid)) !== 'running') return [`it is not running on ${other.host.name}`]
  try {
    await there.waitForMoreTicks(3, ALIVE_WITHIN_MS)
  } catch (error) {
    return [`it does not tick on ${other.host.name}: ${String(error)}`]
  }
  const ticks = joinResumed(parseTicks(vm.logFrom(logBytes)), there.ticks())
  const images = await missingImages(other.host, vm.uuid)
  return [
    ...(world.boot === 'same' && !(isOneBoot(ticks) && isContiguous(ticks)) ? ['ticks of its guest are missing'] : []),
    ...images.map((path) => `on ${other.host.name} it runs on ${path}, which is gone`)
  ]
}

async function state(host: LabHost, uuid: string): Promise<string> {
  return (await host.run(['virsh', '-q', 'domstate', uuid])).stdout.trim()
}

/** A QEMU goes on with a file that was removed; at its next start it finds none. */
async function missingImages(host: LabHost, uuid: string): Promise<string[]> {
  const { stdout } = await host.run(
    `for image in $(virsh -q domblklist ${uuid} | awk '{print $2}'); do
       qemu-img info -U --backing-chain "$image" >/dev/null 2>&1 || echo "$image"; done`
  )
  return stdout.split('\n').filter(Boolean)
}

/** The images of a VM that is off hold all that its guest has printed. */
async function aboutRest(play: Play, world: World, look: HostLook | undefined): Promise<string[]> {
  const { vm, site, base } = play
  const printed = isRewound(play) ? (base?.tick ?? 0) : (parseTicks(vm.guest.log()).at(-1)?.counter ?? 0)
  const problems: string[] = []
  for (const { target, format } of TRAITS[vm.kind].disks) {
    if (!world.live.includes(target)) continue
    const path = imageAtRest(play, world, look, target)
    problems.push(
      ...(await lostFrom(site.host, path, ownName(play)(path) === vm.image(target) ? format : 'qcow2', printed))
    )
  }
  return problems
}

/** A disk that its owner took off holds what the guest had written by then. */
async function aboutDetached(play: Play, world: World): Promise<string[]> {
  const { vm, site, detachedAt = 0 } = play
  const off = TRAITS[vm.kind].disks.filter(({ target }) => !world.live.includes(target))
  const problems = off.map(({ target, format }) => {
    const left = leftOverlay(play, target)
    return lostFrom(site.host, left ?? vm.image(target), left === undefined ? format : 'qcow2', detachedAt)
  })
  return (await Promise.all(problems)).flat()
}

async function lostFrom(host: LabHost, path: string, format: string, wanted: number): Promise<string[]> {
  try {
    const tick = await tickOnDisk(host, path, format)
    return tick < wanted ? [`ticks ${tick + 1} to ${wanted} are lost from ${path}`] : []
  } catch (error) {
    return [String(error)]
  }
}

/** Its definition says what it would start with; if libvirt does not know it, what a person was told of. */
function imageAtRest(play: Play, world: World, look: HostLook | undefined, target: string): string {
  const { vm } = play
  const state = look?.vms.find(({ uuid }) => uuid === vm.uuid)
  const line = state?.definedDisks.find((each) => each.split(' ')[2] === target)
  if (line !== undefined) return line.split(' ').slice(3).join(' ')
  if (target === 'vda' && world.snapshots.includes('beside')) return vm.snapshotFile
  // Committed by hand: all is in the image.
  if (world.torn) return vm.image(target)
  return leftOverlay(play, target) ?? vm.image(target)
}

/** What a person was told of that lies over an image. A mirror does not: nobody lets a VM go over to one here. */
const leftOverlay = ({ vm, report, scene: { job } }: Play, target: string): string | undefined =>
  job.kind === 'backup' && job.method === 'classic'
    ? undefined
    : leftPaths(report).find((path) => path.startsWith(`${vm.image(target)}.`))

/** Nobody has had anything to do with a bystander. */
export async function judgeBystander(vm: ChaosVm, logBytes: number, host: HostPlan): Promise<string[]> {
  if (!TRAITS[vm.kind].runs || host.fault === 'power-cut') return []
  try {
    await vm.guest.waitForMoreTicks(3, ALIVE_WITHIN_MS)
  } catch (error) {
    return [`bystander ${vm.name} does not tick: ${String(error)}`]
  }
  return aboutLog({ vm, logBytes }, worldOf(vm.kind)).map((problem) => `bystander ${vm.name}: ${problem}`)
}
