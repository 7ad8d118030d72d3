import { describe, expect, it } from 'vitest'
import {
  mailDraftOf,
  mailOf,
  webhookDraftOf,
  webhookOf,
  withSecurity,
  type ChannelHost,
  type MailDraft
} from '../../../src/renderer/features/settings/channel-draft.ts'
import {
  inTurn,
  mailLines,
  nextTryWords,
  untold,
  webhookLines
} from '../../../src/renderer/features/settings/channels-view.ts'
import { channelKey } from '../../../src/renderer/features/settings/channels-slice.ts'
import { createWindowStore } from '../../../src/renderer/state/store.ts'
import type { ChannelsView } from '../../../src/shared/model/channels.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import type { HostPolicies, PolicyState } from '../../../src/shared/views/policy-view.ts'
import { fakeTelling } from '../../e2e/fake-channels.ts'
import { askedCore } from './asked-core.ts'

const NOW = new Date('2026-11-22T20:00:00.000Z')
const { channels: BOTH, outbox: OUTBOX } = fakeTelling(0, NOW, true)
const has = (host: string, channels: ChannelsView = BOTH): ChannelHost => ({ host, channels })
const bare = (host: string): ChannelHost => has(host, {})
const typed: MailDraft = {
  ...mailDraftOf(undefined),
  server: 'mail.example.org',
  from: 'stillpoint@example.org',
  to: 'ops@example.org; night@example.org'
}

describe('the form of mail', () => {
  it('begins with what the host has, the password left out', () => {
    expect(mailDraftOf(BOTH.mail)).toMatchObject({
      server: 'mail.example.org',
      port: '587',
      password: '',
      user: 'stillpoint'
    })
  })

  it('asks for what is missing, and says what is wrong with the rest', () => {
    expect(mailOf(mailDraftOf(undefined), [bare('kvm-1')])).toMatchObject({
      problems: { server: 'A host name or an address.', from: 'A mail address.', to: 'At least one mail address.' }
    })
    const wrong = { ...typed, port: '70000', to: 'ops@example.org, nobody', ca: 'x', password: 'alone' }
    expect(mailOf(wrong, [])).toEqual({
      problems: {
        port: 'A number from 1 to 65535.',
        password: 'A password needs a login.',
        to: '“nobody” is no mail address.',
        ca: 'It begins with -----BEGIN CERTIFICATE-----.'
      }
    })
  })

  it('sends nothing but what was typed', () => {
    expect(mailOf(typed, [bare('kvm-1')])).toEqual({
      change: {
        mail: {
          server: 'mail.example.org',
          port: 587,
          security: 'starttls',
          from: 'stillpoint@example.org',
          to: ['ops@example.org', 'night@example.org']
        }
      }
    })
  })

  it('keeps a password only where server, port and login stay', () => {
    const draft = mailDraftOf(BOTH.mail)
    expect(mailOf(draft, [has('kvm-1')])).toHaveProperty('change')
    const anew = { problems: { password: 'Type it: kvm-2 has none for this server and login.' } }
    expect(mailOf(draft, [has('kvm-1'), bare('kvm-2')])).toEqual(anew)
    expect(mailOf({ ...draft, server: 'evil.example.org' }, [has('kvm-1')])).toHaveProperty('problems.password')
    expect(mailOf({ ...draft, port: '25' }, [has('kvm-1')])).toHaveProperty('problems.password')
    expect(mailOf({ ...draft, security: 'none' }, [has('kvm-1')])).toHaveProperty('problems.password')
    expect(mailOf({ ...draft, security: 'tls' }, [has('kvm-1')])).toHaveProperty('change')
    expect(mailOf({ ...draft, server: 'new.example.org', password: 'p' }, [has('kvm-1')])).toHaveProperty('change')
  })

  it('takes the usual port along with the encryption, unless another one was typed', () => {
    expect(withSecurity(typed, 'tls').port).toBe('465')
    expect(withSecurity({ ...typed, port: '2525' }, 'tls').port).toBe('2525')
  })
})

