import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { serialLog } from './guest-xml.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { Stillpoint } from './stillpoint.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot } from './ticks.ts'

const MIB = 1024 * 1024
const IMAGES = '/var/lib/libvirt/images'
const stillpoint = new Stillpoint()
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let guest: Guest
let point: string

/** What only one of two VMs can have: a fixed port, a UUID that the firmware shows, a generation id. */
const MORE = (uuid: string): string => `virsh -q dumpxml --inactive ${uuid} |
  sed -e "s|</uuid>|</uuid><genid>${uuid}</genid><sysinfo type='smbios'><system><entry name='uuid'>${uuid}</entry></system></sysinfo>|" \\
      -e "s|</os>|<smbios mode='sysinfo'/></os>|" > /run/more.xml && virsh -q define /run/more.xml && virsh -q autostart ${uuid}`

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({
    name: 'original',
    ramMiB: 192,
    disks: 2,
    network: 'default',
    devicesXml: `<graphics type='vnc' port='5977' autoport='no' listen='127.0.0.1'/><video><model type='none'/></video>`
  })
  await alpha.must(MORE(guest.uuid))
  await guest.start()
  await guest.waitForTick(10)
  point = (await engine.backup(guest)).point ?? ''
})

afterAll(async () => {
  for (const host of [alpha, beta]) await host.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
  await guest.destroy()
  await guest.undefine()
  stillpoint.remove()
})

const filesOn = (host: LabHost): Promise<string> => host.must(['ls', IMAGES, '/var/lib/libvirt/qemu/nvram'])
const copyTo = (name: string, uuid: string, fault?: string): Promise<JobReport> =>
  engine.restore(point, guest, { mode: 'boot', copy: { name, uuid } }, fault)

async function remove(host: LabHost, uuid: string): Promise<void> {
  const { disks } = await host.guest(uuid)
  await host.run(['virsh', '-q', 'destroy', uuid])
  await host.must(['virsh', '-q', 'undefine', uuid])
  await host.must(['rm', '-f', serialLog(uuid), ...disks.map(({ path }) => path)])
}

describe('a copy beside the original', () => {
  const uuid = randomUUID()
  afterAll(() => remove(alpha, uuid))

  it('boots and runs while the original goes on untouched', async () => {
    const before = await takeBaseline(alpha)
    const definitions = async (): Promise<string[]> => [await guest.xml(), await guest.xml('--inactive')]
    const defined = await definitions()
    const recorder = guest.recordTicks()
    const report = await copyTo('twin', uuid)
    const copy = await alpha.guest(uuid)
    await copy.waitForMoreTicks(10)
    await guest.waitForMoreTicks(10)
    const ticks = recorder.stop()
    expect(report).toMatchObject({
      state: 'done',
      mode: 'boot',
      vm: { uuid, name: 'twin' },
      copyOf: { uuid: guest.uuid, name: 'original' }
    })
    expect([await guest.state(), await copy.state()]).toEqual(['running', 'running'])
    expect([isContiguous(ticks), isOneBoot(ticks)]).toEqual([true, true])
    expect(await definitions()).toEqual(defined)
    expect(
      copy
        .boots()
        .at(-1)
        ?.disks.every(({ state }) => state !== 'damaged')
    ).toBe(true)
    expect(await leftoversOf(alpha, before, { roomTaken: 300 * MIB, restored: [uuid] })).toEqual([])
  })

  it('has a UUID, MAC, disks, port and generation id of its own, and does not start by itself', async () => {
    const [its, the] = [await (await alpha.guest(uuid)).xml(), await guest.xml()]
    const [copy, original] = [parseDomain(its), parseDomain(the)]
    expect(copy.uuid).toBe(uuid)
    expect(copy.interfaces).toMatchObject([{ type: 'network', source: 'default' }])
    expect(copy.interfaces[0]?.mac).toMatch(/^52:54:00:/)
    expect(copy.interfaces[0]?.mac).not.toBe(original.interfaces[0]?.mac)
    const paths = copy.disks.map(({ source }) => source)
    expect(paths).toEqual(['vda', 'vdb'].map((target) => `${IMAGES}/twin-${uuid.slice(0, 8)}-${target}.qcow2`))
    const genid = (xml: string): string | undefined => /<genid>([^<]+)/.exec(xml)?.[1]
    expect(genid(its)).toMatch(/^[0-9a-f-]{36}$/)
    expect(genid(its)).not.toBe(genid(the))
    expect(its).toContain(`<entry name='uuid'>${uuid}</entry>`)
    expect(its).not.toContain("port='5977'")
    expect(copy.serialFiles).toEqual([serialLog(uuid)])
    const autostart = await alpha.must(`virsh -q dominfo ${uuid}; virsh -q dominfo ${guest.uuid}`)
    expect(autostart.match(/^Autostart: .*$/gm)).toEqual(['Autostart:      disable', 'Autostart:      enable'])
  })

  it.each(['twin', 'original'])('is refused where a VM is called %s, and nothing is touched', async (name) => {
    const before = await takeBaseline(alpha)
    const files = await filesOn(alpha)
    const report = await copyTo(name, randomUUID())
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'preflight' } })
    expect(JSON.stringify(report.failure)).toContain(`a VM called ${name} exists here`)
    expect(await filesOn(alpha)).toBe(files)
    expect(await leftoversOf(alpha, before)).toEqual([])
    await (await alpha.guest(uuid)).waitForMoreTicks(3)
  })
})

