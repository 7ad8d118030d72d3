import { randomBytes } from 'node:crypto'
import { timeIn } from './host-time.ts'
import { subjectOf, type Message } from './message.ts'
import { zoneFact } from './run-message.ts'

/** For *Send test*: says that what the host has to say arrives. */
export function testMessage(host: string, at: Date, zone: string): Message {
  return {
    id: `test-${randomBytes(6).toString('hex')}`,
    event: 'test',
    at: at.toISOString(),
    host,
    severity: 'ok',
    subject: subjectOf(host, 'test message', ''),
    lead: `What the schedules of ${host} have to say arrives here.`,
    facts: [['Host', host], ['Sent', timeIn(zone, at.toISOString())], zoneFact(zone)],
    sections: [],
    data: { runs: [], silent: [] }
  }
}
