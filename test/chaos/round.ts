import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { HostLook } from '../lab/host-look.ts'
import { leftoversOf, takeBaseline, type OracleOptions } from '../lab/oracle.ts'
import type { Arena, Site } from './arena.ts'
import { OWNERS, SHARED } from './places.ts'
import { befall } from './faults.ts'
import { removeVm, type BasePoint, type ChaosVm } from './fleet.ts'
import { isRestore } from './jobs.ts'
import { judgeBystander, judgePlay, leftPaths } from './judge.ts'
import { afterHostFault, expectedWorld, isAsBefore, isDone, isMute } from './outcome.ts'
import { otherHost, type HostPlan, type RoundPlan, type Scene } from './plan.ts'
import { Play } from './scene.ts'
import type { VmKind } from './vms.ts'
import { copyPoint } from './sides.ts'

/** What a host has to show in a round. */
interface Stage {
  readonly plan: HostPlan
  readonly site: Site
  readonly plays: readonly Play[]
  readonly bystander: { readonly vm: ChaosVm; readonly logBytes: number }
}

export interface PlayedRound {
  readonly problems: readonly string[]
  readonly plays: readonly Play[]
}

/** Plays a round on hosts that are as they should be, and says what was not right in the end. */
export async function playRound(arena: Arena, plan: RoundPlan): Promise<PlayedRound> {
  const stages = await Promise.all(plan.hosts.map((host) => prepare(arena, host)))
  const plays = stages.flatMap((stage) => stage.plays)
  const before = new Map(
    await Promise.all(arena.sites.map(async (site) => [site, await takeBaseline(site.host)] as const))
  )
  // What befalls a host befalls also what the other has begun there: that is held first, as was planned.
  await Promise.all(plays.map((play) => told(play, () => play.untilHeld())))
  await Promise.all(stages.map(playHost))
  const problems = await judge(arena, stages, before)
  return { problems, plays }
}

async function prepare(arena: Arena, plan: HostPlan): Promise<Stage> {
  const [site, other] = [arena.site(plan.host), arena.site(otherHost(plan.host))]
  const kinds = [...plan.scenes.map(({ vm }) => vm), plan.bystander]
  await Promise.all(kinds.map((kind) => site.fleet.ensure(kind)))
  await site.fleet.restAllBut(kinds)
  const plays = await Promise.all(
    plan.scenes.map(async (scene) => new Play(scene, site, other, await baseFor(scene, site, other)))
  )
  const vm = site.fleet.vm(plan.bystander)
  return { plan, site, plays, bystander: { vm, logBytes: vm.logBytes } }
}

async function baseFor({ job, side, vm }: Scene, site: Site, other: Site): Promise<BasePoint | undefined> {
  if (!isRestore(job) && side !== 'verify' && side !== 'copy' && side !== 'copy-cut') return undefined
  const base = await site.fleet.base(vm)
  if (job.kind === 'elsewhere') await copyPoint(site, other, base.id)
  return base
}

async function playHost({ plan, site, plays }: Stage): Promise<void> {
  const fault = plan.fault === undefined ? undefined : await befall(site.host, plan.fault)
  for (const play of plays) {
    const { job, moment } = play.scene
    play.world = afterHostFault(play.world, plan.fault, job, moment?.phase)
  }
  if (plan.fault !== 'power-cut') await Promise.all(plays.map((play) => told(play, () => play.goOn())))
  await fault?.over
  await Promise.all(plays.map((play) => told(play, () => play.toTheEnd())))
}

/** What goes wrong in a scene is a problem of that scene; the others go on. */
async function told(play: Play, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    play.problems.push(error instanceof Error ? error.message : String(error))
  }
}

async function judge(arena: Arena, stages: readonly Stage[], before: ReadonlyMap<Site, HostLook>): Promise<string[]> {
  const left = await Promise.all(
    arena.sites.map(async (site) => {
      const baseline = before.get(site)
      return baseline === undefined ? [] : leftoversOf(site.host, baseline, whatMayDiffer(site, stages))
    })
  )
  const looks = new Map(
    await Promise.all(arena.sites.map(async (site) => [site, await takeBaseline(site.host)] as const))
  )
  const judged = await Promise.all(
    stages.map(async ({ plan, plays, bystander }) => [
      ...(await Promise.all(plays.map((play) => judgePlay(play, plan, looks)))).flat(),
      ...(await judgeBystander(bystander.vm, bystander.logBytes, plan))
    ])
  )
  return [
    ...arena.sites.flatMap(({ key }, at) => (left[at] ?? []).map((text) => `${key} host: ${text}`)),
    ...judged.flat()
  ]
}

