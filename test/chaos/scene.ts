import { randomUUID } from 'node:crypto'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { JobReport, JobSpec } from '../../src/shared/model/job.ts'
import { backupSpec, restoreSpec } from '../lab/bare-engine.ts'
import { heldOrEnded } from '../lab/held.ts'
import { endOfRun, policyFor } from '../lab/policies.ts'
import { sleep } from '../lab/run.ts'
import { act, endOthersBackup, goesOnIfHalted, listens } from './acts.ts'
import type { Site } from './arena.ts'
import { TIGHT } from './places.ts'
import type { BasePoint, ChaosVm } from './fleet.ts'
import { endedReport, letGo } from './follow.ts'
import { phaseOfActs, worldAt } from './outcome.ts'
import type { Scene } from './plan.ts'
import { fillUp, giveRoom } from './room.ts'
import { aside } from './sides.ts'
import { afterAct, canAct, worldOf, type ActKind, type World } from './world.ts'

const HELD_WITHIN_MS = 240_000

/** What was tried of an act, and what libvirt said where it refused. */
export interface TriedAct {
  readonly kind: ActKind
  readonly refusal?: string
}

/** A scene while it is played: what was done, and how its VM has to be by now. */
export class Play {
  readonly scene: Scene
  readonly site: Site
  readonly other: Site
  readonly vm: ChaosVm
  readonly base: BasePoint | undefined
  /** Of the copy that the job makes. */
  readonly copyUuid = randomUUID()
  /** Where the VM's log ended when the round began, and its last tick by then. */
  readonly logBytes: number
  readonly firstTick: number
  world: World
  readonly acts: TriedAct[] = []
  readonly problems: string[] = []
  jobId: string | undefined
  isHeld = false
  report: JobReport | undefined
  /** The last tick on a disk that was taken off the VM. */
  detachedAt: number | undefined
  /** Somebody has taken all the room, and not given it back yet. */
  #isFull = false

  constructor(scene: Scene, site: Site, other: Site, base: BasePoint | undefined) {
    this.scene = scene
    this.site = site
    this.other = other
    this.vm = site.fleet.vm(scene.vm)
    this.base = base
    this.logBytes = this.vm.logBytes
    this.firstTick = this.vm.guest.lastTick()?.counter ?? 0
    this.world = scene.moment === undefined ? worldOf(scene.vm) : worldAt(scene.job, scene.vm, scene.moment.phase)
  }

  /** The host on which the job works. */
  get stage(): Site {
    return this.scene.job.kind === 'elsewhere' ? this.other : this.site
  }

  get store(): string {
    return this.scene.room === 'store-full' ? TIGHT : DEFAULT_STORE
  }

  /**
   * An image that its owner took off, has put a snapshot on, or whose VM libvirt has forgotten makes way for nothing: that of the
   * point is called after the point.
   */
  get hasImageBeside(): boolean {
    const stays = this.acts.some(
      ({ kind, refusal }) => (kind === 'snapshot-beside' || kind === 'undefine') && refusal === undefined
    )
    return this.scene.job.kind === 'replace' && (stays || this.detachedAt !== undefined)
  }

  /** Begins the job, and does everything that is to be done while it is held. */
  async untilHeld(): Promise<void> {
    if (this.scene.job.kind === 'policy') return this.#beginRun()
    const { moment, room } = this.scene
    this.jobId = await this.stage.engine.submit(this.#spec(), faultsOf(this.scene))
    if (moment === undefined) return
    this.isHeld = (await heldOrEnded(this.stage.host, moment.point, this.jobId, HELD_WITHIN_MS)) === 'held'
    if (!this.isHeld) return void this.problems.push(`the job ended before ${moment.point}`)
    for (const kind of this.scene.acts) await this.#act(kind)
    if (this.scene.side !== undefined) this.problems.push(...(await aside(this.scene.side, this)))
    if (room === undefined) return
    this.#isFull = true
    await fillUp(this.stage.host, room)
  }

  /** Lets the job go on as planned. */
  async goOn(): Promise<void> {
    if (this.jobId === undefined || !this.isHeld) return
    if (this.scene.ending !== 'cancel') return letGo(this.stage.host, this.jobId)
    await this.stage.engine.ask('cancel', { id: this.jobId }).catch(() => undefined)
  }

  async toTheEnd(): Promise<void> {
    const later = this.#later()
    if (this.jobId !== undefined) this.report = await this.#ended(this.jobId)
    const wasFull = this.#isFull
    await later
    if (this.run !== undefined) await endOfRun(this.site.engine, this.run.policy, this.run.id)
    await this.#giveRoom()
    if (wasFull) await goesOnIfHalted(this.vm)
    if (this.jobId !== undefined && this.report === undefined) this.problems.push(`the job ${this.jobId} has no end`)
  }

  /**
   * QEMU keeps the images of a VM closed whose RAM was captured while its owner had it paused: the job ends when he lets it go
   * on, and waits for him until then.
   */
  async #ended(jobId: string): Promise<JobReport | undefined> {
    const report = await endedReport(this.stage.host, jobId)
    const { job, moment } = this.scene
    const isLive = job.kind === 'backup' && job.method === 'live'
    if (report !== undefined || !isLive || moment?.phase !== 'before' || this.world.power !== 'paused') return report
    await act('resume', this.vm, this.other.host)
    this.world = { ...this.world, power: 'running' }
    return endedReport(this.stage.host, jobId)
  }

