import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { backupSpec, type BareEngine } from '../lab/bare-engine.ts'
import { Guest } from '../lab/guest.ts'
import { guestXml, serialLog } from '../lab/guest-xml.ts'
import type { LabHost } from '../lab/host.ts'
import { must } from '../lab/run.ts'
import { OWNERS, SHARED, SMALL } from './places.ts'
import { tickOnDisk } from '../lab/tick-on-disk.ts'
import type { HostKey } from './plan.ts'
import { TRAITS, VM_KINDS, type VmKind } from './vms.ts'
import type { Medium } from './world.ts'

const DISK_MIB = 32
const RAM_MIB = 128
/** A dozen guests tick all the time, and nobody looks at most of them. */
const TICK_MS = 300
const BOOT_WITHIN_MS = 240_000

/** A point of a VM to which it can be brought back, and the last tick on its disks. */
export interface BasePoint {
  readonly id: string
  readonly tick: number
}

/** One VM of a host. Its UUID, its name and its paths stay the same however often it is made anew. */
export class ChaosVm {
  readonly kind: VmKind
  readonly host: LabHost
  readonly uuid = randomUUID()
  readonly name: string
  readonly guest: Guest

  constructor(kind: VmKind, key: HostKey, host: LabHost) {
    this.kind = kind
    this.host = host
    this.name = `${kind}-of-${key}`
    const disks = TRAITS[kind].disks.map(({ target, format }) => ({ target, format, path: this.image(target) }))
    this.guest = new Guest(host, { uuid: this.uuid, name: this.name, disks })
  }

  /** Where the VM has a disk when nobody has a hand in it. */
  image(target: string): string {
    if (target === 'vdc') return `${OWNERS}/${this.uuid}-hot.qcow2`
    const format = TRAITS[this.kind].disks.find((disk) => disk.target === target)?.format ?? 'qcow2'
    return `${FOLDERS[this.kind] ?? '/var/lib/libvirt/images'}/${this.uuid}-${target}.${format}`
  }

  /** By `virsh save`. */
  get saveFile(): string {
    return `${OWNERS}/${this.uuid}.save`
  }

  /** Where another's external snapshot lets the VM write. */
  get snapshotFile(): string {
    return `${OWNERS}/${this.uuid}-theirs.qcow2`
  }

  /** Of the log so far: what comes later is behind it. */
  get logBytes(): number {
    return statSync(this.#logFile, { throwIfNoEntry: false })?.size ?? 0
  }

  logFrom(offset: number): string {
    return this.guest.log().slice(offset)
  }

  get #logFile(): string {
    return join(this.host.tree, serialLog(this.uuid))
  }
}

const FOLDERS: Readonly<Partial<Record<VmKind, string>>> = { shared: SHARED, small: SMALL }
export const medium = (which: Medium): string => `${OWNERS}/${which}.iso`

/** The VMs of one host. They are made when a round wants them, and stay as long as nobody has touched them. */
export class Fleet {
  readonly #host: LabHost
  readonly #engine: BareEngine
  readonly #folder: string
  readonly #vms: ReadonlyMap<VmKind, ChaosVm>
  readonly #made = new Set<VmKind>()
  readonly #resting = new Set<VmKind>()
  readonly #bases = new Map<VmKind, BasePoint>()

  private constructor(key: HostKey, host: LabHost, engine: BareEngine, folder: string) {
    this.#host = host
    this.#engine = engine
    this.#folder = folder
    this.#vms = new Map(VM_KINDS.map((kind) => [kind, new ChaosVm(kind, key, host)]))
  }

  static async on(key: HostKey, host: LabHost, engine: BareEngine, folder: string): Promise<Fleet> {
    const fleet = new Fleet(key, host, engine, folder)
    await fleet.#makeTemplates()
    for (const which of ['first', 'second'] as const)
      writeFileSync(join(host.tree, medium(which)), Buffer.alloc(1024 * 1024, which))
    return fleet
  }

  vm(kind: VmKind): ChaosVm {
    const vm = this.#vms.get(kind)
    if (vm === undefined) throw new Error(`no VM ${kind}`)
    return vm
  }

