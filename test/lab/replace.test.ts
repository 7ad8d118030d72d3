import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import { BareEngine, backupSpec, failureFrom, restoreSpec } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { hasBegun } from './journals.ts'
import { must, waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot } from './ticks.ts'

const IMAGES = '/var/lib/libvirt/images'
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let betaEngine: BareEngine

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  engine = await BareEngine.on(alpha)
  betaEngine = await BareEngine.on(beta)
})

async function forgetAll(host: LabHost, ...guests: readonly Guest[]): Promise<void> {
  for (const { uuid } of guests)
    await host.run(
      `virsh destroy ${uuid}; virsh undefine ${uuid} --nvram --managed-save --snapshots-metadata --checkpoints-metadata; rm -rf ${DEFAULT_STORE}/${uuid}`
    )
  await host.run(`rm -rf ${IMAGES}/* /var/lib/stillpoint/aside /var/log/stillpoint-guest/*`)
}

const checks = (guest: Guest, point: string, options: Parameters<typeof restoreSpec>[3]): Promise<PreflightItem[]> =>
  engine.ask('preflight', { spec: restoreSpec(alpha, point, guest, options) })
const followed = (id: string): ReturnType<BareEngine['restore']> => engine.endOf(id)
const sourcesOf = (host: LabHost, guest: Guest, ...flags: string[]): Promise<string> =>
  host.must(`virsh -q domblklist ${guest.uuid} ${flags.join(' ')} | awk '{print $1, $2}'`)

// engine.md finding 6, field case 3
describe('a VM whose image is the base of another', () => {
  let golden: Guest
  let clone: Guest
  let point: string
  let base: string

  beforeAll(async () => {
    golden = await alpha.defineGuest({ name: 'golden', ramMiB: 128, diskMiB: 24 })
    base = golden.disks[0]?.path ?? ''
    point = (await engine.backup(golden)).point ?? ''
    await alpha.must(`qemu-io -f qcow2 -c 'write -P 7 1M 1M' '${base}'`)
    clone = await alpha.defineGuest({ name: 'clone', ramMiB: 128, diskMiB: 24 })
    const top = clone.disks[0]?.path ?? ''
    await alpha.must(
      `qemu-img create -q -f qcow2 -b '${base}' -F qcow2 '${top}'; qemu-io -f qcow2 -c 'write -P 9 8M 1M' '${top}'`
    )
  })
  afterAll(() => forgetAll(alpha, golden, clone))

  const contentOf = (path: string): Promise<string> =>
    alpha.must(`qemu-img convert -f qcow2 -O raw '${path}' /srv/x.raw && sha256sum < /srv/x.raw; rm -f /srv/x.raw`)

  it('is replaced beside it: the base stays where and as it is, and who needs it is said before', async () => {
    const before = [
      await contentOf(clone.disks[0]?.path ?? ''),
      await alpha.must(`stat -c %i '${base}'; sha256sum '${base}'`)
    ]
    const items = await checks(golden, point, { replace: true, mode: 'define' })
    const said = items.filter(({ text }) => text.includes(base))
    expect(said).toMatchObject([{ state: 'warning', check: 'existing VM' }])
    expect(said[0]?.text).toContain('clone')
    const report = await engine.restore(point, golden, { replace: true, mode: 'define' })
    expect(report).toMatchObject({ state: 'done-with-warnings', mode: 'define' })
    expect(report.keptAside).toBeUndefined()
    const after = [
      await contentOf(clone.disks[0]?.path ?? ''),
      await alpha.must(`stat -c %i '${base}'; sha256sum '${base}'`)
    ]
    expect(after).toEqual(before)
    const placed = (await sourcesOf(alpha, golden)).trim().split(' ')[1] ?? ''
    expect(placed).not.toBe(base)
    await alpha.must(`test -s '${placed}'`)
  })
})