const worldOfPlay = (play: Play) => expectedWorld(play.scene, play.world, play.report?.state)

/** The oracle looks at everything but what owners have changed, and what a report tells a person to look at. */
function whatMayDiffer(site: Site, stages: readonly Stage[]): OracleOptions {
  const plays = stages.flatMap((stage) => stage.plays)
  const here = plays.filter((play) => play.site === site)
  const idle = stages.filter((stage) => stage.site === site).flatMap(endedIdle)
  const hasChanged = (play: Play): boolean =>
    !isAsBefore(play.scene.vm, worldOfPlay(play)) ||
    leftPaths(play.report).length > 0 ||
    wasStarted(play) ||
    play.hasImageBeside
  const changed = here.filter(hasChanged)
  const sharedFromThere = plays.filter((play) => play.site !== site && play.scene.vm === 'shared' && hasChanged(play))
  const arrived = plays.filter((play) => play.other === site && play.world.power === 'moved')
  const restored = plays.filter(
    (play) => play.stage === site && isRestore(play.scene.job) && isDone(play.report?.state)
  )
  return {
    roomTaken: 1024 ** 3,
    except: [
      ...changed.map(({ vm }) => vm.uuid),
      ...idle.map((kind) => site.fleet.vm(kind).uuid),
      ...arrived.map(({ vm }) => vm.uuid)
    ],
    restored: restored.map(({ vm, scene, copyUuid }) => (scene.job.kind === 'copy' ? copyUuid : vm.uuid)),
    allow: [
      new RegExp(OWNERS),
      FORGOTTEN_ALIAS,
      ...plays.flatMap(({ report }) => leftPaths(report)).map(literally),
      ...sharedFromThere.map(({ vm }) => literally(`${SHARED}/${vm.uuid}`)),
      ...plays.map(pointsThatGo),
      // What thaws a guest goes on trying.
      ...(here.some((play) => isMute(play.scene, play.world)) ? [/^UNIT /] : [])
    ]
  }
}

/** One that its owner started is off again after a power cut, and its image belongs to QEMU's user still. */
const wasStarted = ({ acts }: Play): boolean =>
  acts.some(({ kind, refusal }) => kind === 'start' && refusal === undefined)

/** VMs of a host that lost its power which no job was about: nobody has promised to start them. */
const endedIdle = ({ plan, site }: Pick<Stage, 'plan' | 'site'>): VmKind[] =>
  plan.fault === 'power-cut' ? site.fleet.made.filter((kind) => !plan.scenes.some(({ vm }) => vm === kind)) : []

/** libvirt gives a controller that is none a name, and has forgotten it when it starts again. */
const FORGOTTEN_ALIAS = /^live definition .*<controller index='0' model='none' type='usb'>/

const literally = (text: string): RegExp => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))

/** Of the VM's points only the one that it is restored from has to stay. */
const pointsThatGo = ({ vm, base }: Play): RegExp =>
  new RegExp(`changed or gone: .*/${vm.uuid}/(?!${base?.id ?? 'nothing'})`)

const MOST_SPARE_POINTS = 1

/** Makes the hosts ready for the next round. */
export async function tidyUp(arena: Arena, plan: RoundPlan, plays: readonly Play[]): Promise<void> {
  for (const play of plays) {
    const { scene, site, other, stage, vm } = play
    if (!isAsBefore(scene.vm, worldOfPlay(play)) || scene.job.kind === 'replace') await site.fleet.wipe(scene.vm)
    if (play.world.power === 'moved' || scene.job.kind === 'elsewhere') await removeVm(other.host, vm.uuid)
    if (scene.job.kind === 'copy') await removeVm(stage.host, play.copyUuid)
    await thinOut(play)
  }
  for (const host of plan.hosts) {
    const site = arena.site(host.host)
    for (const kind of endedIdle({ plan: host, site })) await site.fleet.wipe(kind)
  }
  for (const { host, engine } of arena.sites) {
    await host.run('rm -rf /var/lib/stillpoint/aside/*')
    const { policies } = await engine.ask('policies', {})
    for (const { policy } of policies) await engine.ask('policy-remove', { id: policy.id })
  }
}

async function thinOut({ site, other, scene, store, vm, base }: Play): Promise<void> {
  const spare = await site.fleet.sparePoints(scene.vm)
  for (const point of spare.slice(MOST_SPARE_POINTS)) await site.engine.ask('delete', { store: DEFAULT_STORE, point })
  if (store !== DEFAULT_STORE) await site.host.run(['rm', '-rf', `${store}/${vm.uuid}`])
  if (base !== undefined) await other.host.run(['rm', '-rf', `${DEFAULT_STORE}/${vm.uuid}`])
}
