import type { OutboxItem } from '../../shared/model/channels.ts'
import type { Policy, RunReport, Told } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'

/** Tells of a run that has ended, as its policy wants it. What does not go through waits in the outbox. Never throws. */
export const tellOfRun = (_policy: Policy, _report: RunReport): Promise<Told[]> => Promise.resolve([])
/** For the timer: what waits in the outbox, digests that are due, VMs gone silent. */
export const tellWhatIsDue = (_shell: Shell): Promise<void> => Promise.resolve()
export const listOutbox = (): OutboxItem[] => []
