import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import { forShell } from '../../../shared/model/restore-choice.ts'
import { partsOf } from '../../../shared/point-name.ts'
import { CharactersInTurns, othersTurn } from '../../../shared/turns.ts'
import type { BrokenPoint, PlaceView, PointsView, PointView, Verdict } from '../../../shared/views/point-view.ts'
import type { Core } from '../core.ts'
import { allPlaces } from '../hosts/host-book.ts'
import { OurHosts } from '../hosts/our-hosts.ts'
import { lastListing } from '../points/last-listing.ts'
import { askStore } from '../points/list-points.ts'
import { originOf, type HostsKnown } from '../points/point-origin.ts'
import { asIn, listedIn, nearestFirst, onlyOneOf, placeLabel, tellersOf, withSources } from '../points/point-places.ts'
import { EMPTY_SETTINGS, samePlace, type Place, type Settings } from '../settings/settings-schema.ts'
import { heldOf, leftOutText, withinHost, type HeldStore } from './held-points.ts'
import { JoinedPoints, type HeldKnown } from './joined-points.ts'
import { LiveValue } from './live-value.ts'
import { SharedRun } from './shared-run.ts'

const TELL_EVERY_MS = 100
/** What it costs to make the view of a point, beside finding it as it was, in characters that are taken. */
const ANEW = 300

/** A point as it was told last, as long as what it was told by is the same. */
interface LastView {
  readonly by: string
  readonly view: PointView
}

/** The points of every store that is known, asked for when something may have changed there. */
export class LivePoints {
  readonly all = new LiveValue<PointsView>(TELL_EVERY_MS)
  private readonly core: Core
  /** What is held of each store, by its label. */
  private readonly stores = new Map<string, HeldStore>()
  private readonly joined = new JoinedPoints()
  private readonly unreachable = new Set<string>()
  private readonly views = new WeakMap<HeldKnown, LastView>()
  /** Labels of stores that have been asked, or could not be; and of those that have not been asked since this computer slept. */
  private readonly asked = new Set<string>()
  private readonly old = new Set<string>()
  /** Labels of those of which what they have now is told, or being told; none after a sleep. */
  private heard: ReadonlySet<string> = new Set()
  /** What hosts have told of points before is known. */
  private isTold = false
  /** How much of the history's copies was known when it was last looked at where points came from, and of all when points were told. */
  private sourcedBy = 0
  private toldBy = 0
  private readonly looks = new Map<string, SharedRun>()
  private readonly telling = new SharedRun(() => this.tellNow())
  private readonly learning = new SharedRun(() => this.learnNow())
  private lastSettings: Settings = EMPTY_SETTINGS
  /** Labels of the stores that were told of last. */
  private followed: string | undefined
  /** Our hosts, when it was last looked at where points came from for their sake. */
  private machines: string
  /** What was known to this computer before is known. */
  readonly remembered: Promise<void>

  constructor(core: Core) {
    this.core = core
    this.machines = this.machinesNow()
    this.remembered = this.remember()
  }

  private machinesNow(): string {
    return JSON.stringify(this.settings().hosts.map(({ name, machineId }) => [name, machineId]))
  }

  /** What stores of hosts last had, as long as they have not been asked: of one host there may be a copy of another's point. */
  private async remember(): Promise<void> {
    for (const place of this.places()) if (place.kind === 'host') await this.rememberStore(place)
    await this.core.history.readOnce()
    this.isTold = true
    await this.sourceAnew()
    // Whatever is being told just now was begun without it.
    await this.tell()
  }

  private async rememberStore(place: Place): Promise<void> {
    if (this.stores.has(label(place))) return
    const last = await this.lastOf(place)
    if (!this.stores.has(label(place)) && last.points.length > 0 && this.isOfSettings(place)) this.hold(last)
  }

  /** What is held of a store, or else what it had when it last answered. */
  private async lastOf(place: Place): Promise<HeldStore> {
    const held = this.stores.get(label(place))
    if (held !== undefined) return held
    const last = await lastListing(this.core.folder, place)
    return heldOf(place, last?.listing ?? { points: [], broken: [], marks: {} })
  }

  private isOfSettings(place: Place): boolean {
    return this.places().some((known) => samePlace(known, place))
  }

  /** After a sleep what is known may be old: until a store has been asked again, nobody may conclude from a lack in it. */
  wake(): void {
    this.places().forEach((place) => this.old.add(label(place)))
    this.heard = new Set()
    const { value } = this.all
    if (value !== undefined) this.all.set({ points: value.points, broken: value.broken, ...this.knownOf() })
  }

  /** Asks the stores of a host, or with undefined those of this computer: the answer of each may be long, so one after the other. */
  async refresh(host: string | undefined): Promise<void> {
    await this.lookInto(this.places().filter((place) => hostOf(place) === host))
    await this.learning.ask()
  }

