import { fail } from '../../shared/failure.ts'
import type { RunTrigger } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'

/** A run's own process, from its unit's start to its end. */
export const runPolicy = (_shell: Shell, _id: string, _trigger: RunTrigger, _run?: string): Promise<void> =>
  Promise.resolve().then(() => fail({ kind: 'usage', message: 'policies are not there yet' }))
