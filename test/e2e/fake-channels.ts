import type { LiveValue } from '../../src/main/core/live/live-value.ts'
import type { Handlers } from '../../src/shared/contract.ts'
import { fail } from '../../src/shared/failure.ts'
import type { ChannelsChange, ChannelsView } from '../../src/shared/model/channels.ts'
import type { PoliciesView, PolicyListing } from '../../src/shared/views/policy-view.ts'
import { NASTY } from './fake-data.ts'

const MINUTE_MS = 60_000

/** How the n-th made-up host tells: the first has mail and webhook, the second mail alone, others nothing. */
export function fakeTelling(n: number, now: Date, troubles: boolean): Pick<PolicyListing, 'channels' | 'outbox'> {
  const outbox = troubles && n === 0 ? fakeOutbox(now) : []
  if (n > 1) return { channels: {}, outbox }
  const webhook: ChannelsView['webhook'] = { form: 'ntfy', where: 'https://ntfy.example.org', hasToken: true }
  return { channels: { mail: MAIL, ...(n === 0 && { webhook }) }, outbox }
}

const MAIL: ChannelsView['mail'] = {
  server: 'mail.example.org',
  port: 587,
  security: 'starttls',
  user: 'stillpoint',
  from: 'Stillpoint <stillpoint@example.org>',
  to: ['ops@example.org', 'night-shift@example.org'],
  hasPassword: true
}

function fakeOutbox(now: Date): PolicyListing['outbox'] {
  const at = (minutes: number): string => new Date(now.getTime() + minutes * MINUTE_MS).toISOString()
  return [
    {
      id: '1',
      channel: 'mail',
      subject: `Stillpoint kvm-1: 1 of 7 failed (nightly ${NASTY[1] ?? ''})`,
      at: at(-95),
      tries: 4,
      lastError: 'mail.example.org:587 does not answer (connection refused)',
      nextTryAt: at(12)
    },
    {
      id: '2',
      channel: 'webhook',
      subject: `Stillpoint kvm-1: ${NASTY[2] ?? ''}`,
      at: at(-4500),
      tries: 21,
      lastError: `https://ntfy.example.org answered 500 ${NASTY[0] ?? ''}`
    }
  ]
}

/** Saves what is asked of it, and sends nothing. */
export function fakeChannelHandlers(
  policies: LiveValue<PoliciesView>,
  refuses: boolean
): Pick<Handlers['policies'], 'channels' | 'test'> {
  const refused = (): never =>
    fail({
      kind: 'not-told',
      channel: 'mail',
      detail: 'mail.example.org answered: 535 5.7.8 authentication failed.',
      fix: 'Compare login and password with what the mail server expects.'
    })
  const put = async (host: string, change: ChannelsChange): Promise<ChannelsView> => {
    const all = policies.value ?? { hosts: [], known: true }
    const before = all.hosts.find((each) => each.host === host)?.channels ?? {}
    const channels = changed(before, change)
    policies.set({ ...all, hosts: all.hosts.map((each) => (each.host === host ? { ...each, channels } : each)) })
    return Promise.resolve(channels)
  }
  return {
    channels: ({ host, change }) => (refuses ? Promise.resolve().then(refused) : put(host, change)),
    test: () => Promise.resolve().then(() => (refuses ? refused() : { text: '250 2.0.0 queued as 4F1A2' }))
  }
}

function changed(before: ChannelsView, { mail, webhook }: ChannelsChange): ChannelsView {
  const { password, ...mailRest } = mail ?? {}
  const where = webhook?.url === undefined ? before.webhook?.where : new URL(webhook.url).origin
  return {
    ...(mail === undefined && before.mail && { mail: before.mail }),
    ...(mail && {
      mail: { ...mail, ...mailRest, hasPassword: password !== undefined || before.mail?.hasPassword === true }
    }),
    ...(webhook === undefined && before.webhook && { webhook: before.webhook }),
    ...(webhook && {
      webhook: {
        form: webhook.form,
        where: where ?? '',
        hasToken: webhook.token !== undefined || before.webhook?.hasToken === true
      }
    })
  }
}
