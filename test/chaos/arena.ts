import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BareEngine } from '../lab/bare-engine.ts'
import type { LabHost } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'
import { must } from '../lab/run.ts'
import { Fleet } from './fleet.ts'
import { LAB_KEY, OWNERS, SHARED, SMALL, TIGHT } from './places.ts'
import { HOSTS, type HostKey } from './plan.ts'

/** Big enough for whatever reserve is wanted, sparse, and full as soon as somebody takes the rest. */
const SMALL_MIB = 4096

/** A host with its engine and its VMs. */
export interface Site {
  readonly key: HostKey
  readonly host: LabHost
  readonly engine: BareEngine
  readonly fleet: Fleet
}

/** Two hosts of a lab, prepared for rounds, the second with QEMU as its distribution ships it: with storage that they share, and VMs that are made when they are needed. */
export class Arena {
  readonly #lab: Lab
  readonly #hosts: Readonly<Record<HostKey, LabHost>>
  #sites = new Map<HostKey, Site>()

  constructor(lab: Lab, hosts: Readonly<Record<HostKey, LabHost>>) {
    this.#lab = lab
    this.#hosts = hosts
  }

  get sites(): readonly Site[] {
    return HOSTS.map((key) => this.site(key))
  }

  site(key: HostKey): Site {
    const site = this.#sites.get(key)
    if (site === undefined) throw new Error(`the ${key} host was never prepared`)
    return site
  }

  async enter(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true })
    const fleets = HOSTS.map(async (key) => this.#sites.set(key, await this.#prepare(key)))
    await Promise.all(fleets)
  }

  /** After a round that left who knows what: both hosts from nothing. */
  async rebuild(): Promise<void> {
    await Promise.all(HOSTS.map((key) => this.#unmount(key)))
    await Promise.all(HOSTS.map((key) => this.#hosts[key].rebuild()))
    rmSync(this.#folder, { recursive: true, force: true })
    await this.enter()
  }

  /** The lab's hosts as they were before, for others that use them. */
  async leave(): Promise<void> {
    await this.rebuildPlain()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  private async rebuildPlain(): Promise<void> {
    await Promise.all(HOSTS.map((key) => this.#unmount(key)))
    await Promise.all(HOSTS.map((key) => this.#hosts[key].rebuild()))
  }

  /** What is mounted on the machine is seen inside from the next boot on, and stays over power cuts. */
  async #prepare(key: HostKey): Promise<Site> {
    const host = this.#hosts[key]
    await this.#unmount(key)
    await this.#mount(key)
    await host.powerOn()
    await host.runQemuAs(key === 'first' ? 'root' : 'stock')
    await host.must(['mkdir', '-p', OWNERS, '/root/.ssh'])
    await must(['install', '-m', '0600', this.#lab.identityFile, join(host.tree, LAB_KEY)])
    const engine = await BareEngine.on(host)
    return { key, host, engine, fleet: await Fleet.on(key, host, engine, this.#folder) }
  }

  async #mount(key: HostKey): Promise<void> {
    const { tree } = this.#hosts[key]
    const shared = join(this.#folder, 'shared')
    mkdirSync(shared, { recursive: true })
    for (const path of [SHARED, SMALL, TIGHT]) mkdirSync(join(tree, path), { recursive: true })
    await must(['mount', '--bind', shared, join(tree, SHARED)])
    for (const path of [SMALL, TIGHT]) {
      const image = join(this.#folder, `${key}-${path.split('/').at(-1) ?? ''}.img`)
      await must(['truncate', '-s', `${SMALL_MIB}M`, image])
      await must(['mke2fs', '-q', '-F', '-t', 'ext4', '-m', '0', image])
      await must(['mount', '-o', 'loop', image, join(tree, path)])
    }
  }

  async #unmount(key: HostKey): Promise<void> {
    const host = this.#hosts[key]
    await host.powerOff(true)
    for (const path of [SHARED, SMALL, TIGHT]) {
      const mounted = join(host.tree, path)
      if (existsSync(mounted) && (await isMounted(mounted))) await must(['umount', mounted])
    }
  }

  get #folder(): string {
    return join(this.#lab.folder, 'chaos')
  }
}

async function isMounted(path: string): Promise<boolean> {
  return (await must(['cat', '/proc/self/mountinfo'])).split('\n').some((line) => line.split(' ')[4] === path)
}
