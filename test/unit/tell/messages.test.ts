import { describe, expect, it } from 'vitest'
import { messageOfDigest } from '../../../src/engine/tell/digest-message.ts'
import { htmlOf } from '../../../src/engine/tell/mail-html.ts'
import { textOf } from '../../../src/engine/tell/mail-text.ts'
import { mimeOf } from '../../../src/engine/tell/mail.ts'
import { cleaned, type Message } from '../../../src/engine/tell/message.ts'
import { messageOfRun } from '../../../src/engine/tell/run-message.ts'
import { messageOfSilence } from '../../../src/engine/tell/silence-message.ts'
import { webhookRequest } from '../../../src/engine/tell/webhook-forms.ts'
import { WEBHOOK_FORMS, type WebhookChannel } from '../../../src/shared/model/channels.ts'
import { safeLines } from '../../../src/shared/safe-text.ts'
import { parseMail } from '../../contract/mime.ts'
import { expectGolden } from './golden.ts'
import { done, failed, failure, nasty, policy, run, success, uuidOf, zone } from './told-things.ts'

const silent = [
  {
    vm: { uuid: uuidOf(3), name: 'db1' },
    policy: { id: 'a1b2c3d4e5f6', name: 'nightly' },
    lastGoodAt: '2026-11-20T01:00:41.000Z',
    since: '2026-11-21T07:00:41.000Z',
    expectedEveryMs: 108_000_000
  }
]
const week = [
  run([done(1, 'web1'), done(3, 'db1')], {}, -2),
  run([done(1, 'web1'), failed(3, 'db1', 'Not enough room in /srv/points')], {}, -1),
  run([done(1, 'web1', { pauseMs: 81 }), done(3, 'db1')], { missedCount: 2, missed: [] }, 0)
]
const digest = messageOfDigest(
  {
    cadence: 'daily',
    slot: new Date('2026-11-24T06:00:00Z'),
    at: new Date('2026-11-24T06:02:10Z'),
    parts: [
      {
        policy: policy(),
        runs: week,
        since: new Date('2026-11-21T06:00:00Z'),
        silent: [],
        nextRunAt: '2026-11-25T01:00:00.000Z'
      },
      {
        policy: policy({ id: 'b1b2c3d4e5f6', name: 'hourly' }),
        runs: [],
        since: new Date('2026-11-21T06:00:00Z'),
        silent,
        nextRunAt: undefined
      }
    ]
  },
  zone
)

const messages: readonly (readonly [string, Message])[] = [
  ['success', messageOfRun(success, zone)],
  ['failure', messageOfRun(failure, zone)],
  ['nasty-names', messageOfRun(nasty, zone)],
  ['digest', digest],
  ['silence', messageOfSilence('kvm-1', silent, new Date('2026-11-24T06:00:00Z'), zone)]
]

describe.each(messages)('a message of %s', (name, message) => {
  it('is the mail that was looked at, in text and HTML', () => {
    const told = cleaned(message)
    expectGolden(`mail/${name}.txt`, `${told.subject}\n\n${textOf(told)}`)
    expectGolden(`mail/${name}.html`, htmlOf(told))
  })

  it('has every fact of the text in the HTML', () => {
    const told = cleaned(message)
    const shown = htmlOf(told)
      .replaceAll(/<[^>]+>/g, '\n')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&')
    const facts = [
      told.lead,
      ...told.facts.flat(),
      ...told.sections.flatMap(({ title, rows }) => [
        title,
        ...rows.flatMap(({ cells, note = '' }) => [...cells, note])
      ])
    ]
    for (const fact of facts) {
      expect(shown).toContain(fact)
      expect(textOf(told)).toContain(fact)
    }
  })

  it('arrives with one subject, and without a header, control or bidi character that a name put in', async () => {
    const mail = (await mimeOf({ from: 'Stillpoint <kvm-1@example.org>' }, message, ['admin@example.org'])).toString(
      'latin1'
    )
    const { headers, parts } = parseMail(mail)
    expect(Object.keys(headers).sort()).toEqual(
      [
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
        'x-auto-response-suppress'
      ].sort()
    )
    expect(headers['subject']).toBe(cleaned(message).subject)
    for (const part of [headers['subject'], parts['text/plain'], parts['text/html']]) {
      expect(part).toBeTruthy()
      expect(part).toBe(safeLines(part ?? ''))
    }
    expect(parts['text/html']).not.toMatch(/<(img|script|link|iframe|a)\b/)
  })
})

describe('the subject says the worst first', () => {
  it.each([
    ['Stillpoint kvm-1: 3 VMs backed up, stood still 36 to 42 ms (nightly)', messageOfRun(success, zone)],
    ['Stillpoint kvm-1: 1 of 4 failed (nightly)', messageOfRun(failure, zone)],
    ['Stillpoint kvm-1: 1 of 6 backups failed (daily digest)', digest]
  ])('%s', (subject, message) => expect(message.subject).toBe(subject))
})

describe.each(WEBHOOK_FORMS)('the webhook of form %s', (form) => {
  const channel: WebhookChannel = { form, url: 'https://hooks.example.org/alerts', token: 'tk_secret' }

  it.each([
    ['failure', messageOfRun(failure, zone)],
    ['nasty-names', messageOfRun(nasty, zone)]
  ])('is as it was looked at: %s', (name, message) => {
    expectGolden(`webhook/${form}-${name}.json`, `${JSON.stringify(webhookRequest(channel, message), undefined, 2)}\n`)
  })
})
