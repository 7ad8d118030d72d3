import { createHash } from 'node:crypto'
import { formatDuration } from '../../shared/format.ts'
import { stampOf } from './digest-message.ts'
import { timeIn } from './host-time.ts'
import { subjectOf, tableOf, type Message, type SilentVm } from './message.ts'
import { zoneFact } from './run-message.ts'

/** VMs that have gone without a good point for too long. */
export function messageOfSilence(host: string, silent: readonly SilentVm[], at: Date, zone: string): Message {
  const lead = leadOf(silent, zone)
  const rows = silent.map((each) => ({
    severity: 'failure' as const,
    cells: [
      each.vm.name,
      each.lastGoodAt === undefined ? 'none yet' : timeIn(zone, each.lastGoodAt),
      formatDuration(each.expectedEveryMs),
      timeIn(zone, each.since),
      each.policy.name
    ]
  }))
  return {
    id: `silence-${stampOf(at).slice(0, 8)}-${hashOf(silent)}`,
    event: 'silence',
    at: at.toISOString(),
    host,
    severity: 'failure',
    subject: subjectOf(host, lead, ''),
    lead,
    facts: [['Host', host], ['What now', 'Look at the last runs of the schedule, and run it by hand.'], zoneFact(zone)],
    sections: [tableOf('VMs', ['VM', 'Last good point', 'Expected within', 'Overdue since', 'Schedule'], rows)],
    data: { runs: [], silent: [...silent] }
  }
}

function leadOf(silent: readonly SilentVm[], zone: string): string {
  const [first] = silent
  if (first === undefined || silent.length > 1) return `${silent.length} VMs without a good backup for too long`
  return first.lastGoodAt === undefined
    ? `no good backup of ${first.vm.name} yet`
    : `no good backup of ${first.vm.name} since ${timeIn(zone, first.lastGoodAt)}`
}

/** The same VMs silent since the same time are the same message, also after a crash. */
const hashOf = (silent: readonly SilentVm[]): string =>
  createHash('sha256')
    .update(JSON.stringify(silent.map(({ vm, since }) => [vm.uuid, since])))
    .digest('hex')
    .slice(0, 8)
