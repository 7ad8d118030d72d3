import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { BlockList, isIP } from 'node:net'
import { rangeNumbers } from '../../libvirt/placement.ts'
import { parseRoutes, type Route } from '../../libvirt/routes.ts'

/** What the kernel of this host shows of it. `root` is another folder in tests. */
export class Hardware {
  private readonly root: string

  constructor(root = '') {
    this.root = root
  }

  has(path: string): boolean {
    return existsSync(this.root + path)
  }

  /** Network devices that are bridges. */
  async bridges(): Promise<string[]> {
    return (await this.names(NET)).filter((name) => this.has(`${NET}/${name}/bridge`))
  }

  /** Network devices that a card of a guest can be put on by macvtap: no bridges, nor what is on one or belongs to a VM. */
  async cards(): Promise<string[]> {
    return (await this.names(NET)).filter(
      (name) =>
        !/^(lo|vnet\d+|macvtap\d+|tap.*|ifb\d+)$/.test(name) &&
        !this.has(`${NET}/${name}/bridge`) &&
        !this.has(`${NET}/${name}/brport`)
    )
  }

  /** Of this host itself, those of devices without a cable too. */
  async addresses(): Promise<BlockList> {
    const here = new BlockList()
    const tree = (await this.text('/proc/net/fib_trie')) ?? ''
    for (const [, address = ''] of tree.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL/g)) here.addAddress(address)
    const lines = ((await this.text('/proc/net/if_inet6')) ?? '').matchAll(/^([0-9a-f]{32}) /gm)
    for (const [, digits = ''] of lines) here.addAddress(digits.match(/.{4}/g)?.join(':') ?? '::1', 'ipv6')
    return here
  }

  async routes(): Promise<Route[]> {
    return parseRoutes((await this.text('/proc/net/route')) ?? '')
  }

  /** Whom this host asks for names, by itself or by systemd's resolver. */
  async nameServers(): Promise<string[]> {
    const texts = await Promise.all(['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'].map((at) => this.text(at)))
    const lines = texts.flatMap((text = '') => [...text.matchAll(/^[ \t]*nameserver[ \t]+([^\s%]+)/gm)])
    return [...new Set(lines.map(([, address = '']) => address))].filter((address) => isIP(address) !== 0)
  }

  async hasUsb(vendor: string, product: string): Promise<boolean> {
    for (const device of await this.names(USB)) {
      const ids = ['idVendor', 'idProduct'].map((name) => this.text(`${USB}/${device}/${name}`))
      const [itsVendor, itsProduct] = await Promise.all(ids)
      if (itsVendor?.trim() === vendor && itsProduct?.trim() === product) return true
    }
    return false
  }

  /** Undefined: the kernel does not say. */
  async processors(): Promise<number[] | undefined> {
    return this.set('/sys/devices/system/cpu/online')
  }

  async memoryNodes(): Promise<number[] | undefined> {
    return this.set('/sys/devices/system/node/online')
  }

  /** Huge pages by their size in KiB. */
  async hugePages(): Promise<ReadonlyMap<number, HugePages>> {
    const pages = new Map<number, HugePages>()
    for (const folder of await this.names(HUGE_PAGES)) {
      const sizeKiB = Number(/^hugepages-(\d+)kB$/.exec(folder)?.[1])
      const count = async (name: string): Promise<number> => Number(await this.text(`${HUGE_PAGES}/${folder}/${name}`))
      const free = await count('free_hugepages')
      if (!Number.isInteger(sizeKiB) || !Number.isInteger(free)) continue
      const more = (await count('nr_overcommit_hugepages')) - (await count('surplus_hugepages'))
      pages.set(sizeKiB, { free, more: Number.isInteger(more) ? more : 0 })
    }
    return pages
  }

  /** A script of the owner's that libvirt runs before it starts a VM: it may make room, or pages. */
  get hasStartHook(): boolean {
    return this.has('/etc/libvirt/hooks/qemu') || this.has('/etc/libvirt/hooks/qemu.d')
  }

  /** The kernel gives programs as much memory as they ask for, whether or not it has that. */
  async overcommits(): Promise<boolean> {
    return (await this.text('/proc/sys/vm/overcommit_memory'))?.trim() === '1'
  }

  /** Bytes. Undefined: the kernel does not say. */
  async memory(): Promise<Memory | undefined> {
    const text = (await this.text('/proc/meminfo')) ?? ''
    const bytes = (name: string): number | undefined => {
      const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
      return kib === undefined ? undefined : Number(kib) * 1024
    }
    const [total, available, hugePage] = [bytes('MemTotal'), bytes('MemAvailable'), bytes('Hugepagesize')]
    return total === undefined || available === undefined
      ? undefined
      : { total, swap: bytes('SwapTotal') ?? 0, available, ...(hugePage !== undefined && { hugePage }) }
  }

  private names(folder: string): Promise<string[]> {
    return readdir(this.root + folder).then(
      (names) => names.sort(),
      () => []
    )
  }

  private async set(path: string): Promise<number[] | undefined> {
    const text = await this.text(path)
    return text === undefined ? undefined : rangeNumbers(text)
  }

  private text(path: string): Promise<string | undefined> {
    return readFile(this.root + path, 'utf8').catch(() => undefined)
  }
}

export interface HugePages {
  readonly free: number
  /** The kernel makes so many more when they are asked for, where it finds the memory. */
  readonly more: number
}

export interface Memory {
  readonly total: number
  readonly swap: number
  readonly available: number
  /** Of the size that is meant where a definition names none. */
  readonly hugePage?: number
}

const NET = '/sys/class/net'
const USB = '/sys/bus/usb/devices'
const HUGE_PAGES = '/sys/kernel/mm/hugepages'
