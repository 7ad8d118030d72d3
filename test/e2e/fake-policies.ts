import { fail } from '../../src/shared/failure.ts'
import type { Handlers } from '../../src/shared/contract.ts'
import type { LiveValue } from '../../src/main/core/live/live-value.ts'

/** Policies of made-up hosts. */
export function fakePolicies(saying: <T>(first: T, everyMs?: number) => LiveValue<T>): Handlers['policies'] {
  const all = saying({ hosts: [], known: true })
  const runs = saying([])
  const refuse = (): Promise<never> => Promise.resolve().then(() => fail({ kind: 'usage', message: 'made up' }))
  return {
    changed: (listener) => all.listen(listener),
    runs: (listener) => runs.listen(listener),
    put: refuse,
    remove: refuse,
    run: refuse,
    pause: refuse,
    prunePlan: refuse,
    parallel: refuse,
    channels: refuse,
    test: refuse
  }
}
