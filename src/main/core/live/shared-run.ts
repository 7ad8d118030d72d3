import { setTimeout as sleep } from 'node:timers/promises'

/** Work that goes on once at a time: all who ask for it meanwhile share one run afterwards, however many they are. */
export class SharedRun {
  private readonly work: () => Promise<void>
  private readonly restMs: number
  private now: Promise<void> | undefined
  private next: Promise<void> | undefined

  /** `restMs`: so long nothing is done between two runs. */
  constructor(work: () => Promise<void>, restMs = 0) {
    this.work = work
    this.restMs = restMs
  }

  /** Resolves when a run is over that began after this was asked for. @throws what the work fails with */
  ask(): Promise<void> {
    if (this.now === undefined) return this.run()
    return (this.next ??= this.afterwards(this.now))
  }

  private async afterwards(now: Promise<void>): Promise<void> {
    await now.catch(() => undefined)
    await sleep(this.restMs, undefined, { ref: false })
    this.next = undefined
    await this.run()
  }

  private run(): Promise<void> {
    const run = this.work().finally(() => {
      if (this.next === undefined) this.now = undefined
    })
    this.now = run
    return run
  }
}
