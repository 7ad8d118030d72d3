import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { PointOrigin } from '../../../shared/point-name.ts'
import type { Core } from '../core.ts'
import { OurHosts } from '../hosts/our-hosts.ts'
import type { Place } from '../settings/settings-schema.ts'
import type { Told } from '../settings/told-points.ts'
import type { PointList } from './list-points.ts'
import { disownedBy, tellersOf, type KnownPoint, type PointInShort } from './point-places.ts'

/** What has to be known to say whose a point is. */
export interface HostsKnown {
  readonly ours: OurHosts
  /** Names of those of which it is known whether they have told of a point. */
  readonly asked: ReadonlySet<string>
}

/** A point that says which machine it was taken on. */
type WithOrigin = PointInShort & Pick<Manifest, 'host'>

/** Where a point was taken, as it is told at every door: whoever made it gave its host a name of his own, and may have made it up. */
export function originOf(
  { manifest, places }: { readonly manifest: WithOrigin; readonly places: readonly Place[] },
  tellers: Told,
  known: HostsKnown
): PointOrigin {
  const { name } = manifest.host
  const home = known.ours.onlyThatMayBe(manifest.host)?.name
  // Machines are given another id, and hosts are installed anew: what the host of that name has itself told of is its own,
  // unless the machine is ours under another name now, and has it where that one has not.
  const isOwn = (host: string): boolean => tellers.atFirstHand.includes(host)
  const hasIt = (host: string): boolean => places.some((place) => place.kind === 'host' && place.host === host)
  const isOfHome = home !== undefined && isOwn(home) && hasIt(home) && !hasIt(name)
  if (home !== name && known.ours.has(name) && isOwn(name) && !isOfHome) return { host: name }
  if (home === undefined) return { host: name, isHostUnknown: true }
  const asked = known.asked.has(home) ? [home] : []
  const notToldBy = disownedBy(tellers, { manifest: { ...manifest, host: { name: home } } }, asked)
  return { host: home, ...(notToldBy !== undefined && { notToldBy }) }
}

/** The same of points that have just been listed: a host of which a store did not answer may have told of any. */
export async function originsIn(
  { settings, history }: Pick<Core, 'settings' | 'history'>,
  { unreachable }: Pick<PointList, 'unreachable'>
): Promise<(point: KnownPoint) => PointOrigin> {
  await history.ready()
  const { hosts } = settings.read()
  const silent = new Set(unreachable.map(({ host }) => host.split(':', 1)[0]))
  const asked = new Set(hosts.flatMap(({ name }) => (silent.has(name) ? [] : [name])))
  const known = { ours: new OurHosts(hosts), asked }
  return (point) => originOf(point, tellersOf(history.told, point, DEFAULT_STORE), known)
}
