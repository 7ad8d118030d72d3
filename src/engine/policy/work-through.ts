import { setTimeout as sleep } from 'node:timers/promises'

export interface QueueSetting {
  /** Side by side, at most. */
  readonly workers: number
  /** How long an item that could not be done rests, while others get their turn. */
  readonly againAfterMs: number
}

/** Works through all items in their order. One that answers `later` comes again, behind those that are not resting. */
export async function workThrough<T>(
  items: readonly T[],
  work: (item: T) => Promise<'done' | 'later'>,
  { workers, againAfterMs }: QueueSetting
): Promise<void> {
  const queue = items.map((item) => ({ item, notBefore: 0 }))
  let open = queue.length
  async function worker(): Promise<void> {
    while (open > 0) {
      const next = queue.findIndex(({ notBefore }) => notBefore <= performance.now())
      const [taken] = next === -1 ? [] : queue.splice(next, 1)
      if (taken === undefined) await sleep(Math.min(againAfterMs, 100))
      else if ((await work(taken.item)) === 'done') open -= 1
      else queue.push({ item: taken.item, notBefore: performance.now() + againAfterMs })
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(workers, items.length)) }, worker))
}
