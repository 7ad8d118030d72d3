import * as z from 'zod'

/** A point by its id, or as `PLACE/ID` where another place has another point of that id. */
export const PointName = z
  .string()
  .max(4600)
  .regex(/^([^]+\/)?\d{8}T\d{6}Z-[0-9a-f]{6}$/)

interface Named {
  readonly id: string
  /** Of the stores that have it. */
  readonly places: readonly { readonly label: string; readonly host?: string | undefined }[]
  /** Of stores that have another one of that id. */
  readonly rivals?: readonly string[] | undefined
}

/** What names this point and no other. It stays the same while its stores come and go. */
export function pointName({ id, places, rivals = [] }: Named): string {
  const [first] = places.map(({ label }) => label).sort()
  return rivals.length === 0 || first === undefined ? id : `${first}/${id}`
}

/** The place that a name says, if it says one, and the id or the beginning of one. */
export function partsOf(name: string): { readonly place: string | undefined; readonly id: string } {
  const slash = name.lastIndexOf('/')
  return slash === -1 ? { place: undefined, id: name } : { place: name.slice(0, slash), id: name.slice(slash + 1) }
}

/** The point of that name; where it says no place, that of the host rather than another's. */
export function pointCalled<T extends Named>(points: readonly T[], name: string, host?: string): T | undefined {
  const { place, id } = partsOf(name)
  const found = points.filter(
    (point) => point.id === id && (place === undefined || point.places.some(({ label }) => label === place))
  )
  return found.find(({ places }) => places.some((each) => each.host === host && host !== undefined)) ?? found[0]
}
