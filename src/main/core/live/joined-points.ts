import { HELD, type HeldPoint } from './held-points.ts'
import { joinOfId, type KnownPoint, type PlacedPoint } from '../points/point-places.ts'

export type HeldKnown = KnownPoint<HeldPoint>
type Placed = PlacedPoint<HeldPoint>

/** The points of all stores, each once. What one store says anew costs what is new in it, not what all the others have. */
export class JoinedPoints {
  /** By store, then by id. */
  private readonly stores = new Map<string, ReadonlyMap<string, Placed>>()
  /** By id, then by store. */
  private readonly copies = new Map<string, Map<string, Placed>>()
  private readonly joined = new Map<string, readonly HeldKnown[]>()
  private sorted: readonly HeldKnown[] | undefined

  /** Oldest first. */
  all(): readonly HeldKnown[] {
    this.sorted ??= [...this.joined.keys()].sort().flatMap((id) => this.of(id))
    return this.sorted
  }

  of(id: string): readonly HeldKnown[] {
    return this.joined.get(id) ?? []
  }

  /** What a store has now. */
  put(store: string, points: readonly Placed[]): void {
    const before = this.stores.get(store) ?? new Map<string, Placed>()
    const now = new Map(points.map((point) => [point.manifest.id, point]))
    for (const id of before.keys()) if (!now.has(id)) this.change(id, store, undefined)
    for (const [id, point] of now) {
      const known = before.get(id)
      if (known !== undefined && isSame(known, point)) now.set(id, known)
      else this.change(id, store, point)
    }
    if (points.length === 0) this.stores.delete(store)
    else this.stores.set(store, now)
  }

  private change(id: string, store: string, point: Placed | undefined): void {
    const copies = this.copies.get(id) ?? new Map<string, Placed>()
    if (point === undefined) copies.delete(store)
    else copies.set(store, point)
    this.sorted = undefined
    if (copies.size === 0) {
      this.copies.delete(id)
      this.joined.delete(id)
      return
    }
    this.copies.set(id, copies)
    this.joined.set(id, joinOfId([...copies.values()], HELD))
  }
}

const isSame = (a: Placed, b: Placed): boolean =>
  a.manifest.content === b.manifest.content &&
  a.manifest.memory === b.manifest.memory &&
  a.manifest.shown.sizeBytes === b.manifest.shown.sizeBytes &&
  a.isSecondHand === b.isSecondHand &&
  JSON.stringify(a.marks) === JSON.stringify(b.marks)
