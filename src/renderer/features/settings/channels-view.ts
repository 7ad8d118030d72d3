import type { ChannelsView, OutboxItem } from '../../../shared/model/channels.ts'
import { formatMoment, formatUntil } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { HostPolicies, PoliciesView } from '../../../shared/views/policy-view.ts'
import { words } from './channel-words.ts'

/** A host, and what is known of how it tells; undefined until it has said so once. */
export interface TellingHost {
  readonly name: string
  readonly said: HostPolicies | undefined
}

/** Every host, as the hosts page has them. */
export function tellingHosts(hosts: readonly HostView[], policies: PoliciesView | undefined): readonly TellingHost[] {
  const said = new Map((policies?.hosts ?? []).map((each) => [each.host, each]))
  return hosts
    .map(({ name }) => ({ name, said: said.get(name) }))
    .toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
}

/** What a channel is, in a line or two; none of them where there is none. */
export function mailLines({ mail }: ChannelsView): readonly string[] {
  if (mail === undefined) return []
  const { server, port, security, user, from, to } = mail
  const login = user === undefined ? words.withoutLogin : words.asUser(user)
  const way = [`${server}:${port}`, words.security[security].short, login].join(' · ')
  return [safeText(way), safeText(words.fromTo(from, to.join(', ')))]
}

export function webhookLines({ webhook }: ChannelsView): readonly string[] {
  if (webhook === undefined) return []
  const at = words.webhookAt(words.forms[webhook.form].label, webhook.where)
  return [safeText(webhook.hasToken ? `${at} · ${words.withToken}` : at)]
}

/** Schedules that want to tell what this host has no way for. */
export function untold({ channels, policies }: HostPolicies): string | undefined {
  if (channels.mail !== undefined) return undefined
  const tells = policies.map(({ policy }) => policy.tell)
  if (channels.webhook !== undefined) {
    const named = tells.filter(({ mailTo }) => mailTo.length > 0).length
    return named === 0 ? undefined : words.mailMissing(named)
  }
  const wanting = tells.filter(({ onSuccess, onFailure, digest }) => onSuccess || onFailure || digest !== 'none').length
  return wanting === 0 ? undefined : words.tellsNobody(wanting)
}

/** What is tried next first; what was given up last. */
export const inTurn = (outbox: readonly OutboxItem[]): readonly OutboxItem[] =>
  outbox.toSorted((a, b) => turnOf(a) - turnOf(b) || b.at.localeCompare(a.at))

const turnOf = ({ nextTryAt }: OutboxItem): number =>
  nextTryAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(nextTryAt)

export const nextTryWords = ({ nextTryAt }: OutboxItem, now: Date): string =>
  nextTryAt === undefined ? words.givenUp : `${formatUntil(nextTryAt, now)} (${formatMoment(nextTryAt, now)})`
