import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { flagOf } from '../../src/shared/model/restore-choice.ts'
import { findGuest, type Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { Stillpoint, type Answer } from './stillpoint.ts'
import { testLab } from './test-lab.ts'

const stillpoint = new Stillpoint()
const guests: string[] = []
let alpha: LabHost
let beta: LabHost
/** Debian 13. */
let gamma: LabHost

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  gamma = testLab().host('gamma')
  for (const host of [alpha, beta, gamma]) await stillpoint.add(host, '--accept-new')
})

afterEach(async () => {
  for (const host of [alpha, beta, gamma])
    for (const uuid of guests)
      await host.run(
        `virsh destroy ${uuid}; virsh undefine ${uuid} --nvram --managed-save; rm -rf /var/lib/libvirt/images/${uuid}* ${DEFAULT_STORE}/${uuid}`
      )
  guests.length = 0
})

afterAll(() => stillpoint.remove())

async function guestOn(host: LabHost, options: Parameters<LabHost['defineGuest']>[0]): Promise<Guest> {
  const guest = await host.defineGuest({ ramMiB: 128, ...options })
  guests.push(guest.uuid)
  return guest
}

/** The definition with an element more, right before the devices and outside of them. */
async function addToDefinition(
  { host, uuid }: Guest,
  element: string,
  change: readonly [string, string] = ['', '']
): Promise<void> {
  const xml = (await host.must(['virsh', 'dumpxml', uuid, '--inactive'])).replace('<os>', `${element}<os>`)
  await host.must('cat > /run/changed.xml; virsh -q define /run/changed.xml', { stdin: xml.replace(...change) })
}

const backUp = async (guest: Guest, ...flags: string[]): Promise<string> => {
  const answer = await stillpoint.run(['backup', `${guest.host.name}/${guest.name}`, ...flags])
  expect(answer.result).toMatchObject({ ok: true })
  return String(answer.result['id'])
}
const restoreTo = (host: LabHost, point: string, ...flags: readonly string[]): Promise<Answer> =>
  stillpoint.run(['restore', point, '--to', host.name, ...flags])
const restore = (point: string, ...flags: readonly string[]): Promise<Answer> => restoreTo(beta, point, ...flags)
const itemsOf = ({ result }: Answer): PreflightItem[] => result['checks'] as PreflightItem[]
const problemsOf = (answer: Answer): string[] =>
  itemsOf(answer).flatMap(({ state, text }) => (state === 'problem' ? [text] : []))

/** The first choice of each problem, as the check prints it. */
const firstChoices = (answer: Answer): string[] =>
  itemsOf(answer).flatMap(({ state, choices: [first] = [] }) =>
    state === 'problem' && first !== undefined ? flagOf(first.choice) : []
  )

const SCREEN = (port: number): string => `<graphics type='vnc' port='${port}' autoport='no' listen='127.0.0.1'/>`

describe('a running VM whose port is taken and whose bridge is missing on the other host', () => {
  it('is refused with the choices, resumes with them, and again without their being said', async () => {
    await alpha.must('ip link add br7 type bridge; ip link set br7 up')
    const lan = "<network><name>lan</name><forward mode='bridge'/><bridge name='br7'/></network>"
    await alpha.must('cat > /run/lan.xml; virsh -q net-define /run/lan.xml; virsh -q net-start lan', { stdin: lan })
    try {
      const rival = await guestOn(beta, { name: 'rival', devicesXml: SCREEN(5999) })
      await rival.start()
      const guest = await guestOn(alpha, { name: 'asking', network: 'lan', devicesXml: SCREEN(5999) })
      await guest.start()
      await guest.waitForTick(5)
      const point = await backUp(guest, '--method', 'classic') // live RAM: docs/decisions/0008
      await guest.destroy()

      const check = await restore(point, '--check')
      expect([check.exit, problemsOf(check)]).toEqual([
        1,
        [
          'port 5999, which its VNC screen wants, is taken by VM rival',
          'network lan puts its cards on bridge br7, which does not exist here'
        ]
      ])
      expect(firstChoices(check)).toEqual(['--auto-ports', '--map-network', 'lan=default'])
      const refused = await restore(point)
      expect([refused.exit, refused.result['ok']]).toEqual([1, false])
      expect(await beta.must('virsh -q net-list --all --name')).not.toContain('lan')
      expect((await beta.run(['virsh', 'domstate', guest.uuid])).exitCode).not.toBe(0)

      const restored = await restore(point, ...firstChoices(check))
      expect(restored.result).toMatchObject({ ok: true, mode: 'resume' })
      await guest.on(beta).waitForMoreTicks(5)
      expect(await beta.must(['virsh', 'domdisplay', guest.uuid])).not.toContain(':99')

      const again = await restore(point, '--replace')
      expect(again.result).toMatchObject({ ok: true, mode: 'resume' })
      expect(
        (again.result['warnings'] as string[]).filter((text) => text.includes('for this host before'))
      ).toHaveLength(2)
      const forgotten = await restore(point, '--replace', '--no-remembered', '--check')
      expect(problemsOf(forgotten)).toHaveLength(2)
    } finally {
      await alpha.run('virsh net-destroy lan; virsh net-undefine lan; ip link delete br7')
    }
  })
})