  private async lookInto([first, ...others]: readonly Place[]): Promise<void> {
    if (first === undefined) return
    await this.look(first)
    // Of a host that does not answer nothing is heard; each of its stores would wait as long.
    if (!this.isReachable(first)) await Promise.all(others.map((place) => this.look(place)))
    else for (const place of others) await this.look(place)
  }

  /**
   * The stores that are known may have changed: what is new is asked, what has gone is forgotten. A host with which there was no
   * contact yet has all of its stores asked then.
   */
  async follow(): Promise<void> {
    const places = this.places()
    const labels = new Set(places.map(label))
    const now = [...labels].sort().join('\0')
    for (const known of this.stores.keys()) if (!labels.has(known)) this.forget(known)
    for (const known of this.looks.keys()) if (!labels.has(known)) this.looks.delete(known)
    const told = now === this.followed ? undefined : this.tell()
    const machines = this.machinesNow()
    const sourced = machines === this.machines ? undefined : this.sourceAnew().then(() => this.tell())
    this.machines = machines
    this.followed = now
    const begun = new Set(places.filter((place) => this.looks.has(label(place))).map(hostOf))
    const fresh = places.filter(
      (place) => !this.looks.has(label(place)) && (place.kind === 'local' || begun.has(place.host))
    )
    await Promise.all([
      told,
      sourced,
      ...[...Map.groupBy(fresh, hostOf).values()].map((ofHost) => this.lookInto(ofHost))
    ])
    if (fresh.length > 0) await this.learning.ask()
  }

  /** A point by its name, with the places in front from which it is best fetched. @throws `ambiguous` if two of that id are known, and no place is named */
  find(name: string): HeldKnown | undefined {
    const { place, id } = partsOf(name)
    const found = this.joined
      .of(id)
      .filter(({ places }) => place === undefined || places.some((each) => label(each) === place))
    const only = onlyOneOf(found, name, DEFAULT_STORE)
    const named = only?.places.find((each) => label(each) === place)
    const meant = only !== undefined && named !== undefined ? asIn(only, named) : only
    return meant && nearestFirst(meant, (each) => this.isReachable(each))
  }

  isReachable(place: Place): boolean {
    return !this.unreachable.has(label(place))
  }

  places(): Place[] {
    return allPlaces(this.settings())
  }

  /** While they cannot be read, as they were last. */
  private settings(): Settings {
    try {
      this.lastSettings = this.core.settings.read()
    } catch {
      return this.lastSettings
    }
    return this.lastSettings
  }

  /** One at a time for each store; all who come meanwhile share one look afterwards. */
  private async look(place: Place): Promise<void> {
    const key = label(place)
    const looks = this.looks.get(key) ?? new SharedRun(() => this.lookNow(place))
    this.looks.set(key, looks)
    await looks.ask()
  }

  private async lookNow(place: Place): Promise<void> {
    const listing = await askStore(this.core, place).catch(() => undefined)
    const held = listing === undefined ? await this.lastOf(place) : await heldOf(place, listing)
    if (held.points.length > 0) await this.core.history.readOnce()
    if (this.isOfSettings(place)) this.lookedInto(held, listing !== undefined)
    await this.tell()
  }

  /** What another Stillpoint has written meanwhile is told too. No listing waits for it: it comes behind all hosts' lines. */
  private async learnNow(): Promise<void> {
    const { history } = this.core
    await Promise.all([history.ready(), this.remembered])
    if (history.told.copied !== this.sourcedBy) await this.sourceAnew()
    if (history.told.count !== this.toldBy) await this.tell()
  }

  private async sourceAnew(): Promise<void> {
    this.sourcedBy = this.core.history.told.copied
    for (const key of [...this.stores.keys()]) {
      const store = this.stores.get(key)
      if (store !== undefined) this.hold(store)
      await othersTurn()
    }
  }

  private lookedInto(store: HeldStore, isReachable: boolean): void {
    const key = label(store.place)
    if (isReachable) this.unreachable.delete(key)
    else this.unreachable.add(key)
    this.asked.add(key)
    this.old.delete(key)
    this.hold(store)
  }

  /** What a host has in all of its stores has one room. */
  private hold(found: HeldStore): void {
    const store = { ...found, points: withSources(found.points, this.settings().hosts, this.core.history.told) }
    const others = [...this.stores.values()].filter(
      ({ place }) => hostOf(place) === hostOf(store.place) && !samePlace(place, store.place)
    )
    for (const each of withinHost([...others, store])) {
      const key = label(each.place)
      if (this.stores.get(key) === each) continue
      this.stores.set(key, each)
      this.joined.put(key, each.points)
    }
  }

  private forget(key: string): void {
    this.stores.delete(key)
    this.unreachable.delete(key)
    this.asked.delete(key)
    this.joined.put(key, [])
  }

  /** Resolves when everything has been told that is known now. */
  private tell(): Promise<void> {
    return this.telling.ask()
  }

