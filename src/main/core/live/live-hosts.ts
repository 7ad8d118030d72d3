import { haveOneMachineId } from '../../../shared/model/machine-id.ts'
import type { Inventory } from '../../../shared/model/host.ts'
import { describeFailure } from '../../../shared/failure-words.ts'
import type { HostFacts, HostView, VmView } from '../../../shared/views/host-view.ts'
import type { Core } from '../core.ts'
import type { HostRecord } from '../settings/settings-schema.ts'
import type { Folder } from './folder-script.ts'
import { LiveValue } from './live-value.ts'
import { movedNotice, VmHomes } from './moved-vms.ts'
import { noticeId, type Notices, type Said } from './notices.ts'
import { HostWatch } from './watch-host.ts'

/** What the rest of the live core hears of hosts. */
export interface HostsListener {
  /** What is known of it is old, until it answers again. */
  left(host: string): void
  contact(host: string): Promise<void>
  moved(host: string, folders: readonly Folder[]): Promise<void>
  down(host: string): void
  /** The list of hosts has changed. */
  listed(names: readonly string[]): void
}

interface Kept {
  readonly watch: HostWatch
  view: HostView
  tries: number
  /** Its last two looks, the last one first. */
  looks: readonly Look[]
}

/** Which of all looks at hosts it was, by the order in which they came to an end, and since when the host ran then. */
interface Look {
  readonly n: number
  readonly bootId: string
}

const TELL_EVERY_MS = 100

/** The hosts of the settings, each with an eye on it. */
export class LiveHosts {
  readonly all = new LiveValue<readonly HostView[]>(TELL_EVERY_MS)
  private readonly core: Core
  private readonly notices: Notices
  private readonly listener: HostsListener
  private readonly kept = new Map<string, Kept>()
  private lookCount = 0
  private readonly homes = new VmHomes()

  constructor(core: Core, notices: Notices, listener: HostsListener) {
    this.core = core
    this.notices = notices
    this.listener = listener
  }

  /** Takes up hosts that are new in the settings, and lets go of those that have gone. */
  follow(records: readonly HostRecord[]): void {
    const names = new Set(records.map(({ name }) => name))
    for (const [name, { watch }] of this.kept)
      if (!names.has(name)) {
        watch.stop()
        this.kept.delete(name)
        this.homes.forget(name)
      }
    for (const record of records) this.take(record)
    this.tell()
    this.listener.listed([...names])
  }

  view(name: string): HostView | undefined {
    return this.kept.get(name)?.view
  }

  /** Undefined: all of them. */
  refresh(name: string | undefined): void {
    for (const [host, { watch }] of this.kept) if (name === undefined || host === name) watch.refresh()
  }

  /** Nothing counts as seen until it has been seen again. */
  wake(): void {
    this.kept.forEach(({ watch }) => watch.wake())
  }

  placing(host: string, what: 'runtime' | 'engine', doneBytes: number, totalBytes: number): void {
    const isOver = doneBytes >= totalBytes
    this.change(host, ({ placing: _, ...view }) =>
      isOver ? view : { ...view, placing: { what, doneBytes, totalBytes } }
    )
  }

  stop(): void {
    this.kept.forEach(({ watch }) => watch.stop())
  }

  private take(record: HostRecord): void {
    const { name, address, user, port, addedAt } = record
    const known = { name, address, ...(user !== undefined && { user }), ...(port !== undefined && { port }), addedAt }
    const before = this.kept.get(name)
    if (before !== undefined && before.view.addedAt === addedAt) return
    before?.watch.stop()
    const view: HostView = { ...known, state: 'connecting', vms: before?.view.vms ?? [] }
    const watch = new HostWatch(this.core, name, {
      connecting: () => {
        this.listener.left(name)
        this.change(name, (now) => ({ ...now, state: 'connecting' }))
      },
      up: (inventory) => this.looked(name, inventory),
      contact: () => this.listener.contact(name),
      moved: (folders) => this.listener.moved(name, folders),
      down: (failure) => this.down(name, failure)
    })
    this.kept.set(name, { watch, view, tries: 0, looks: [] })
  }

  /** A look at it has come to an end. */
  looked(name: string, inventory: Inventory): void {
    const kept = this.kept.get(name)
    if (kept !== undefined) {
      kept.tries = 0
      kept.looks = [{ n: ++this.lookCount, bootId: inventory.bootId }, ...kept.looks.slice(0, 1)]
    }
    this.change(name, ({ failure: _, ...view }) => ({
      ...view,
      state: 'up',
      asOf: inventory.takenAt,
      facts: factsOf(inventory),
      vms: inventory.domains.map(vmOf)
    }))
    this.tellOfOneImage(name)
    if (kept !== undefined) this.tellOfMoved(name, kept)
  }

  private tellOfMoved(name: string, kept: Kept): void {
    const moves = this.homes.looked(name, kept.view.vms).filter((moved) => {
      const [from, to] = [moved.from, moved.to].map((host) => this.kept.get(host)?.looks[0]?.bootId)
      // Of two names for one machine the one is looked at before the other.
      return from !== to || from === ''
    })
    this.notices.addAll(moves.map(movedNotice))
  }