describe('a VM that was made for another machine', () => {
  it('boots without what is not here, by the choices that the check prints', async () => {
    await alpha.must('mkdir -p /usr/libexec; ln -sf /usr/bin/qemu-system-x86_64 /usr/libexec/qemu-kvm')
    const devicesXml = `<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x77' slot='0x1f' function='0x0'/></source></hostdev>
      <filesystem type='mount'><source dir='/srv/share'/><target dir='share'/></filesystem>
      <serial type='file'><source path='/srv/no-such-folder/x.log'/><target port='2'/></serial>
      <interface type='direct'><source dev='lan0' mode='bridge'/><model type='virtio'/></interface>`
    const guest = await guestOn(alpha, { name: 'needy', devicesXml })
    await addToDefinition(
      guest,
      "<cputune><vcpupin vcpu='0' cpuset='400'/></cputune><memoryBacking><hugepages/></memoryBacking>",
      [/<emulator>.*<\/emulator>/.exec(await guest.xml())?.[0] ?? '', '<emulator>/usr/libexec/qemu-kvm</emulator>']
    )
    const point = await backUp(guest)
    const check = await restore(point, '--check')
    expect(problemsOf(check).toSorted()).toEqual([
      'device lan0 does not exist here',
      'it is bound to processors 400, which this host does not have',
      'its RAM (128 MiB) is to be made of huge pages, and 0 B of them are free here',
      'the PCI device 0000:77:1f.0 is not here',
      // What is left out is not asked about any more.
      'the definition asks for a device of this host: pci 0000:77:1f.0 [devices/hostdev/source]',
      'the definition asks to see the folder /srv/share of this host, and write to it (path) [devices/filesystem/source]',
      'the definition asks to write to /srv/no-such-folder/x.log (port) [devices/serial[3]/source]',
      'the folder for /srv/no-such-folder/x.log (its serial port) is not here',
      'the shared folder /srv/share is not here'
    ])
    const restored = await restore(point, ...firstChoices(check))
    expect(restored.result).toMatchObject({ ok: true, mode: 'boot' })
    expect((restored.result['warnings'] as string[]).join()).toContain('The program /usr/libexec/qemu-kvm is not here')
    await guest.on(beta).waitForTick(5)
    const xml = await beta.must(['virsh', 'dumpxml', guest.uuid, '--inactive'])
    expect(xml).not.toMatch(/hostdev|filesystem|no-such-folder|vcpupin|hugepages|qemu-kvm|lan0/)
  })

  it('starts with the firmware of this host, and its own variables', async () => {
    await alpha.must(
      'mkdir -p /usr/share/edk2/ovmf; cp /usr/share/OVMF/OVMF_CODE_4M.fd /usr/share/edk2/ovmf/OVMF_CODE.fd; cp /usr/share/OVMF/OVMF_VARS_4M.fd /usr/share/edk2/ovmf/OVMF_VARS.fd'
    )
    const uuid = randomUUID()
    guests.push(uuid)
    const image = `/var/lib/libvirt/images/${uuid}.qcow2`
    const xml = `<domain type='qemu'><name>edk2</name><uuid>${uuid}</uuid><memory unit='MiB'>128</memory>
      <os><type arch='x86_64' machine='q35'>hvm</type>
        <loader readonly='yes' type='pflash'>/usr/share/edk2/ovmf/OVMF_CODE.fd</loader>
        <nvram template='/usr/share/edk2/ovmf/OVMF_VARS.fd'>/var/lib/libvirt/qemu/nvram/${uuid}_VARS.fd</nvram></os>
      <features><acpi/></features>
      <devices><memballoon model='none'/>
        <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk>
      </devices></domain>`
    await alpha.must(['qemu-img', 'create', '-q', '-f', 'qcow2', image, '16M'])
    await alpha.must('cat > /run/edk2.xml; virsh -q define /run/edk2.xml; virsh -q start edk2; virsh -q destroy edk2', {
      stdin: xml
    })
    const point = await backUp(await findGuest(alpha, uuid))
    const restored = await restore(point)
    expect(restored.result).toMatchObject({ ok: true, mode: 'boot' })
    expect((restored.result['warnings'] as string[]).join()).toContain(
      '/usr/share/OVMF/OVMF_CODE_4M.fd, of the same kind'
    )
    expect(await beta.must(['virsh', 'domstate', uuid])).toContain('running')
  })
})