describe('the form of a webhook', () => {
  const empty = webhookDraftOf(undefined)

  it('wants an address where a host has none', () => {
    expect(webhookOf(empty, [has('kvm-1'), bare('kvm-2')])).toEqual({
      problems: { url: 'Type it: kvm-2 has none yet.' }
    })
    expect(webhookOf({ ...empty, url: 'ftp://x' }, [])).toHaveProperty('problems.url')
    expect(webhookOf({ ...empty, url: 'https://ntfy.example.org/' }, [])).toHaveProperty(
      'problems.url',
      'It ends with the topic: https://ntfy.example.org/my-topic'
    )
  })

  it('leaves out what stays as it is', () => {
    expect(webhookOf(webhookDraftOf(BOTH.webhook), [has('kvm-1')])).toEqual({ change: { webhook: { form: 'ntfy' } } })
  })

  it('wants the token of Gotify wherever there is none for that address', () => {
    const gotify = { ...empty, form: 'gotify', url: 'https://gotify.example.org/message' } as const
    expect(webhookOf(gotify, [has('kvm-1')])).toHaveProperty('problems.token')
    expect(webhookOf({ ...gotify, token: 't' }, [has('kvm-1')])).toHaveProperty('change.webhook.token', 't')
  })
})

describe('how hosts tell, in words', () => {
  it('says the way, the login and the addresses', () => {
    expect(mailLines(BOTH)).toEqual([
      'mail.example.org:587 · STARTTLS · login stillpoint',
      'from Stillpoint <stillpoint@example.org> to ops@example.org, night-shift@example.org'
    ])
    expect(webhookLines(BOTH)).toEqual(['ntfy at https://ntfy.example.org · with token'])
    expect([mailLines({}), webhookLines({})]).toEqual([[], []])
  })

  it('lists what is still tried before what was given up', () => {
    const [first, last] = inTurn(OUTBOX.toReversed())
    expect([first, last].map((item) => item && nextTryWords(item, NOW))).toEqual([
      expect.stringContaining('in 12 min'),
      'Given up'
    ])
  })

  it('tells of schedules that nobody would hear', () => {
    const tells = (more: object): PolicyState =>
      ({
        policy: { tell: { onSuccess: false, onFailure: false, digest: 'none', mailTo: [], ...more } }
      }) as unknown as PolicyState
    const said = (channels: ChannelsView, ...policies: PolicyState[]): string | undefined =>
      untold({ channels, policies } as unknown as HostPolicies)
    expect(said({}, tells({ onFailure: true }), tells({ digest: 'daily' }), tells({}))).toBe(
      '2 schedules want to tell, and there is no way to'
    )
    expect(said({ ...(BOTH.webhook && { webhook: BOTH.webhook }) }, tells({ mailTo: ['a@example.org'] }))).toBe(
      '1 schedule names recipients, and there is no mail'
    )
    expect([said({}, tells({})), said(BOTH, tells({ onFailure: true }))]).toEqual([undefined, undefined])
  })
})

describe('errands of mail and webhook', () => {
  const REFUSED: Failure = { kind: 'not-told', channel: 'mail', detail: '535', fix: 'Compare the password.' }
  const change = { webhook: { form: 'slack', url: 'https://hooks.slack.example.org/services/x' } } as const

  it('go to every host that was chosen, and each answers for itself', async () => {
    const { bridge, asked } = askedCore()
    const store = createWindowStore(bridge)
    const saved = store.getState().saveChannel(['kvm-1', 'kvm-2'], change)
    await asked[0]?.succeeds({})
    await asked[1]?.fails(REFUSED)
    expect(await saved).toBe(false)
    expect(asked.map(({ question }) => question)).toEqual(['kvm-1', 'kvm-2'].map((host) => ({ host, change })))
    expect([...store.getState().channelSaves]).toEqual([
      ['webhook kvm-1', { state: 'saved' }],
      ['webhook kvm-2', { state: 'failed', failure: REFUSED }]
    ])
  })

  it('show what the other side said to a test, until the settings are others', async () => {
    const { bridge, last } = askedCore()
    const store = createWindowStore(bridge)
    const of = { channel: 'mail', host: 'kvm-1' } as const
    void store.getState().testChannel(of)
    await last('policies.test').succeeds({ text: '250 ok' })
    expect(store.getState().channelTests.get(channelKey(of))).toMatchObject({ state: 'sent', text: '250 ok' })
    void store.getState().testChannel(of)
    await last('policies.test').fails(REFUSED)
    expect(store.getState().channelTests.get(channelKey(of))).toEqual({ state: 'failed', failure: REFUSED })
    void store.getState().removeChannel(of)
    expect(store.getState().channelTests.size).toBe(0)
    await last('policies.channels').succeeds({})
    expect([last('policies.channels').question, store.getState().channelSaves.size]).toEqual([
      { host: 'kvm-1', change: { mail: null } },
      0
    ])
  })
})
