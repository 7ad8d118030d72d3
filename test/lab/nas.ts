import { join } from 'node:path'
import type { LabHost } from './host.ts'
import { must } from './run.ts'

const DEVICE = '/dev/nas'

/** A file system that several hosts have mounted at the same path, as they have a NAS: their kernel is one. */
export class Nas {
  readonly path: string
  readonly #hosts: readonly LabHost[]
  readonly #image: string
  readonly #loop: string

  private constructor(hosts: readonly LabHost[], path: string, image: string, loop: string) {
    this.#hosts = hosts
    this.path = path
    this.#image = image
    this.#loop = loop
  }

  static async on(hosts: readonly [LabHost, ...LabHost[]], path: string, sizeMiB: number): Promise<Nas> {
    const image = join(`${hosts[0].tree}/..`, 'nas.img')
    await must(['truncate', '-s', `${sizeMiB}M`, image])
    await must(['mke2fs', '-q', '-F', '-t', 'ext4', '-m', '0', image])
    const loop = (await must(['losetup', '-f', '--show', image])).trim()
    const nas = new Nas(hosts, path, image, loop)
    for (const host of hosts) await nas.mount(host)
    return nas
  }

  async mount(host: LabHost): Promise<void> {
    const [major = '', minor = ''] = (await must(['stat', '-c', '%Hr %Lr', this.#loop])).trim().split(' ')
    await host.must(`[ -b ${DEVICE} ] || mknod ${DEVICE} b ${major} ${minor}; mkdir -p ${this.path}`)
    await host.must(['mount', '-t', 'ext4', DEVICE, this.path])
  }

  async remove(): Promise<void> {
    for (const host of this.#hosts) await host.must(`umount -l ${this.path}; rmdir ${this.path}; rm -f ${DEVICE}`)
    await must(['losetup', '-d', this.#loop])
    await must(['rm', '-f', this.#image])
  }
}