  /** Made whenever others have had their turn: hosts have tens of thousands. What is heard meanwhile is told next. */
  private async tellNow(): Promise<void> {
    this.toldBy = this.core.history.told.count
    const known = { ours: new OurHosts(this.settings().hosts), asked: new Set(this.askedHosts()) }
    const broken = [...this.stores.values()].flatMap(brokenIn)
    this.heard = new Set([...this.asked].filter((store) => !this.old.has(store)))
    const points: PointView[] = []
    const turns = new CharactersInTurns()
    for (const point of this.joined.all()) {
      const last = this.views.get(point)
      const view = this.viewOf(point, known)
      points.push(view)
      await turns.taken(view === last?.view ? 0 : ANEW)
    }
    this.all.set({ points, broken, ...this.knownOf() })
  }

  private knownOf(): Pick<PointsView, 'known' | 'knownOf'> {
    const isKnown = (place: Place): boolean => this.heard.has(label(place))
    const known = this.isTold && this.places().every(isKnown)
    return { known, ...(!known && { knownOf: this.hostsWhere(isKnown) }) }
  }

  private askedHosts(): readonly string[] {
    return this.hostsWhere((place) => this.asked.has(label(place)))
  }

  /** Of which that is so in each store: what others have keeps nobody from knowing what this one lacks. And in those of this computer. */
  private hostsWhere(isSo: (place: Place) => boolean): readonly string[] {
    const ofHosts = Map.groupBy(this.places(), hostOf)
    if (!this.isTold || ofHosts.get(undefined)?.every(isSo) === false) return []
    return [...ofHosts].flatMap(([host, places]) => (host !== undefined && places.every(isSo) ? [host] : []))
  }

  /** The same as before where nothing that it is told by is another: a window's door knows it then. */
  private viewOf(point: HeldKnown, known: HostsKnown): PointView {
    const { manifest, places } = point
    const { host } = manifest
    const reachable = places.map((place) => Number(this.isReachable(place))).join('')
    const home = known.ours.onlyThatMayBe(host)?.name ?? ''
    const isOf = `${home} ${known.asked.has(home)} ${known.ours.has(host.name)}`
    const by = `${this.core.history.told.heard(manifest.id)} ${isOf} ${reachable}`
    const last = this.views.get(point)
    if (last?.by === by) return last.view
    const view = this.viewAnew(point, known)
    this.views.set(point, { by, view })
    return view
  }

  private viewAnew(point: HeldKnown, known: HostsKnown): PointView {
    const { manifest, places, otherwise, marks, verdicts = [], rivals = [] } = point
    const { id, vm, takenAt, shown } = manifest
    const tellers = tellersOf(this.core.history.told, point, DEFAULT_STORE)
    const having = new Set(places.map(hostOf))
    const toldBy = tellers.hosts.filter((each) => !having.has(each))
    const origin = originOf(point, tellers, known)
    return {
      id,
      vm,
      ...origin,
      takenAt,
      ...shown,
      warnings: [
        ...rivalTexts(rivals),
        ...(origin.notToldBy === undefined ? [] : [disownedText(origin.notToldBy)]),
        ...shown.warnings
      ],
      places: places.map((place, n) => ({
        ...this.placeView(place, verdicts[n]),
        ...(otherwise && { hasMemory: listedIn(point, place).shown.hasMemory })
      })),
      ...(rivals.length > 0 && { rivals: rivals.slice(0, MOST_RIVALS).map(label) }),
      ...(toldBy.length > 0 && { toldBy }),
      ...(tellers.isOurs && { isOurs: true }),
      marks
    }
  }

  private placeView(place: Place, verified: Verdict | undefined): PlaceView {
    return {
      kind: place.kind,
      ...(place.kind === 'host' && { host: place.host }),
      dir: place.dir,
      label: label(place),
      reachable: this.isReachable(place),
      ...(verified && { verified })
    }
  }
}

function brokenIn({ place, broken, leftOut }: HeldStore): BrokenPoint[] {
  const where = label(place)
  const left = leftOut === 0 ? [] : [{ where, path: place.dir, reason: leftOutText(leftOut) }]
  return [...left, ...broken.map((each) => ({ where, ...each }))]
}

/** Of each host one store, and not many: a host may have a point of that id in each of its stores. */
const MOST_RIVALS = 3
const rivalTexts = (rivals: readonly Place[]): string[] =>
  [...new Map(rivals.map((place) => [hostOf(place), place])).values()].slice(0, MOST_RIVALS).map(rivalText)

const rivalText = (place: Place): string =>
  `${label(place)} has another point of this id: one of the two is not what it says, and what is done here is not done to that one. A host that you do not trust can be taken out: ${
    place.kind === 'host' ? forShell(['stillpoint', 'host', 'remove', place.host]) : 'remove its store'
  }`

const disownedText = (host: string): string =>
  `It says that it was taken on ${host}, which never told of it: it does not count as protection of a VM there`

const hostOf = (place: Place): string | undefined => (place.kind === 'host' ? place.host : undefined)

const label = (place: Place): string => placeLabel(place, DEFAULT_STORE)