describe('a network that is made anew where its names or addresses are taken', () => {
  const network = (name: string, subnet: string): string =>
    `<network><name>${name}</name><bridge name='virbr5'/><dns enable='no'/><ip address='${subnet}.1' netmask='255.255.255.0'/></network>`
  const make = (host: LabHost, xml: string, name: string): Promise<string> =>
    host.must(`cat > /run/net.xml; virsh -q net-define /run/net.xml; virsh -q net-start ${name}`, { stdin: xml })
  const remove = (host: LabHost, name: string): Promise<unknown> =>
    host.run(`virsh net-destroy ${name}; virsh net-undefine ${name}`)

  afterEach(async () => {
    for (const name of ['prod', 'other']) for (const host of [alpha, beta]) await remove(host, name)
  })

  it('gets a bridge of its own, starts with its host; or another network is used', async () => {
    // A package that the lab goes without has it; libvirt notes there which cards are on a network with addresses.
    for (const host of [alpha, beta]) await host.must('mkdir -p /var/lib/libvirt/dnsmasq')
    await make(alpha, network('prod', '10.77.0'), 'prod')
    await make(beta, network('other', '10.78.0'), 'other')
    const guest = await guestOn(alpha, { name: 'networked', network: 'prod' })
    const point = await backUp(guest)
    const restored = await restore(point)
    expect(restored.result).toMatchObject({ ok: true, mode: 'boot' })
    expect(await beta.must('virsh net-info prod')).toMatch(
      /Active: +yes[^]*Autostart: +yes[^]*Bridge: +(?!virbr5)virbr/
    )
    await guest.on(beta).waitForTick(3)

    await beta.must(`virsh -q destroy ${guest.uuid}; virsh -q undefine ${guest.uuid}`)
    for (const name of ['prod', 'other']) await remove(beta, name)
    await make(beta, network('other', '10.77.0'), 'other')
    const check = await restore(point, '--check')
    expect(problemsOf(check)).toEqual([
      'network prod (10.77.0.1/24) has addresses that network other (10.77.0.1/24) has here'
    ])
    expect((await restore(point, ...firstChoices(check))).result).toMatchObject({ ok: true, mode: 'boot' })
    expect(await beta.must(['virsh', 'dumpxml', guest.uuid])).toContain("network='other'")
    expect(await beta.must('virsh -q net-list --all --name')).not.toContain('prod')
  })
})

describe('between hosts of different age', () => {
  it('a machine type that is too new boots as the newest of its family', async () => {
    const guest = await guestOn(gamma, { name: 'newer', machine: 'pc-q35-10.0' })
    const point = await backUp(guest)
    const check = await restoreTo(alpha, point, '--check')
    expect(problemsOf(check)).toEqual([`this host's QEMU does not know machine type pc-q35-10.0`])
    const restored = await restoreTo(alpha, point, ...firstChoices(check))
    expect(restored.result).toMatchObject({ ok: true, mode: 'boot' })
    await guest.on(alpha).waitForTick(3)
    expect(await alpha.must(['virsh', 'dumpxml', guest.uuid])).toContain("machine='pc-q35-7.2'")
  })

  it('SPICE becomes VNC on a QEMU without', async () => {
    const devicesXml = `<graphics type='spice' autoport='yes'/><video><model type='qxl'/></video>
      <channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>`
    const guest = await guestOn(alpha, { name: 'spicy', devicesXml })
    const point = await backUp(guest)
    const check = await restoreTo(gamma, point, '--check')
    expect(problemsOf(check)).toEqual([`this host's QEMU has no spice screens and no qxl video cards`])
    const restored = await restoreTo(gamma, point, ...firstChoices(check))
    expect(restored.result).toMatchObject({ ok: true, mode: 'boot' })
    await guest.on(gamma).waitForTick(3)
    expect(await gamma.must(['virsh', 'domdisplay', guest.uuid])).toContain('vnc:')
  })
})
