import type { HostCard } from '../../../shared/contract.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { failureShown, type FailureShown } from '../../ui/failure-shown.ts'
import type { HostsKnown } from './hosts-slice.ts'

export const ADD_HOST_COMMAND = 'stillpoint host add NAME ssh://USER@ADDRESS'

/** A host as its row shows it. */
export interface HostRow {
  readonly name: string
  /** With the port where one is set. */
  readonly address: string
  /** Undefined: `~/.ssh/config` decides. */
  readonly user: string | undefined
  readonly added: string
}

/** What the page shows. A failure may stand above the list as it was before. */
export interface HostsView {
  readonly body: 'loading' | 'empty' | 'list' | 'nothing'
  readonly rows: readonly HostRow[]
  readonly failure: FailureShown | undefined
  readonly asking: boolean
}

export function hostsView({ cards, failure, asking }: HostsKnown, locale: string): HostsView {
  const rows = cards === undefined ? [] : sorted(cards, locale).map((card) => rowOf(card, locale))
  return { body: bodyOf(cards, failure), rows, failure: failure && failureShown(failure), asking }
}

/** An empty list is only called empty when that is known. */
function bodyOf(cards: HostsKnown['cards'], failure: HostsKnown['failure']): HostsView['body'] {
  if (cards === undefined) return failure === undefined ? 'loading' : 'nothing'
  if (cards.length > 0) return 'list'
  return failure === undefined ? 'empty' : 'nothing'
}

/** As people count: host-2 before host-10. */
function sorted(cards: readonly HostCard[], locale: string): readonly HostCard[] {
  const order = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' })
  return cards.toSorted((a, b) => order.compare(a.name, b.name))
}

const rowOf = (card: HostCard, locale: string): HostRow => ({
  name: safeText(card.name),
  address: safeText(addressOf(card)),
  user: card.user === undefined ? undefined : safeText(card.user),
  added: dateOf(card.addedAt, locale)
})

/** An IPv6 address needs its brackets before a port. */
function addressOf({ address, port }: HostCard): string {
  if (port === undefined) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** The day in this computer's time zone; text that is no time is shown as it is. */
function dateOf(iso: string, locale: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime())
    ? safeText(iso)
    : new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(date)
}
