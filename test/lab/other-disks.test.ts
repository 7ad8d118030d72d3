import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Method } from '../../src/shared/model/point.ts'
import { BareEngine, backupSpec } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt } from './held.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { must, waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

/** Disks that are no image files: one that a server on the network holds, and a block device of the host. */
const MIB = 1024 * 1024
const DEVICE = '/dev/stillpoint-lab-disk'
/** A name that would like to be an option. */
const EXPORT = 'a disk,file.driver=file é'
const PORT = 10_999
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let betaEngine: BareEngine
let loop = ''

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  engine = await BareEngine.on(alpha)
  betaEngine = await BareEngine.on(beta)
  await serve(2)
  loop = await makeBlockDevice()
})

afterAll(async () => {
  await beta.run('systemctl stop lab-nbd.service; rm -f /srv/served.raw')
  await alpha.run(['rm', '-f', DEVICE])
  await must(['losetup', '-d', loop])
  await alpha.run(['rm', '-f', '/srv/device.raw'])
})

/** An NBD server on the other host. It takes so many clients. */
async function serve(clients: number): Promise<void> {
  await beta.run('systemctl stop lab-nbd.service')
  await beta.must('[ -e /srv/served.raw ] || mke2fs -q -F -t ext4 -L vdb /srv/served.raw 48M')
  const server = ['qemu-nbd', '-f', 'raw', '-t', '-e', String(clients), '-p', String(PORT), '-x', EXPORT]
  await beta.must(['systemd-run', '--quiet', '--collect', '--unit=lab-nbd', ...server, '/srv/served.raw'])
  await waitFor('the NBD server', async () =>
    (await beta.run(`ss -ltn | grep -q :${PORT}`)).exitCode === 0 ? true : undefined
  )
}

/** A loop device of this machine, as a node in the host's own /dev. */
async function makeBlockDevice(): Promise<string> {
  await alpha.must('mke2fs -q -F -t ext4 -L vdb /srv/device.raw 48M')
  const device = (
    await must(['losetup', '-f', '--show', join(`/proc/${alpha.machinePid}/root`, '/srv/device.raw')])
  ).trim()
  const numbers = (await must(['stat', '-c', '%Hr %Lr', device])).trim().split(' ')
  await alpha.must(['mknod', DEVICE, 'b', ...numbers])
  return device
}

const networkDisk = (): string => `<disk type='network' device='disk'><driver name='qemu' type='raw'/>
  <source protocol='nbd' name='${EXPORT}'><host name='${beta.address}' port='${PORT}'/></source>
  <target dev='vdb' bus='virtio'/></disk>`
const blockDisk = (): string => `<disk type='block' device='disk'><driver name='qemu' type='raw'/>
  <source dev='${DEVICE}'/><target dev='vdb' bus='virtio'/></disk>`

async function started(name: string, devicesXml: string): Promise<Guest> {
  const guest = await alpha.defineGuest({ name, ramMiB: 192, devicesXml })
  await guest.start()
  await guest.waitForTick(10)
  return guest
}

async function removeGuest(guest: Guest): Promise<void> {
  await alpha.run(['virsh', 'destroy', guest.uuid])
  await guest.undefine()
  await alpha.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
}

async function removeFromBeta(guest: Guest): Promise<void> {
  await beta.run(
    `virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid}; rm -f /var/lib/libvirt/images/* /var/log/stillpoint-guest/*; rm -rf ${DEFAULT_STORE}/${guest.uuid}`
  )
}

/** Puts the point on the other host by hand, and resumes it there. */
async function resumeOnBeta(guest: Guest, point: string): Promise<void> {
  const folder = `${DEFAULT_STORE.slice(1)}/${guest.uuid}`
  await beta.must(['mkdir', '-p', `/${folder}`])
  await must(['cp', '-a', '--sparse=always', `${alpha.tree}/${folder}/${point}`, `${beta.tree}/${folder}/`])
  const before = guest.ticks()
  const report = await betaEngine.restore(point, guest)
  expect(report).toMatchObject({ mode: 'resume' })
  const there = guest.on(beta)
  await there.waitForMoreTicks(10)
  const ticks = joinResumed(before, there.ticks())
  expect(isContiguous(ticks) && isOneBoot(ticks)).toBe(true)
  const disks = await beta.must(`virsh -q domblklist --details ${guest.uuid}`)
  expect(disks.match(/^ *file +disk +vd[ab] /gm)).toHaveLength(2)
}

