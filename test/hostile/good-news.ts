import { expect } from 'vitest'
import type { Safety } from '../../src/shared/safety.ts'
import type { Seen } from './core-process.ts'
import type { Asked, GoodHost } from './good-host.ts'
import type { WatchedCore } from './watched-core.ts'

/** One thing that changed on the good host, and how it came to be known. */
export interface SeenChange {
  readonly what: string
  readonly ms: number
  /** As much of that the core waited for a processor, which other programs had. */
  readonly waitedMs: number
  /** In a core beside it on the same machine, which knows of no hostile host. */
  readonly besideMs: number
  /** How often the core had asked about it since the change, until it knew. */
  readonly looks: number
}

/** 200 are kept: where they are more, each host has its share, and so have the stories of what ended while a host was away. */
const NOTICES_OF_HOST = 60

/** Changes the good host now and then, waits each time until the core knows, and knows itself what the core should know. */
export class GoodNews {
  readonly changes: SeenChange[] = []
  /** Of its jobs that failed: each is to be heard of. */
  readonly failed: string[] = []
  private readonly good: GoodHost
  private readonly core: WatchedCore
  private readonly beside: WatchedCore
  /** What has just changed, so that both are right. */
  private readonly pending = new Set<string>()
  /** How often something changed, or had changed. */
  private count = 0
  private goesOn = true
  private turns = 0

  /** `beside`: a core that has the good host alone. */
  constructor(good: GoodHost, core: WatchedCore, beside: WatchedCore) {
    this.good = good
    this.core = core
    this.beside = beside
  }

  /** So many changes, one after the other. */
  async rounds(count: number): Promise<readonly SeenChange[]> {
    const before = this.changes.length
    for (let n = 0; n < count; n++) await this.next()
    return this.changes.slice(before)
  }

  /** Changes for as long as the work takes, and goes on behind it until there are so many at least. What it saw. */
  async during(work: () => Promise<void>, atLeast: number): Promise<readonly SeenChange[]> {
    const before = this.changes.length
    this.goesOn = true
    const going = this.goOn()
    try {
      await work()
    } finally {
      this.goesOn = false
    }
    await going
    await this.rounds(atLeast - (this.changes.length - before))
    return this.changes.slice(before)
  }

  /** What the core knows of the good host is what is so there, but for what is changing just now. */
  async expectRight(): Promise<void> {
    this.expectSeen()
    await this.expectSafety()
  }

  /** Of VMs without a point that is said at every moment, whatever others do; of the one that has them, while nothing changes. */
  private async expectSafety(): Promise<void> {
    const before = this.count
    const expected = Object.fromEntries(
      this.good.vms.map(({ name }, n) => [name, n === 0 ? this.safetyOfFirst() : 'none'])
    )
    const isChanging = this.pending.size > 0
    const safety = await this.core.safety(this.good.name)
    const isSettled = (name: string): boolean =>
      name !== this.good.vms[0]?.name || (!isChanging && this.count === before)
    expect(settled(safety, isSettled)).toEqual(settled(expected, isSettled))
  }

  private safetyOfFirst(): Safety {
    return this.good.jobs.at(-1)?.state === 'done' ? 'good' : 'failing'
  }

  private expectSeen(): void {
    const seen = this.core.seen(this.good.name)
    const isSettled = (key: string): boolean => !this.pending.has(key)
    expect(seen?.state).toBe('up')
    const expected = {
      vms: Object.fromEntries(this.good.vms.map(({ name, state }) => [name, state])),
      jobs: Object.fromEntries(this.good.jobs.map(({ id, state }) => [id, state])),
      runs: sorted(this.good.runs),
      points: sorted(this.good.points)
    }
    const { vms = {}, jobs = {}, runs = [], points = [] } = seen ?? {}
    expect(settled(vms, isSettled)).toEqual(settled(expected.vms, isSettled))
    expect(settled(jobs, isSettled)).toEqual(settled(expected.jobs, isSettled))
    expect(runs.filter(isSettled).toSorted()).toEqual(expected.runs.filter(isSettled))
    expect(points.filter(isSettled).toSorted()).toEqual(expected.points.filter(isSettled))
    expect(seen?.notices).toEqual(expect.arrayContaining(this.failed.slice(-NOTICES_OF_HOST).filter(isSettled)))
  }

  private async goOn(): Promise<void> {
    while (this.goesOn) await this.next()
  }

  private async next(): Promise<void> {
    const kinds = [() => this.turnVm(), () => this.endJob(), () => this.failJob(), () => this.run()]
    await kinds[this.turns++ % kinds.length]?.()
  }

  private turnVm(): Promise<void> {
    const vm = this.good.vms[Math.floor(this.turns / 4) % 2]
    if (vm === undefined) return Promise.resolve()
    const change = (): string[] => {
      this.good.turn(vm)
      return []
    }
    return this.see('a VM starts or stops', 'inventory', [vm.name], change, ({ vms }) => vms[vm.name] === vm.state)
  }

  private endJob(): Promise<void> {
    const change = (): string[] => [this.good.takePoint().id, this.good.addJob('done').id]
    return this.see(
      'a job ends, and its point is there',
      'jobs',
      [],
      change,
      ({ jobs, points }, [point = '', job = '']) => jobs[job] === 'done' && points.includes(point)
    )
  }

  private failJob(): Promise<void> {
    const failure = { kind: 'no-room' as const, path: '/srv', forWhat: 'the point', neededBytes: 2, freeBytes: 1 }
    const change = (): string[] => {
      const { id } = this.good.addJob('failed-clean', { failure })
      this.failed.push(id)
      return [id]
    }
    return this.see(
      'a job fails, and is told',
      'jobs',
      [],
      change,
      ({ jobs, notices }, [job = '']) => jobs[job] === 'failed-clean' && notices.includes(job)
    )
  }

  private run(): Promise<void> {
    const change = (): string[] => [this.good.addRun().id]
    return this.see('a run of a policy ends', 'runs', [], change, ({ runs }, [run = '']) => runs.includes(run))
  }

  private async see(
    what: string,
    asked: Asked,
    keys: readonly string[],
    change: () => readonly string[],
    isSo: (seen: Seen, made: readonly string[]) => boolean
  ): Promise<void> {
    this.count += 1
    keys.forEach((key) => this.pending.add(key))
    const waitedBefore = await this.core.waitedMs()
    const made = change()
    made.forEach((key) => this.pending.add(key))
    const before = this.good.looks.get(asked) ?? 0
    const inBeside = this.beside.untilSeen(this.good.name, `${what}, beside`, (seen) => isSo(seen, made))
    const ms = await this.core.untilSeen(this.good.name, what, (seen) => isSo(seen, made))
    const waitedMs = (this.core.seen(this.good.name)?.waitedMs ?? waitedBefore) - waitedBefore
    const looks = (this.good.looks.get(asked) ?? 0) - before
    this.pending.clear()
    this.count += 1
    this.changes.push({ what, ms, waitedMs, looks, besideMs: await inBeside })
  }
}

const sorted = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id).sort()
const settled = (all: Readonly<Record<string, string>>, isSettled: (key: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => isSettled(key)))

export const medianOf = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN
