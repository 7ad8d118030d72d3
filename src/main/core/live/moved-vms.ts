import { shorten } from '../../../shared/safe-text.ts'
import type { VmView } from '../../../shared/views/host-view.ts'
import { noticeId, type Said } from './notices.ts'

/** VMs that a host no longer has and another has now. */
export interface Moved {
  readonly from: string
  readonly to: string
  /** By the name that they had where they came from. */
  readonly vms: readonly Pick<VmView, 'uuid' | 'name'>[]
}

interface Seen {
  /** What it had when it was last looked at. */
  readonly has: ReadonlySet<string>
  /** VMs that are at home there, by UUID: also such that it has no more, and nobody else has had since. */
  readonly homes: Map<string, string>
}

/** Of a host that makes up one VM after the other. */
const MOST_LEFT = 1000

/**
 * Which host each VM is at home on, since Stillpoint has started: one that another lists as well does not move by that, nor when
 * the other lists it no more.
 */
export class VmHomes {
  private readonly hosts = new Map<string, Seen>()

  /** A host was looked at. */
  looked(host: string, vms: readonly Pick<VmView, 'uuid' | 'name'>[]): readonly Moved[] {
    const before = this.hosts.get(host)
    const now: Seen = { has: new Set(vms.map(({ uuid }) => uuid)), homes: before?.homes ?? new Map<string, string>() }
    this.hosts.set(host, now)
    const others = [...this.hosts].filter(([name]) => name !== host)
    const moves = [
      ...gone(host, now, others),
      ...vms.flatMap((vm) => come(host, now, others, { vm, isFirst: before === undefined }))
    ]
    forgetOldest(now)
    return [...Map.groupBy(moves, ({ from, to }) => `${from}/${to}`).values()].flatMap(([first, ...more]) =>
      first === undefined ? [] : [{ ...first, vms: [first, ...more].flatMap((move) => move.vms) }]
    )
  }

  /** It is looked after no more. */
  forget(host: string): void {
    this.hosts.delete(host)
  }
}

type Others = readonly (readonly [string, Seen])[]

/** Of its VMs that it has no more those that another has. */
function gone(host: string, { has, homes }: Seen, others: Others): readonly Moved[] {
  return [...homes].flatMap(([uuid, name]) => {
    if (has.has(uuid)) return []
    const [to, there] = others.find(([, other]) => other.has.has(uuid)) ?? []
    if (to === undefined) return []
    homes.delete(uuid)
    there?.homes.set(uuid, name)
    return [{ from: host, to, vms: [{ uuid, name }] }]
  })
}

interface Come {
  readonly vm: Moved['vms'][number]
  /** Its host is seen for the first time: such hosts may come in any order. */
  readonly isFirst: boolean
}

/** Of what it has one that may have been at home elsewhere. */
function come(host: string, { homes }: Seen, others: Others, { vm: { uuid, name }, isFirst }: Come): readonly Moved[] {
  const elsewhere = homes.has(uuid) ? [] : others.filter(([, other]) => other.homes.has(uuid))
  if (!isFirst && elsewhere.some(([, other]) => other.has.has(uuid))) return []
  homes.delete(uuid)
  homes.set(uuid, name)
  return elsewhere
    .filter(([, other]) => !other.has.has(uuid))
    .map(([from, other]) => {
      const known = other.homes.get(uuid) ?? name
      other.homes.delete(uuid)
      return { from, to: host, vms: [{ uuid, name: known }] }
    })
}

/** Those that it has came last. */
function forgetOldest({ has, homes }: Seen): void {
  for (const uuid of homes.keys()) {
    if (homes.size <= has.size + MOST_LEFT) return
    homes.delete(uuid)
  }
}

const MOST_NAMED = 20
/** Of all that are named: what to do comes behind it. */
const LONGEST_NAMES = 1000
const LONGEST_NAME = 100

/** In words for whoever moved them, and for whoever did not. */
export function movedNotice({ from, to, vms }: Moved): Said {
  const [first, ...more] = vms
  const at = new Date().toISOString()
  const names = vms.slice(0, MOST_NAMED).map(({ name }) => name)
  const [it, is] = more.length === 0 ? [shorten(first?.name ?? '', LONGEST_NAME), 'is'] : [`${vms.length} VMs`, 'are']
  const named =
    more.length === 0
      ? ''
      : `${shorten(names.join(', '), LONGEST_NAMES)}${vms.length > MOST_NAMED ? ' and more' : ''}. `
  return {
    id: noticeId(to, 'moved', from, first?.uuid ?? '', at),
    host: to,
    at,
    severity: 'info',
    title: `${it} left ${from} and ${is} on ${to} now`,
    text: `${named}If you moved ${more.length === 0 ? 'it' : 'them'}: points that only ${from} has do not count there, so see that a schedule on ${to} backs ${more.length === 0 ? 'it' : 'them'} up. If you did not, look at both hosts: which VMs a host has is its own word.`,
    goTo:
      first !== undefined && more.length === 0
        ? { screen: 'vm', host: to, vm: first.uuid }
        : { screen: 'hosts', host: to }
  }
}
