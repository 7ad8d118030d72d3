import type { RunReport } from '../../../shared/model/policy.ts'
import type { PoliciesView } from '../../../shared/views/policy-view.ts'
import { LiveValue } from './live-value.ts'

/** The policies of every host, and how their runs went. */
export class LivePolicies {
  readonly all = new LiveValue<PoliciesView>(100, { hosts: [], known: false })
  readonly runs = new LiveValue<readonly RunReport[]>(100, [])
}