describe.each<[string, string, () => string]>([
  ['a disk on the network', 'served', networkDisk],
  ['a block device', 'device', blockDisk]
])('a VM with %s', (_what, name, xml) => {
  let guest: Guest
  beforeAll(async () => {
    guest = await started(name, xml())
  })
  beforeEach(() => engine.thinOut(guest))
  afterAll(async () => {
    await removeFromBeta(guest)
    await removeGuest(guest)
  })

  it.each<Method>(['live', 'disk', 'classic'])(
    'is backed up by method %s, and its disks are its own again',
    async (method) => {
      const before = await takeBaseline(alpha)
      const report = await engine.backup(guest, { method })
      expect(report).toMatchObject({ state: 'done', method, warnings: [] })
      expect(await leftoversOf(alpha, before, { roomTaken: 400 * MIB })).toEqual([])
      const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
      expect(points.at(-1)?.disks.map(({ target }) => target)).toEqual(['vda', 'vdb'])
      await guest.waitForMoreTicks(3)
    }
  )

  it('resumes with RAM on another host, where both disks are files', async () => {
    const { point = '' } = await engine.backup(guest, { method: 'classic' }) // live RAM: docs/decisions/0008
    await resumeOnBeta(guest, point)
  })

  it.each(['snapshot.done', 'copy.done', 'fold-back.done'])(
    'has its disks back when the engine dies at %s',
    async (fault) => {
      const before = await takeBaseline(alpha)
      const report = await engine.backup(guest, {}, `${fault}:1:kill`)
      expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
      expect(await leftoversOf(alpha, before, { roomTaken: 100 * MIB })).toEqual([])
      await guest.waitForMoreTicks(3)
    }
  )

  it('has its definition as it was when its QEMU died on the overlay', async () => {
    const definition = await guest.xml('--inactive')
    const id = await engine.submit(backupSpec(guest), 'copy.done:1:hold')
    await heldAt(alpha, 'copy.done', id)
    await guest.waitForMoreTicks(10)
    await alpha.must(`kill -9 $(cat /run/libvirt/qemu/${name}.pid)`)
    await engine.ask('cancel', { id })
    await guest.waitForMoreTicks(10)
    expect(await guest.xml('--inactive')).toBe(definition)
  })

  it('is backed up while it is shut off', async () => {
    await guest.destroy()
    expect(await engine.backup(guest)).toMatchObject({ state: 'done', method: 'offline', warnings: [] })
  })
})

describe('a server that takes one client only', () => {
  it('is found out before anything is touched, with the way out', async () => {
    await serve(1)
    const guest = await started('single', networkDisk())
    try {
      const before = await takeBaseline(alpha)
      const report = await engine.backup(guest)
      expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'preflight' } })
      expect(JSON.stringify(report.failure)).toContain('--exclude vdb')
      expect(await leftoversOf(alpha, before)).toEqual([])
      expect(await engine.backup(guest, { excludeDisks: ['vdb'] })).toMatchObject({ state: 'done' })
    } finally {
      await removeGuest(guest)
    }
  })

  it('cannot be named into anything else: a definition with an unknown protocol is said and left out', async () => {
    const odd = networkDisk().replace("protocol='nbd'", "protocol='ssh'")
    const guest = await alpha.defineGuest({ name: 'odd', ramMiB: 128, devicesXml: odd })
    try {
      const report = await engine.backup(guest)
      expect(report.warnings.join()).toContain('disks over ssh are not supported yet')
    } finally {
      await removeGuest(guest)
    }
  })
})