  /** As it is when a round begins. */
  async ensure(kind: VmKind): Promise<ChaosVm> {
    const vm = this.vm(kind)
    if (!this.#made.has(kind)) await this.#make(vm)
    this.#made.add(kind)
    if (this.#resting.delete(kind)) await vm.host.must(['virsh', '-q', 'resume', vm.uuid])
    return vm
  }

  /** Those that a round does not need stand still meanwhile: a dozen that tick take what the round needs. */
  async restAllBut(kinds: readonly VmKind[]): Promise<void> {
    for (const kind of this.#made) {
      if (kinds.includes(kind) || this.#resting.has(kind) || !TRAITS[kind].runs) continue
      await this.#host.must(['virsh', '-q', 'suspend', this.vm(kind).uuid])
      this.#resting.add(kind)
    }
  }

  /** All that are there by now. */
  get made(): readonly VmKind[] {
    return [...this.#made]
  }

  /** A point of it that was taken while nothing went on. Only `plain` has one with RAM. */
  async base(kind: VmKind): Promise<BasePoint> {
    const known = this.#bases.get(kind)
    if (known !== undefined) return known
    const { guest } = await this.ensure(kind)
    // QEMU 7.2 may tear the RAM of an emulated VM that runs on (docs/decisions/0008).
    const method = kind === 'plain' ? 'classic' : kind === 'off' ? 'offline' : 'disk'
    const report = await this.#engine.run(backupSpec(guest, { method }))
    if (report.point === undefined) throw new Error(`no base point of ${kind}: ${JSON.stringify(report.failure)}`)
    const folder = `${DEFAULT_STORE}/${guest.uuid}/${report.point}/disks`
    const disks = TRAITS[kind].disks.map(({ target }) => tickOnDisk(this.#host, `${folder}/${target}.qcow2`, 'qcow2'))
    // The instant may lie between two disks' ticks.
    const base = { id: report.point, tick: Math.min(...(await Promise.all(disks))) }
    this.#bases.set(kind, base)
    return base
  }

  /** All its points but the one it is restored from. */
  async sparePoints(kind: VmKind): Promise<string[]> {
    const { uuid } = this.vm(kind)
    const { points } = await this.#engine.ask('points', { stores: [DEFAULT_STORE], vm: uuid })
    return points.map(({ id }) => id).filter((id) => id !== this.#bases.get(kind)?.id)
  }

  /** Takes a VM off the host, with its disks and all that owners and restores have put beside them. Its points stay. */
  async wipe(kind: VmKind): Promise<void> {
    const vm = this.vm(kind)
    this.#made.delete(kind)
    this.#resting.delete(kind)
    await removeVm(this.#host, vm.uuid)
  }

  async #make(vm: ChaosVm): Promise<void> {
    await this.wipe(vm.kind)
    for (const { target, format } of TRAITS[vm.kind].disks) this.#copyTemplate(format, vm.image(target))
    const { runs, isDefined } = TRAITS[vm.kind]
    const verb = isDefined ? 'define' : 'create'
    await this.#host.must(`cat | virsh -q ${verb} /dev/stdin`, { stdin: xmlOf(vm), timeoutMs: BOOT_WITHIN_MS })
    if (runs && isDefined) await vm.guest.start()
    if (runs) await vm.guest.waitForTick(3, BOOT_WITHIN_MS)
    if (runs && TRAITS[vm.kind].hasAgent) await vm.guest.waitForAgent(BOOT_WITHIN_MS)
  }

  #copyTemplate(format: 'qcow2' | 'raw', path: string): void {
    const placed = join(this.#host.tree, path)
    mkdirSync(dirname(placed), { recursive: true })
    copyFileSync(this.#template(format), placed)
  }

  #template(format: string): string {
    return join(this.#folder, `disk.${format}`)
  }

  async #makeTemplates(): Promise<void> {
    const [raw, qcow2] = [this.#template('raw'), this.#template('qcow2')]
    if (existsSync(qcow2)) return
    const made = `${raw}.${randomUUID()}`
    await must(['mke2fs', '-q', '-F', '-t', 'ext4', made, `${DISK_MIB}M`])
    await must(['qemu-img', 'convert', '-q', '-f', 'raw', '-O', 'qcow2', made, `${made}.qcow2`])
    await must(['mv', made, raw])
    await must(['mv', `${made}.qcow2`, qcow2])
  }
}

/**
 * Whatever a VM of this UUID is and has on a host goes, also a definition that libvirt wrote after its owner had undefined it,
 * and that shows only when libvirtd starts again.
 */
export async function removeVm(host: LabHost, uuid: string): Promise<void> {
  await host.run(`virsh -q destroy ${uuid}; virsh -q managedsave-remove ${uuid}
    virsh -q undefine ${uuid} --managed-save --snapshots-metadata --checkpoints-metadata --nvram
    grep -sl ${uuid} /etc/libvirt/qemu/*.xml | xargs -r rm
    rm -rf /var/lib/libvirt/images/*${uuid}* ${SHARED}/*${uuid}* ${SMALL}/*${uuid}* ${OWNERS}/*${uuid}* ${serialLog(uuid)}`)
}

function xmlOf({ kind, uuid, name, guest }: ChaosVm): string {
  const { disks, hasAgent, hasDrive } = TRAITS[kind]
  const more = disks.slice(1).map(({ target, format }) => {
    const path = guest.disks.find((disk) => disk.target === target)?.path ?? ''
    return `<disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='${path}'/><target dev='${target}' bus='virtio'/></disk>`
  })
  const drive = `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${medium('first')}'/><target dev='sda' bus='sata'/><readonly/></disk>`
  const imageFolder = FOLDERS[kind]
  return guestXml(uuid, {
    name,
    ramMiB: RAM_MIB,
    tickMs: TICK_MS,
    agent: hasAgent,
    ...(imageFolder !== undefined && { imageFolder }),
    devicesXml: [...more, ...(hasDrive ? [drive] : [])].join('\n')
  })
}