  /**
   * One machine under two names shows one boot at a time, and none again: where the other name has shown another one between
   * two looks that show the same, they are two. A copy of an image with its id in it is common, and no fault of the host: it is
   * said once.
   */
  private tellOfOneImage(name: string): void {
    const kept = this.kept.get(name)
    if (kept === undefined) return
    for (const [other, { view, looks }] of this.kept) {
      const isAlike = haveOneMachineId(view.facts?.machineId, kept.view.facts?.machineId)
      if (other === name || view.state !== 'up' || !isAlike || !isBootBetween(looks[0], kept.looks)) continue
      this.notices.add(oneImageNotice([name, other].sort(), kept.view.facts?.machineId ?? ''))
    }
  }

  private down(name: string, failure: NonNullable<HostView['failure']>): void {
    const kept = this.kept.get(name)
    if (kept === undefined) return
    kept.tries += 1
    const since = kept.view.asOf ?? kept.view.addedAt
    this.change(name, (view) => ({ ...view, state: 'down', failure }))
    this.listener.down(name)
    // Once for each time that it goes, and not for a hiccup.
    if (kept.tries !== 2) return
    const { title, explanation } = describeFailure(failure)
    this.notices.add({
      id: noticeId(name, 'down', since),
      host: name,
      at: new Date().toISOString(),
      severity: 'warning',
      title,
      text: explanation,
      goTo: { screen: 'hosts', host: name }
    })
  }

  private change(name: string, to: (view: HostView) => HostView): void {
    const kept = this.kept.get(name)
    if (kept === undefined) return
    kept.view = to(kept.view)
    this.tell()
  }

  private tell(): void {
    this.all.set([...this.kept.values()].map(({ view }) => view).sort((a, b) => a.name.localeCompare(b.name)))
  }
}

const isBootBetween = (look: Look | undefined, [after, before]: readonly Look[]): boolean =>
  look !== undefined &&
  before !== undefined &&
  before.bootId === after?.bootId &&
  look.n > before.n &&
  ![look.bootId, ''].includes(before.bootId) &&
  look.bootId !== ''

/** All three: a new id is taken from what of the old one is left (systemd-machine-id-setup(1)). */
const NEW_MACHINE_ID =
  'rm -f /etc/machine-id /var/lib/dbus/machine-id /run/machine-id && systemd-machine-id-setup && systemctl reboot'

function oneImageNotice([one = '', other = '']: readonly string[], machineId: string): Said {
  return {
    id: noticeId(other, 'one-image', one, machineId),
    host: other,
    at: new Date().toISOString(),
    severity: 'warning',
    title: `${one} and ${other} have the same machine id`,
    text: `They are two machines, made from one image. Whether a VM runs on both is seen all the same, but which of them made an unfinished point is not, and DHCP or other programs may take them for one. To give one of them an id of its own, type on it, while no backup or restore runs there: ${NEW_MACHINE_ID}. It restarts; its VMs go down, and DHCP may give it another address.`,
    goTo: { screen: 'hosts', host: other }
  }
}

const OWN_STORE = '/var/lib/stillpoint/'

export function factsOf(inventory: Inventory): HostFacts {
  const {
    hostname,
    machineId,
    os,
    architecture,
    libvirt,
    qemu,
    cpuModel,
    cpus,
    memoryBytes,
    freeMemoryBytes,
    load,
    timeZone
  } = inventory
  const { space, sessionVms, limits } = inventory
  const store = space
    .toSorted((a, b) => b.path.length - a.path.length)
    .find(({ path }) => OWN_STORE.startsWith(path.endsWith('/') ? path : `${path}/`))
  return {
    hostname,
    ...(machineId !== '' && { machineId }),
    os,
    architecture,
    libvirt,
    qemu,
    cpuModel,
    cpus,
    memoryBytes,
    freeMemoryBytes,
    ...(load !== undefined && { load }),
    ...(timeZone !== undefined && { timeZone }),
    ...(store !== undefined && { store }),
    ...(sessionVms !== undefined && { sessionVms }),
    ...(limits !== undefined && { limits })
  }
}

export const vmOf = ({
  uuid,
  name,
  state,
  ramBytes,
  vcpus,
  autostart,
  heldAutostart,
  agent,
  disks,
  limits
}: Inventory['domains'][number]): VmView => ({
  uuid,
  name,
  state,
  ramBytes,
  vcpus,
  autostart,
  ...(heldAutostart && { heldAutostart }),
  agent,
  ...(limits.length > 0 && { limits }),
  disks: disks.map(({ target, device, type, source, format, capacityBytes, allocationBytes }) => ({
    target,
    device,
    type,
    format,
    ...(source !== undefined && { source }),
    ...(capacityBytes !== undefined && { capacityBytes }),
    ...(allocationBytes !== undefined && { allocationBytes })
  }))
})
