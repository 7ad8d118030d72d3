import { AsyncLocalStorage } from 'node:async_hooks'
import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

type Name = 'one' | 'other'
const NAMES: readonly Name[] = ['one', 'other']

/** How far one of two has come: it waits before each step until it may take it. */
class Walker {
  taken = 0
  private mayTake = 0
  private isOver = false
  private go: () => void = () => undefined
  private hasStopped: () => void = () => undefined

  async step(): Promise<void> {
    if (this.taken === this.mayTake) {
      const mayGo = new Promise<void>((resolve) => (this.go = resolve))
      this.hasStopped()
      await mayGo
    }
    this.taken += 1
  }

  /** Resolves when it waits again, or has come to its end. */
  async walk(steps: number): Promise<void> {
    if (this.isOver || steps === 0) return
    const stopped = new Promise<void>((resolve) => (this.hasStopped = resolve))
    this.mayTake = this.taken + steps
    this.go()
    await stopped
  }

  end(): void {
    this.isOver = true
    this.hasStopped()
  }
}

/**
 * Two that work with the same files in turns that are given: every call on a file system is a step, before which they can be
 * held. So each moment at which one is interrupted by the other can be tried, and none depends on time.
 */
export class TakingTurns {
  private readonly who = new AsyncLocalStorage<Name>()
  private walkers = new Map(NAMES.map((name) => [name, new Walker()]))
  private readonly real = { ...fs }

  /** From now on, until `undo`. */
  hold(): void {
    const { real } = this
    const stepped = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        await this.step()
        return call(...args)
      }
    }
    Object.assign(fs, {
      appendFile: stepped(real.appendFile),
      readdir: stepped(real.readdir as (path: string) => Promise<string[]>),
      rename: stepped(real.rename),
      rm: stepped(real.rm),
      stat: stepped(real.stat as (path: string) => Promise<unknown>),
      open: stepped(async (...args: Parameters<typeof real.open>) => this.held(await real.open(...args)))
    })
    syncBuiltinESMExports()
  }

  undo(): void {
    Object.assign(fs, this.real)
    syncBuiltinESMExports()
  }

  /** The one begins; after each of these numbers of steps it is the turn of the other of them; then each goes to its end. */
  async run(work: Record<Name, () => Promise<void>>, turns: readonly number[]): Promise<Record<Name, number>> {
    this.walkers = new Map(NAMES.map((name) => [name, new Walker()]))
    const [one, other] = NAMES.map((name) => this.walker(name)) as [Walker, Walker]
    const ends = NAMES.map((name) =>
      this.who.run(name, async () => {
        await this.walker(name).step()
        await work[name]().finally(() => this.walker(name).end())
      })
    )
    for (const [n, steps] of turns.entries()) await (n % 2 === 0 ? one : other).walk(steps + Number(n < 2))
    await one.walk(Infinity)
    await other.walk(Infinity)
    await Promise.all(ends)
    return { one: one.taken - 1, other: other.taken - 1 }
  }

  private walker(name: Name): Walker {
    const walker = this.walkers.get(name)
    if (walker === undefined) throw new Error(`nobody is called ${name}`)
    return walker
  }

  private async step(): Promise<void> {
    const name = this.who.getStore()
    if (name !== undefined) await this.walker(name).step()
  }

  /** Of an open file, writing is a step too. */
  private held(file: FileHandle): FileHandle {
    return new Proxy(file, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...args: unknown[]) => unknown
        if (key !== 'write' && key !== 'appendFile') return call
        return async (...args: unknown[]) => {
          await this.step()
          return call(...args)
        }
      }
    })
  }
}