// engine.md finding 28 and 36
describe('what happens between the plan and the moment in which a VM makes way', () => {
  let guest: Guest
  let point: string
  let path: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'meanwhile', ramMiB: 128, diskMiB: 24 })
    path = guest.disks[0]?.path ?? ''
    point = (await engine.backup(guest)).point ?? ''
  })
  afterAll(() => forgetAll(alpha, guest))

  /** Runs a restore that stands still behind its staging for as long as `act` takes. */
  async function restoreWhile(
    options: Parameters<typeof restoreSpec>[3],
    act: () => Promise<unknown>
  ): ReturnType<BareEngine['restore']> {
    const id = await engine.submit(restoreSpec(alpha, point, guest, options), 'stage:1:wait')
    const unit = `stillpoint-job-${id}.service`
    await waitFor('the staging', () => (hasBegun(alpha, id, 'stage') ? true : undefined), {
      everyMs: 10
    })
    await alpha.must(`systemctl kill -s STOP ${unit}`)
    await act()
    await alpha.must(`systemctl kill -s CONT ${unit}`)
    return followed(id)
  }

  it('is seen: a new overlay of the VM makes way, and not the base below it', async () => {
    const report = await restoreWhile({ replace: true, mode: 'define' }, () =>
      guest.virsh('snapshot-create-as', guest.uuid, 'later', '--disk-only', '--diskspec', `vda,file=${path}.later`)
    )
    // The place of the disk is still in use, as the base of the overlay.
    expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'foreign-work' } })
    expect(await alpha.must(`ls ${IMAGES}`)).toBe(
      `${path.slice(IMAGES.length + 1)}\n${path.slice(IMAGES.length + 1)}.later\n`
    )
    expect(await sourcesOf(alpha, guest)).toContain(`${path}.later`)
    await guest.virsh('snapshot-delete', guest.uuid, 'later', '--metadata')
    await alpha.must(
      `virsh -q dumpxml ${guest.uuid} | sed 's#${path}.later#${path}#' | virsh -q define /dev/stdin; rm '${path}.later'`
    )
  })

  it('is seen: a VM that its owner has started is not stopped unannounced', async () => {
    const report = await restoreWhile({ replace: true, mode: 'define' }, async () => {
      await guest.start()
    })
    expect(report).toMatchObject({ state: 'done-with-warnings' })
    // Looked at again, it is stopped and put aside as the running VM that it is.
    const [kept = ''] = report.keptAside ?? []
    await alpha.must(['ls', kept])
    expect(await guest.state()).toBe('shut off')
  })

  it('leaves a VM of the same name alone while a backup of it runs', async () => {
    await alpha.must(`virsh -q undefine ${guest.uuid}`)
    const namesake = await alpha.defineGuest({ name: 'meanwhile', ramMiB: 128, diskMiB: 24 })
    try {
      const backup = await engine.submit(backupSpec(namesake), 'begin-point.done:1:hang')
      await waitFor('the backup', () => (hasBegun(alpha, backup, 'begin-point') ? true : undefined))
      const report = await engine.restore(point, guest, { replace: true, mode: 'define' })
      expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'vm-busy', vm: 'meanwhile' } })
      await engine.ask('cancel', { id: backup })
      const late = await restoreWhile({ replace: true, mode: 'define' }, async () => {
        const id = await engine.submit(backupSpec(namesake), 'begin-point.done:1:hang')
        await waitFor('the backup', () => (hasBegun(alpha, id, 'begin-point') ? true : undefined))
      })
      expect(late).toMatchObject({ state: 'failed-clean', failure: { kind: 'vm-busy', vm: 'meanwhile' } })
      for (const { id, kind, endedAt } of await engine.ask('jobs', {}))
        if (kind === 'backup' && endedAt === undefined) await engine.ask('cancel', { id })
      expect(await namesake.state()).toBe('shut off')
      await alpha.must(['ls', namesake.disks[0]?.path ?? ''])
    } finally {
      await forgetAll(alpha, namesake)
    }
  })

  it('cannot take the point away: it is in use until the restore has ended', async () => {
    const id = await engine.submit(
      restoreSpec(alpha, point, guest, { mode: 'define', replace: true }),
      'stage.done:1:hang'
    )
    await waitFor('the staging', () => (hasBegun(alpha, id, 'stage') ? true : undefined))
    const failure = await failureFrom(engine.ask('delete', { store: DEFAULT_STORE, point }))
    expect(failure).toEqual({ kind: 'point-busy', point })
    expect(await engine.ask('cancel', { id })).toMatchObject({ state: 'cancelled' })
    await engine.ask('delete', { store: DEFAULT_STORE, point })
  })
})

