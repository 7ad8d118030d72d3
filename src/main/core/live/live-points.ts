import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { withinYears } from '../../../shared/model/figures.ts'
import { forShell } from '../../../shared/model/restore-choice.ts'
import { partsOf } from '../../../shared/point-name.ts'
import { sizeBytesOf, type Manifest } from '../../../shared/model/point.ts'
import type { PlaceView, PointsView, PointView } from '../../../shared/views/point-view.ts'
import type { Core } from '../core.ts'
import { allPlaces } from '../hosts/host-book.ts'
import { lookInto, type Looked } from '../points/list-points.ts'
import {
  disownedBy,
  joinPlaces,
  onlyOneOf,
  placeLabel,
  pointsIn,
  tellersOf,
  type KnownPoint
} from '../points/point-places.ts'
import { samePlace, type Place } from '../settings/settings-schema.ts'
import { LiveValue } from './live-value.ts'
import { SharedRun } from './shared-run.ts'

const TELL_EVERY_MS = 100

/** The points of every store that is known, asked for when something may have changed there. */
export class LivePoints {
  readonly all = new LiveValue<PointsView>(TELL_EVERY_MS)
  private readonly core: Core
  private readonly looked = new Map<string, Looked>()
  private readonly old = new Set<string>()
  /** What hosts have told of points before is known. */
  private isTold = false
  private readonly looks = new Map<string, SharedRun>()
  private lastPlaces: Place[] = []

  constructor(core: Core) {
    this.core = core
    void core.history.ready().then(() => {
      this.isTold = true
      if (this.all.value !== undefined) this.tell()
    })
  }

  /** After a sleep what is known may be old: until a store has been asked again, nobody may conclude from a lack in it. */
  wake(): void {
    this.places().forEach((place) => this.old.add(label(place)))
    this.tell()
  }

  /** Asks the stores of a host, or with undefined those of this computer. */
  async refresh(host: string | undefined): Promise<void> {
    const places = this.places().filter((place) => (place.kind === 'host' ? place.host : undefined) === host)
    await Promise.all(places.map((place) => this.look(place)))
  }

  /** The stores that are known may have changed: what is new is asked, what has gone is forgotten. */
  async follow(): Promise<void> {
    const labels = new Set(this.places().map(label))
    for (const known of this.looked.keys()) if (!labels.has(known)) this.looked.delete(known)
    for (const known of this.looks.keys()) if (!labels.has(known)) this.looks.delete(known)
    const fresh = this.places().filter((place) => place.kind === 'local' && !this.looked.has(label(place)))
    await Promise.all(fresh.map((place) => this.look(place)))
    this.tell()
  }

  /** A point by its name, with the places that answer in front. @throws `ambiguous` if two of that id are known, and no place is named */
  find(name: string): KnownPoint | undefined {
    const { place, id } = partsOf(name)
    const found = this.joined().filter(
      ({ manifest, places }) =>
        manifest.id === id && (place === undefined || places.some((each) => label(each) === place))
    )
    return onlyOneOf(found, name, DEFAULT_STORE)
  }

  isReachable(place: Place): boolean {
    return this.looked.get(label(place))?.unreachable === undefined
  }

  /** Those of the settings; while these cannot be read, those that were last in them. */
  places(): Place[] {
    try {
      this.lastPlaces = allPlaces(this.core.settings.read())
    } catch {
      return this.lastPlaces
    }
    return this.lastPlaces
  }

  /** One at a time for each store; all who come meanwhile share one look afterwards. */
  private async look(place: Place): Promise<void> {
    const key = label(place)
    const looks = this.looks.get(key) ?? new SharedRun(() => this.lookNow(place))
    this.looks.set(key, looks)
    await looks.ask()
  }

  private async lookNow(place: Place): Promise<void> {
    const looked = await lookInto(this.core, place)
    if (this.places().some((known) => samePlace(known, place))) this.looked.set(label(place), looked)
    this.old.delete(label(place))
    const { history } = this.core
    const before = history.told.count
    this.tell()
    await history.ready()
    if (history.told.count !== before) this.tell()
  }

  private joined(): KnownPoint[] {
    const all = [...this.looked.values()].flatMap(({ place, listing }) => pointsIn(place, listing))
    return joinPlaces(all).map((point) => ({
      ...point,
      places: point.places.toSorted((a, b) => Number(this.isReachable(b)) - Number(this.isReachable(a)))
    }))
  }

  private tell(): void {
    const looked = [...this.looked.values()]
    const known =
      this.isTold && this.places().every((place) => this.looked.has(label(place)) && !this.old.has(label(place)))
    const hosts = known
      ? [...new Set(this.places().flatMap((place) => (place.kind === 'host' ? [place.host] : [])))]
      : []
    this.all.set({
      points: this.joined().map((point) => this.viewOf(point, hosts)),
      broken: looked.flatMap(({ place, listing }) => listing.broken.map((each) => ({ where: label(place), ...each }))),
      known
    })
  }

  /** `hosts`: of which it is known whether they have told of it. */
  private viewOf(point: KnownPoint, hosts: readonly string[]): PointView {
    const { manifest, places, marks, rivals = [] } = point
    const tellers = tellersOf(this.core.history.told, point, DEFAULT_STORE)
    const having = new Set(places.map((place) => (place.kind === 'host' ? place.host : undefined)))
    const toldBy = tellers.hosts.filter((host) => !having.has(host))
    const disowning = disownedBy(tellers, point, hosts)
    return {
      id: manifest.id,
      vm: manifest.vm,
      host: manifest.host.name,
      takenAt: withinYears(manifest.takenAt),
      method: manifest.method,
      hasMemory: manifest.memory !== undefined,
      disks: heldDisks(manifest),
      sizeBytes: sizeBytesOf(manifest),
      pauseMs: manifest.pauseMs,
      ...(manifest.memory && { memoryBytes: sizeOf(manifest, manifest.memory.file) }),
      ...(manifest.policy && { policy: manifest.policy }),
      warnings: [
        ...rivals.map(rivalText),
        ...(disowning === undefined ? [] : [disownedText(disowning)]),
        ...manifest.warnings
      ],
      places: places.map((place) => this.placeView(place)),
      ...(rivals.length > 0 && { rivals: rivals.map(label) }),
      ...(toldBy.length > 0 && { toldBy }),
      ...(tellers.isOurs && { isOurs: true }),
      marks
    }
  }

  private placeView(place: Place): PlaceView {
    return {
      kind: place.kind,
      ...(place.kind === 'host' && { host: place.host }),
      dir: place.dir,
      label: label(place),
      reachable: this.isReachable(place)
    }
  }
}

const rivalText = (place: Place): string =>
  `${label(place)} has another point of this id: one of the two is not what it says, and what is done here is not done to that one. A host that you do not trust can be taken out: ${
    place.kind === 'host' ? forShell(['stillpoint', 'host', 'remove', place.host]) : 'remove its store'
  }`

const disownedText = (host: string): string =>
  `It says that it was taken on ${host}, which never told of it: it does not count as protection of a VM there`

const heldDisks = ({ disks }: Manifest): PointView['disks'] =>
  disks.map(({ target, originalSource: source }) => ({ target, source }))

const sizeOf = ({ files }: Manifest, path: string): number => files.find((file) => file.path === path)?.sizeBytes ?? 0

const label = (place: Place): string => placeLabel(place, DEFAULT_STORE)
