import { fail } from '../../shared/failure.ts'
import type { Policy } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import type { PolicyListing } from '../../shared/views/policy-view.ts'

const notYet = (): never => fail({ kind: 'usage', message: 'policies are not there yet' })

export const listPolicies = (_shell: Shell): Promise<PolicyListing> => Promise.resolve().then(notYet)
export const putPolicy = (_shell: Shell, _policy: Policy, _acceptStore: boolean): Promise<Policy> =>
  Promise.resolve().then(notYet)
export const removePolicy = (_shell: Shell, _id: string): Promise<{ removed: string[] }> =>
  Promise.resolve().then(notYet)
export const startRun = (_shell: Shell, _id: string): Promise<{ run: string }> => Promise.resolve().then(notYet)
export const setParallel = (_parallel: number): Promise<Record<string, never>> => Promise.resolve().then(notYet)
