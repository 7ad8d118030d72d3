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

/** The host that a point was taken on, for people: one that is none of ours is told as what the point says. */
export const hostInWords = ({
  host,
  isHostUnknown = false
}: {
  readonly host: string
  readonly isHostUnknown?: boolean | undefined
}): string => (isHostUnknown ? `says: ${host}` : host)

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