describe('two copies that want one name at the same time', () => {
  it('get it once, and the other leaves nothing behind and takes nothing away', async () => {
    const files = await filesOn(alpha)
    const uuids = [randomUUID(), randomUUID()]
    const reports = await Promise.all(uuids.map((uuid) => copyTo('contested', uuid)))
    expect(reports.map(({ state }) => state).sort()).toEqual(['done', 'failed-clean'])
    const winner = reports.find(({ state }) => state === 'done')?.vm.uuid ?? ''
    await (await alpha.guest(winner)).waitForMoreTicks(5)
    await remove(alpha, winner)
    expect(await filesOn(alpha)).toBe(files)
  })
})

describe('a copy whose engine is killed', () => {
  const uuid = randomUUID()
  afterEach(async () => {
    if ((await alpha.run(['virsh', 'domstate', uuid])).exitCode === 0) await remove(alpha, uuid)
  })

  it.each(['stage.done', 'place', 'place.done', 'define.done', 'start', 'start.done'])(
    'at %s is undone, or finished; the original never hears of it',
    async (at) => {
      const before = await takeBaseline(alpha)
      const files = await filesOn(alpha)
      const report = await copyTo('unlucky', uuid, `${at}:1:kill`)
      expect(report).toMatchObject({ vm: { uuid, name: 'unlucky' }, copyOf: { uuid: guest.uuid } })
      if (report.state === 'failed-clean') {
        expect((await alpha.run(['virsh', 'domstate', uuid])).exitCode).not.toBe(0)
        expect(await filesOn(alpha)).toBe(files)
      } else {
        expect([at, report.state]).toEqual(['start.done', 'done-with-warnings'])
        await (await alpha.guest(uuid)).waitForMoreTicks(3)
      }
      const restored = report.state === 'failed-clean' ? [] : [uuid]
      expect(await leftoversOf(alpha, before, { roomTaken: 300 * MIB, restored })).toEqual([])
      await guest.waitForMoreTicks(3)
    }
  )
})

describe('a copy by the terminal door', () => {
  it('is checked and defined on a host that lacks the point', async () => {
    for (const host of [alpha, beta]) await stillpoint.add(host, '--accept-new')
    const copy = ['restore', point, '--to', 'beta', '--mode', 'copy', '--name', 'far twin', '--no-start']
    expect(await stillpoint.run([...copy, '--check'])).toMatchObject({ exit: 0, result: { ok: true } })
    const { exit, result } = await stillpoint.run(copy)
    expect([exit, result]).toMatchObject([
      0,
      { mode: 'define', vm: 'far twin', copyOf: { uuid: guest.uuid, name: 'original' }, host: 'beta' }
    ])
    const uuid = String(result['vmUuid'])
    try {
      expect(uuid).not.toBe(guest.uuid)
      expect(await (await beta.guest(uuid)).state()).toBe('shut off')
      const again = await stillpoint.run([...copy, '--check'])
      const problems = (again.result['checks'] as PreflightItem[]).filter(({ state }) => state === 'problem')
      expect([again.exit, problems.map(({ check }) => check)]).toEqual([1, ['existing VM']])
    } finally {
      await remove(beta, uuid)
    }
  })

  it.each([
    [['--mode', 'copy'], 'needs a name'],
    [['--mode', 'copy', '--name', 'a/b'], 'slash'],
    [['--mode', 'copy', '--name', 'x', '--replace'], 'replaces nothing'],
    [['--mode', 'boot', '--name', 'x'], 'are for --mode copy']
  ])('is refused with %j before anything is begun', async (flags, why) => {
    const { exit, result } = await stillpoint.run(['restore', point, '--to', 'alpha', ...flags])
    expect([exit, JSON.stringify(result)]).toEqual([2, expect.stringContaining(why)])
  })
})