  private run: { readonly policy: ReturnType<typeof policyFor>; readonly id: string } | undefined

  async #beginRun(): Promise<void> {
    const policy = policyFor([this.vm.guest], {
      name: this.vm.name,
      hostName: this.site.host.name,
      method: this.scene.vm === 'off' ? 'offline' : 'disk',
      keep: { last: 1, floor: 1, graceHours: 0 }
    })
    await this.site.engine.ask('policy-put', { policy })
    const { run } = await this.site.engine.ask('policy-run', { id: policy.id })
    this.run = { policy, id: run }
    if (this.scene.ending === 'kill')
      await this.site.host.run(['systemctl', 'kill', '--kill-who=main', '-s', 'KILL', `stillpoint-run-${run}.service`])
  }

  async #act(kind: ActKind): Promise<void> {
    const { job, moment, vm } = this.scene
    if (moment === undefined) return
    const phase = phaseOfActs(job, moment.phase)
    if (!canAct(kind, this.world, vm, phase)) return
    // Whoever is to start it again may do so before what its owner does next, or behind it.
    if (this.world.power === 'running' && this.acts.some((done) => done.kind === 'qemu-killed')) return
    if (kind === 'detach-live' || kind === 'detach-both') {
      await listens(this.vm)
      this.detachedAt = this.vm.guest.lastTick()?.counter
    }
    const refusal = await act(kind, this.vm, this.other.host)
    this.acts.push({ kind, ...(refusal !== undefined && { refusal }) })
    if (refusal === undefined) this.world = afterAct(kind, this.world, phase)
  }

  /** What others end after a while, by themselves; and room that comes back. */
  async #later(): Promise<void> {
    if (!this.world.othersBackup && !this.#isFull) return
    await sleep(4000)
    await this.#giveRoom()
    if (!this.world.othersBackup) return
    if (!(await endOthersBackup(this.vm))) this.problems.push("another tool's backup was ended by somebody else")
    this.world = { ...this.world, othersBackup: false }
  }

  async #giveRoom(): Promise<void> {
    if (!this.#isFull || this.scene.room === undefined) return
    await giveRoom(this.stage.host, this.scene.room)
    this.#isFull = false
  }

  #spec(): JobSpec {
    const { job } = this.scene
    if (job.kind === 'backup') return backupSpec(this.vm.guest, { method: job.method, store: this.store })
    if (job.kind === 'policy') throw new Error('a policy submits its jobs itself')
    const options = {
      mode: job.mode,
      replace: job.kind === 'replace',
      ...(job.kind === 'copy' && { copy: { name: `${this.vm.name}-copy`, uuid: this.copyUuid } })
    }
    return restoreSpec(this.stage.host, this.base?.id ?? '', this.vm, options)
  }
}

function faultsOf({ moment, ending, laterKill, undoKill }: Scene): string | undefined {
  if (moment === undefined) return undefined
  return [
    `${moment.point}:1:hold`,
    ...(ending === 'release' || ending === 'cancel' ? [] : [`${moment.point}:1:${ending}`]),
    ...(laterKill === undefined ? [] : [`${laterKill}:1:kill`]),
    ...(undoKill === undefined ? [] : [`undo.*:${undoKill}:kill`])
  ].join()
}
