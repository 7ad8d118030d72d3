import { Script, createContext } from 'node:vm'
import { vi } from 'vitest'
import { PATIENCE_MS } from './lab/run.ts'

export { PATIENCE_MS }

/** Waits until the check passes, and fails as the check does where it never comes to pass. */
export const eventually = <T>(check: () => T | Promise<T>, interval = 20): Promise<T> =>
  vi.waitFor(check, { timeout: PATIENCE_MS, interval })

/** What the work returns. Fails where it would go on practically for ever: exponential in what it was given, or in a loop. */
export function comesToAnEnd<T>(work: () => T, withinMs = PATIENCE_MS): T {
  const place: { work: () => void; result?: { value: T } } = {
    work: () => {
      place.result = { value: work() }
    }
  }
  new Script('work()').runInContext(createContext(place), { timeout: withinMs })
  if (place.result === undefined) throw new Error('nothing was done')
  return place.result.value
}