// engine.md finding 23 (restore side) and 24; field cases 4, 5, 12, 13
describe('a VM that was changed while it ran', () => {
  const ISO = '/srv/inserted.iso'
  const extra = (target: string): string => `${IMAGES}/changed-${target}.img`
  let guest: Guest
  let point: string
  let excluded: string[]

  beforeAll(async () => {
    const disk = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${extra('vdc')}'/><target dev='vdc' bus='virtio'/></disk>
      <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sda' bus='sata'/><readonly/></disk>
      <controller type='pci' index='0' model='pcie-root'/>${"<controller type='pci' model='pcie-root-port'/>".repeat(8)}`
    await alpha.must(
      `truncate -s 4M ${extra('vdc')} ${extra('vdd')} ${extra('vde')} ${ISO}; touch -d '1 hour ago' ${extra('vdc')}`
    )
    guest = await alpha.defineGuest({ name: 'changed', ramMiB: 192, diskMiB: 24, devicesXml: disk })
    await guest.start()
    await guest.waitForTick(10)
    await guest.virsh('change-media', guest.uuid, 'sda', ISO, '--insert', '--live')
    await guest.virsh('attach-disk', guest.uuid, extra('vdd'), 'vdd', '--config')
    await guest.virsh('attach-disk', guest.uuid, extra('vde'), 'vde', '--live')
    const report = await engine.backup(guest, { method: 'classic', excludeDisks: ['vdc'] }) // live RAM: docs/decisions/0008
    point = report.point ?? ''
    expect(report.state).toMatch(/^done/)
    await alpha.must(`rm ${ISO}`)
    excluded = [await identityOf(extra('vdc')), await ownerOf(extra('vdc'))]
  })
  afterAll(async () => {
    await forgetAll(alpha, guest)
    await forgetAll(beta, guest)
  })

  const identityOf = (path: string): Promise<string> => alpha.must(`stat -c '%i %a %Y' '${path}'; sha256sum '${path}'`)
  /** As Debian ships it, libvirt gives an image to QEMU while its VM runs, and to root when it stops. */
  const ownerOf = (path: string): Promise<string> => alpha.must(['stat', '-c', '%u', path])

  it('resumes: with an empty drive, with the disk that was left out, and what waits for its next start still waits', async () => {
    const report = await engine.restore(point, guest, { replace: true })
    expect(report).toMatchObject({ state: 'done-with-warnings', mode: 'resume' })
    // Its counter is again that of the point: only what comes now is new.
    const before = guest.ticks().length
    await waitFor('new ticks', () => (guest.ticks().length > before + 10 ? true : undefined))
    const ticks = guest.ticks().slice(before + 1)
    expect(isOneBoot(ticks) && isContiguous(ticks)).toBe(true)
    expect(guest.boots()).toHaveLength(1)
    const [live, next] = [await sourcesOf(alpha, guest), await sourcesOf(alpha, guest, '--inactive')]
    expect(live).toContain(`vdc ${extra('vdc')}`)
    expect(live).toContain('sda -')
    expect(live).toMatch(/^vde /m)
    expect(live).not.toMatch(/^vdd /m)
    expect(next).toContain(`vdd ${extra('vdd')}`)
    expect(next).toContain(`vdc ${extra('vdc')}`)
    expect(next).not.toMatch(/^vde /m)
    expect(report.keptAside?.join()).not.toContain('vdc')
    // It ran then, and it runs now: nobody has handed the image over for good.
    expect([await identityOf(extra('vdc')), await ownerOf(extra('vdc'))]).toEqual(excluded)
  })

  it('boots where the disk that was left out has changed, which is said before; and has the disk that was plugged in', async () => {
    await alpha.must(`printf x | dd of=${extra('vdc')} bs=1 seek=9 conv=notrunc status=none`)
    const changed = await identityOf(extra('vdc'))
    const items = await checks(guest, point, { replace: true })
    expect(items.find(({ check }) => check === 'mode')?.text).toContain('vdc is not in the point')
    const report = await engine.restore(point, guest, { replace: true, mode: 'define' })
    expect(report).toMatchObject({ mode: 'define' })
    expect(await sourcesOf(alpha, guest)).toMatch(/^vde /m)
    expect([await identityOf(extra('vdc')), await ownerOf(extra('vdc'))]).toEqual([changed, '0\n'])
  })

  it('comes to another host in every mode, without what was left out', async () => {
    await beta.must(['mkdir', '-p', `${DEFAULT_STORE}/${guest.uuid}`])
    const folder = `${DEFAULT_STORE.slice(1)}/${guest.uuid}`
    await must(['cp', '-a', '--sparse=always', `${alpha.tree}/${folder}/${point}`, `${beta.tree}/${folder}/`])
    const report = await betaEngine.restore(point, guest)
    expect(report).toMatchObject({ mode: 'boot' })
    expect(report.modeReason).toContain('vdc is not in the point')
    const sources = await sourcesOf(beta, guest)
    expect(sources).not.toMatch(/^vdc|^vdd/m)
    expect(sources).toMatch(/^vde /m)
  })
})

// field case 19 (restore side); engine.md finding 38, 51; field case 16
describe('a restore on a host where something lies about', () => {
  let guest: Guest
  let point: string

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'sleeper', ramMiB: 128, diskMiB: 24 })
    await alpha.must(`chown 1000:1000 '${guest.disks[0]?.path}'; chmod 640 '${guest.disks[0]?.path}'`)
    point = (await engine.backup(guest)).point ?? ''
  })
  afterAll(() => forgetAll(alpha, guest))

  /** The host knows nothing of the guest but its point. */
  const takeAway = (): Promise<unknown> =>
    alpha.run(
      `virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid} --managed-save; rm -rf ${IMAGES}/* /var/lib/stillpoint/aside`
    )

  it('never starts it from RAM that nobody owns', async () => {
    await guest.start()
    await guest.waitForTick(10)
    const { bootId } = guest.lastTick() ?? {}
    await guest.virsh('managedsave', guest.uuid)
    const save = '/var/lib/libvirt/qemu/save/sleeper.save'
    await alpha.must(
      `cp ${save} /srv/planted; virsh -q undefine ${guest.uuid} --managed-save; mv /srv/planted ${save}; rm ${IMAGES}/*`
    )
    const report = await engine.restore(point, guest, { mode: 'boot' })
    expect(report).toMatchObject({ state: 'done', mode: 'boot' })
    expect(report.keptAside).toEqual([`${save}.kept-${report.id}`])
    await guest.waitForMoreTicks(5)
    expect(guest.lastTick()?.bootId).not.toBe(bootId)
    await guest.destroy()
    expect(isContiguous(guest.ticks())).toBe(false)
  })

  it('writes images that are nobody else’s while they are written, and then what the original was', async () => {
    await takeAway()
    const id = await engine.submit(
      restoreSpec(alpha, point, guest, { mode: 'define', replace: true }),
      'stage.done:1:hang'
    )
    await waitFor('the staging', async () =>
      (await alpha.run(`ls ${IMAGES}/*.stillpoint-${id}`)).exitCode === 0 ? true : undefined
    )
    expect(await alpha.must(`stat -c '%a %u:%g' ${IMAGES}/*.stillpoint-${id}`)).toBe('600 0:0\n')
    await engine.ask('cancel', { id })
    await engine.restore(point, guest, { mode: 'define' })
    expect(await alpha.must(`stat -c '%a %u:%g' ${guest.disks[0]?.path}`)).toBe('640 1000:1000\n')
  })

  it('tells what is kept aside, since when and how much, and lets go of it when told to', async () => {
    await takeAway()
    await engine.restore(point, guest, { mode: 'define' })
    const { id, keptAside = [] } = await engine.restore(point, guest, { mode: 'define', replace: true })
    const [kept = ''] = keptAside
    const listed = (await engine.ask('doctor', { stores: [], repair: true })).filter(
      ({ kind }) => kind === 'kept aside'
    )
    expect(listed).toMatchObject([{ repaired: false, remedy: expect.stringContaining(`--let-go ${id}`) as string }])
    expect(listed[0]?.what).toMatch(/VM sleeper as it was .* [KM]iB/)
    const user = await alpha.defineGuest({ name: 'user', ramMiB: 64, diskMiB: 16 })
    await alpha.must(`virsh -q attach-disk ${user.uuid} '${kept}' vdb --config --subdriver qcow2`)
    const refused = await engine.ask('let-go', { id })
    expect(refused).toMatchObject({
      removed: [],
      kept: [{ path: kept, because: expect.stringContaining('VM user') as string }]
    })
    await alpha.must(`virsh -q detach-disk ${user.uuid} vdb --config`)
    await alpha.must(
      `cp --sparse=always '${kept}' '${kept}.new'; mv '${kept}' '${kept}.old'; mv '${kept}.new' '${kept}'`
    )
    expect((await engine.ask('let-go', { id })).kept).toMatchObject([{ path: kept }])
    await alpha.must(`mv -f '${kept}.old' '${kept}'`)
    const gone = await engine.ask('let-go', { id })
    expect(gone).toMatchObject({ removed: [kept], kept: [] })
    expect(gone.freedBytes).toBeGreaterThan(100_000)
    expect(await alpha.must('ls /var/lib/stillpoint/aside')).toBe('')
    await forgetAll(alpha, user)
  })
})

// field case 5
describe('a VM that was made anew since under the name of the one of the point', () => {
  const file = (path: string, target: string): string =>
    `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${path}'/><target dev='${target}' bus='virtio'/></disk>`

  it('makes way, its data disk goes on in the restored VM, and what no point has goes by its name only', async () => {
    const [data, more] = [`${IMAGES}/remade-data.img`, `${IMAGES}/remade-more.img`]
    await alpha.must(`truncate -s 4M ${data} ${more}; touch -d '1 hour ago' ${data}`)
    const guest = await alpha.defineGuest({ name: 'remade', ramMiB: 96, diskMiB: 16, devicesXml: file(data, 'vdc') })
    const { point = '' } = await engine.backup(guest, { excludeDisks: ['vdc'] })
    const xml = (await guest.xml('--inactive')).replaceAll(`<uuid>${guest.uuid}</uuid>`, `<uuid>${randomUUID()}</uuid>`)
    await alpha.must(`cat > /run/anew.xml; virsh -q undefine ${guest.uuid}; virsh -q define /run/anew.xml`, {
      stdin: xml.replace('</devices>', `${file(more, 'vdd')}</devices>`)
    })
    const before = await alpha.must(`stat -c '%i %Y' ${data}`)
    try {
      const options = { mode: 'define' as const, replace: true, allow: [`write=${data}`] }
      const said = (await checks(guest, point, options)).filter(({ check }) => check === 'existing VM')
      expect(said.map(({ text }) => text).join('\n')).toMatch(
        new RegExp(`remade-more.img .disk vdd .* is kept as ${more}.kept-…, and nothing of the point takes its place`)
      )
      const report = await engine.restore(point, guest, options)
      expect(report).toMatchObject({ state: 'done-with-warnings', mode: 'define' })
      expect(await sourcesOf(alpha, guest)).toContain(`vdc ${data}\n`)
      expect(await alpha.must(`stat -c '%i %Y' ${data}`)).toBe(before)
      expect(report.keptAside?.join()).not.toContain(data)

      const { id } = report
      const [kept, system] = [`${more}.kept-${id}`, `${guest.disks[0]?.path ?? ''}.kept-${id}`]
      const gone = await engine.ask('let-go', { id })
      expect(gone.removed).not.toContain(kept)
      expect(gone.kept.map(({ path, isInNoPoint }) => [path, isInNoPoint])).toEqual([
        [system, true],
        [kept, true]
      ])
      expect(await engine.ask('let-go', { id, also: [kept, system] })).toMatchObject({
        removed: [system, kept],
        kept: []
      })
      await alpha.must(['test', '-f', data])
    } finally {
      await alpha.run('virsh undefine remade')
      await forgetAll(alpha, guest)
    }
  })
})

// field case 29
describe('a VM whose images lie on a file system of their own', () => {
  const FOLDER = '/srv/ssd-vms'

  it('is asked about while that is not mounted, and goes back once it is', async () => {
    await alpha.mountSmall(FOLDER, 200)
    const guest = await alpha.defineGuest({ name: 'mounted', ramMiB: 96, diskMiB: 16, imageFolder: FOLDER })
    try {
      const { point = '' } = await engine.backup(guest)
      const disksOf = async (): Promise<PreflightItem[]> =>
        (await checks(guest, point, { mode: 'define', replace: true })).filter(({ check }) => check === 'disks')
      expect(await disksOf()).toMatchObject([{ state: 'ok', text: `vda goes to ${guest.disks[0]?.path}` }])
      await alpha.must(`mount --bind ${FOLDER} /mnt; umount ${FOLDER}`)
      const [asked] = await disksOf()
      expect(asked).toMatchObject({
        state: 'problem',
        text: expect.stringContaining('nothing is mounted there now') as string
      })
      expect(asked?.choices?.map(({ choice }) => 'dir' in choice && choice.dir)).toEqual([FOLDER, IMAGES])
      await alpha.must(`virsh -q undefine ${guest.uuid}`)
      expect((await disksOf())[0]).toMatchObject({ state: 'problem' })
      await alpha.must(`mount --bind /mnt ${FOLDER}; umount /mnt`)
      expect(await disksOf()).toMatchObject([{ state: 'ok' }])
    } finally {
      await alpha.run(`umount /mnt; umount ${FOLDER}; rmdir ${FOLDER}`)
      await forgetAll(alpha, guest)
    }
  })
})
