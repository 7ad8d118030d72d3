import * as z from 'zod'

/** A point by its id, or as `PLACE/ID` where another place has another point of that id. */
export const PointName = z
  .string()
  .max(4600)
  .regex(/^([^]+\/)?\d{8}T\d{6}Z-[0-9a-f]{6}$/)

interface Named {
  readonly id: string
  /** The host it was taken on. */
  readonly host: string
  /** Of the stores that have it. */
  readonly places: readonly { readonly label: string; readonly host?: string | undefined }[]
  /** Of stores that have another one of that id. */
  readonly rivals?: readonly string[] | undefined
}

/** What names this point and no other, by a place of its own host where that has it: others may come to list another. */
export function pointName({ id, host, places, rivals = [] }: Named): string {
  const own = places.filter((place) => place.host === host)
  const [first] = (own.length > 0 ? own : places).map(({ label }) => label).sort()
  return rivals.length === 0 || first === undefined ? id : `${first}/${id}`
}

/** Why the host that a point names is its own word. */
export interface HostClaim {
  /** It is none of ours. */
  readonly isHostUnknown?: boolean | undefined
  /** It is this one of ours, which never told of it though it was asked. */
  readonly notToldBy?: string | undefined
}

/** Where a point was taken: our name of the host, or what the point says. */
export interface PointOrigin extends HostClaim {
  readonly host: string
}

/** Nothing but the point says that it was taken there. */
export const isHostClaimed = ({ isHostUnknown, notToldBy }: HostClaim): boolean =>
  isHostUnknown === true || notToldBy !== undefined

/** Only what there is of it. */
export const claimOf = ({ isHostUnknown, notToldBy }: HostClaim): HostClaim => ({
  ...(isHostUnknown === true && { isHostUnknown }),
  ...(notToldBy !== undefined && { notToldBy })
})

/** The host that a point was taken on, for people: no host of ours is called like that which only the point says. */
export const hostInWords = (origin: PointOrigin): string =>
  isHostClaimed(origin) ? `says: ${origin.host}` : origin.host

/** Whether somebody who names a host means this: of one of ours is not what merely says so, unless that is asked for. */
export const isOfHost = (origin: PointOrigin, name: string, isOneOfOurs: boolean): boolean =>
  hostInWords(origin) === name || (!isOneOfOurs && origin.host === name)

/** The place that a name says, if it says one, and the id or the beginning of one. */
export function partsOf(name: string): { readonly place: string | undefined; readonly id: string } {
  const slash = name.lastIndexOf('/')
  return slash === -1 ? { place: undefined, id: name } : { place: name.slice(0, slash), id: name.slice(slash + 1) }
}

/** Every point that the name fits: more than one only where it says no place. */
export function pointsCalled<T extends Named>(points: readonly T[], name: string): readonly T[] {
  const { place, id } = partsOf(name)
  return points.filter(
    (point) => point.id === id && (place === undefined || point.places.some(({ label }) => label === place))
  )
}

/**
 * The point of that name. Where it says no place and there are two, that of this host, else none: one of them may have come to be
 * listed since the name was taken.
 */
export function pointCalled<T extends Named>(points: readonly T[], name: string, host?: string): T | undefined {
  const found = pointsCalled(points, name)
  if (found.length <= 1) return found[0]
  return host === undefined ? undefined : found.find(({ places }) => places.some((place) => place.host === host))
}
