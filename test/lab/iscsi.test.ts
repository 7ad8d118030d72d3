import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Method } from '../../src/shared/model/point.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { must, waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

/** A disk that an iSCSI server on the other host holds, which asks for a login. */
const MIB = 1024 * 1024
const SECRET = '99999999-2222-4333-8444-555555555555'
const TARGET = 'iqn.2026-11.lab:disks'
const [USER, PASSWORD] = ['reader', 'long-enough-for-chap']
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let betaEngine: BareEngine
let guest: Guest

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  engine = await BareEngine.on(alpha)
  betaEngine = await BareEngine.on(beta)
  await serve()
  await alpha.must(`
    printf '<secret ephemeral="no" private="no"><uuid>${SECRET}</uuid><usage type="iscsi"><target>lab</target></usage></secret>' > /run/iscsi.xml
    virsh -q secret-define /run/iscsi.xml
    virsh -q secret-set-value ${SECRET} --base64 $(printf ${PASSWORD} | base64) 2>/dev/null`)
  guest = await alpha.defineGuest({ name: 'iscsi', ramMiB: 192, devicesXml: disk() })
  await guest.start()
  await guest.waitForTick(10)
})

beforeEach(() => engine.thinOut(guest))

afterAll(async () => {
  await beta.run(
    `virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid}; systemctl stop lab-iscsi.service; rm -rf /srv/iscsi.raw /var/lib/libvirt/images/* ${DEFAULT_STORE}/${guest.uuid}`
  )
  await alpha.run(['virsh', 'destroy', guest.uuid])
  await guest.undefine()
  await alpha.run(`virsh secret-undefine ${SECRET}; rm -rf ${DEFAULT_STORE}/${guest.uuid}`)
})

async function serve(): Promise<void> {
  await beta.must('mke2fs -q -F -t ext4 -L vdb /srv/iscsi.raw 48M')
  await beta.must(['systemd-run', '--quiet', '--collect', '--unit=lab-iscsi', 'tgtd', '-f'])
  await waitFor('the iSCSI server', async () =>
    (await beta.run('tgtadm --lld iscsi --mode sys --op show')).exitCode === 0 ? true : undefined
  )
  const tgtadm = 'tgtadm --lld iscsi'
  await beta.must(`
    ${tgtadm} --mode target --op new --tid 1 --targetname ${TARGET}
    ${tgtadm} --mode logicalunit --op new --tid 1 --lun 1 --backing-store /srv/iscsi.raw
    ${tgtadm} --mode account --op new --user ${USER} --password ${PASSWORD}
    ${tgtadm} --mode account --op bind --tid 1 --user ${USER}
    ${tgtadm} --mode target --op bind --tid 1 --initiator-address ALL`)
}

const disk = (): string =>
  `<disk type='network' device='disk'><driver name='qemu' type='raw'/>
  <source protocol='iscsi' name='${TARGET}/1'><host name='${beta.address}' port='3260'/>
  <auth username='${USER}'><secret type='iscsi' usage='lab'/></auth></source>
  <target dev='vdb' bus='virtio'/></disk>`

describe('a disk on an iSCSI server', () => {
  it.each<Method>(['live', 'disk', 'classic'])(
    'is in points by method %s, read with the login that its VM has',
    async (method) => {
      const before = await takeBaseline(alpha)
      const report = await engine.backup(guest, { method })
      expect(report).toMatchObject({ method, point: expect.any(String) as string })
      expect(report.warnings.join()).not.toContain('vdb')
      expect(await leftoversOf(alpha, before, { roomTaken: 400 * MIB })).toEqual([])
      const { points } = await engine.ask('points', { stores: [DEFAULT_STORE], vm: guest.uuid })
      expect(points.at(-1)?.disks.map(({ target }) => target)).toEqual(['vda', 'vdb'])
      expect(await alpha.must('ls /run/stillpoint')).not.toContain('keys-')
      await guest.waitForMoreTicks(3)
    }
  )

  it('has its own again, where the engine dies while it is copied', async () => {
    const before = await takeBaseline(alpha)
    const report = await engine.backup(guest, {}, 'copy.done:1:kill')
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
    expect(await leftoversOf(alpha, before, { roomTaken: 100 * MIB })).toEqual([])
    await guest.waitForMoreTicks(3)
  })

  it('resumes with RAM on another host, as a file', async () => {
    const { point = '' } = await engine.backup(guest, { method: 'classic' }) // live RAM: docs/decisions/0008
    const folder = `${DEFAULT_STORE.slice(1)}/${guest.uuid}`
    await beta.must(['mkdir', '-p', `/${folder}`])
    await must(['cp', '-a', '--sparse=always', `${alpha.tree}/${folder}/${point}`, `${beta.tree}/${folder}/`])
    const before = guest.ticks()
    expect(await betaEngine.restore(point, guest)).toMatchObject({ mode: 'resume' })
    const there = guest.on(beta)
    await there.waitForMoreTicks(10)
    const ticks = joinResumed(before, there.ticks())
    expect(isContiguous(ticks) && isOneBoot(ticks)).toBe(true)
    expect(await beta.must(`virsh -q domblklist --details ${guest.uuid}`)).toMatch(/file +disk +vdb /)
  })
})
