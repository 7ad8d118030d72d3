import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { JOBS_DIR, jobUnit } from '../../src/shared/host-paths.ts'
import { isEnded, type JobReport } from '../../src/shared/model/job.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot } from './ticks.ts'

/** A backup is given up while somebody else works on its VM, or while there is no room: nothing is lost, nobody is disturbed. */
let alpha: LabHost
let engine: BareEngine

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
})

async function goesOn(guest: Guest, since: number): Promise<void> {
  await guest.waitForMoreTicks(3)
  const ticks = guest.ticks().filter(({ counter }) => counter >= since)
  expect(isOneBoot(ticks)).toBe(true)
  expect(isContiguous(ticks)).toBe(true)
}

const sources = (guest: Guest): Promise<string> =>
  alpha.must(`virsh -q domblklist ${guest.uuid}; virsh -q domblklist ${guest.uuid} --inactive`)

/** Begins a backup and has it stand at a fault point. */
async function begin(guest: Guest, point: string, options: Parameters<typeof backupSpec>[1] = {}): Promise<string> {
  const id = await engine.submit(backupSpec(guest, options), `${point}:1:hold`)
  await heldAt(alpha, point, id)
  await guest.waitForMoreTicks(2)
  return id
}

/** Asks the job to end, and lets its unit be gone, whatever has become of it. */
async function giveUp(id: string): Promise<void> {
  await alpha.must(`touch /var/lib/stillpoint/jobs/${id}/cancel; systemctl stop stillpoint-job-${id}`)
}

const ended = (id: string): Promise<JobReport> => engine.endOf(id)

const recovered = (id: string): Promise<JobReport> =>
  waitFor('recovery to get through', async () => {
    const [report] = await engine.ask('recover', { id }).catch(() => [])
    return report !== undefined && isEnded(report.state) ? report : undefined
  })

describe('a backup that is given up', () => {
  let guest: Guest

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'contended', ramMiB: 128, disks: 2 })
    await guest.start()
    await guest.waitForTick(3)
  })

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await guest.undefine()
  })

  // engine.md, finding 13
  it('aborts no job of others: it waits until that is over, and then commits its overlay', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const id = await begin(guest, 'copy.done')
    await guest.virsh('blockcopy', guest.uuid, 'vda', '/srv/theirs.qcow2', '--transient-job', '--wait')
    await giveUp(id)
    expect(await guest.virsh('blockjob', guest.uuid, 'vda', '--info', '--raw')).toContain('Block Copy')
    expect(await sources(guest)).toContain('stillpoint-')
    await guest.virsh('blockjob', guest.uuid, 'vda', '--abort')
    expect((await recovered(id)).state).toBe('cancelled')
    expect(await sources(guest)).not.toContain('stillpoint-')
    await goesOn(guest, since)
    await alpha.must('rm -f /srv/theirs.qcow2')
  })

  // engine.md, finding 13
  it('aborts no backup of another tool, which has the whole VM: it waits, and then commits its overlay', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const id = await begin(guest, 'copy.done')
    const pull = `<domainbackup mode='pull'><server transport='unix' socket='/run/theirs.sock'/><disks><disk name='vda' type='file'><scratch file='/srv/theirs.scratch'/></disk></disks></domainbackup>`
    await alpha.writeFile('/run/theirs.xml', pull)
    await guest.virsh('backup-begin', guest.uuid, '/run/theirs.xml')
    await alpha.must(`touch ${JOBS_DIR}/${id}/cancel; systemctl stop --no-block ${jobUnit(id)}`)
    await waitFor('the undo to begin', async () =>
      (await alpha.must(['cat', `${JOBS_DIR}/${id}/journal.jsonl`])).includes('"undo.job"') ? true : undefined
    )
    await guest.waitForMoreTicks(10)
    expect(await guest.virsh('domjobinfo', guest.uuid)).toMatch(/^Operation: +Backup/m)
    expect(await sources(guest)).toContain('stillpoint-')
    await guest.virsh('domjobabort', guest.uuid)
    expect((await ended(id)).state).toBe('cancelled')
    expect(await sources(guest)).not.toContain('stillpoint-')
    await goesOn(guest, since)
    await alpha.must('rm -f /run/theirs.xml /srv/theirs.scratch')
  })

  // engine.md, finding 5
  it('does not take a save of the owner for its own: his newer RAM stays', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const id = await begin(guest, 'copy', { method: 'classic' })
    await guest.virsh('managedsave', guest.uuid)
    const saved = guest.lastTick()?.counter ?? 0
    await giveUp(id)
    expect((await recovered(id)).state).toBe('cancelled')
    expect(await guest.state()).toBe('shut off')
    await guest.start()
    await goesOn(guest, since)
    expect(guest.ticks().filter(({ counter }) => counter === saved + 2)).toHaveLength(1)
  })

  it('leaves the overlay of a disk that was unplugged and plugged in again: nobody has what it holds', async () => {
    const vdb = guest.disks.find(({ target }) => target === 'vdb')?.path ?? ''
    const id = await begin(guest, 'copy.done')
    await guest.virsh('detach-disk', guest.uuid, 'vdb', '--live')
    await waitFor('vdb to go', async () =>
      (await guest.virsh('domblklist', guest.uuid)).includes('vdb') ? undefined : true
    )
    await guest.virsh('attach-disk', guest.uuid, vdb, 'vdb', '--subdriver', 'qcow2', '--live')
    await giveUp(id)
    const overlay = `${vdb}.stillpoint-${id}`
    expect(await recovered(id)).toMatchObject({
      state: 'failed-needs-you',
      failure: { kind: 'left-behind', left: [{ path: overlay }] }
    })
    expect(await alpha.must(`qemu-img map -U --output=json '${overlay}'`)).toContain('"depth": 0')
    // The VM goes on on the image, and is off one day: the overlay is not written over that, by whomever.
    await guest.destroy()
    await alpha.must(`qemu-io -f qcow2 -c 'write -P 9 8M 64k' '${vdb}'`)
    await engine.ask('doctor', { stores: [], repair: true })
    expect((await engine.backup(guest)).state).toMatch(/^failed/)
    expect(await alpha.must(`qemu-io -U -r -f qcow2 -c 'read -P 9 8M 64k' '${vdb}'`)).toContain('65536/65536')
    expect(await alpha.must(`ls '${overlay}'`)).toContain(overlay)
    await alpha.must(`rm '${overlay}'`)
  })
})

describe('a classic backup whose VM is paused, or goes on, while its disks are mirrored', () => {
  let guest: Guest

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'wavering', ramMiB: 128 })
    await guest.start()
    await guest.waitForTick(3)
  })

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await guest.undefine()
  })

  it('leaves it as its owner wants it by then', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const mirrored = async (act: 'suspend' | 'resume'): Promise<JobReport> => {
      const id = await engine.submit(backupSpec(guest, { method: 'classic' }), 'mirror.done:1:hold')
      await heldAt(alpha, 'mirror.done', id)
      await guest.virsh(act, guest.uuid)
      await letGo(alpha, 'mirror.done', id)
      return engine.endOf(id)
    }
    expect((await mirrored('suspend')).state).toBe('done')
    expect(await guest.state()).toBe('paused')
    expect((await mirrored('resume')).state).toBe('done')
    await goesOn(guest, since)
  })
})

// engine.md, finding 3 and 19
describe('a commit that finds no room in the file system of its image', () => {
  const FOLDER = '/srv/small'
  const ROOMY = '/srv/roomy.qcow2'
  let guest: Guest

  beforeAll(async () => {
    await alpha.mountSmall(FOLDER, 256)
    const options = { name: 'crowded', ramMiB: 128, disks: 2, checking: true } as const
    guest = await alpha.defineGuest({ ...options, imageFolder: FOLDER })
    const vdb = guest.disks[1]?.path ?? ''
    await alpha.must(`mv ${vdb} ${ROOMY}`)
    const xml = (await guest.xml('--inactive')).replace(vdb, ROOMY)
    await alpha.must('cat | virsh -q define /dev/stdin', { stdin: xml })
    await guest.start()
    await guest.waitForTick(3)
  })

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await guest.undefine()
    await alpha.unmount(FOLDER)
    await alpha.must(['rm', '-f', ROOMY])
  })

  it('leaves the VM on its overlay, definition and all, keeps no other disk back, and is done when there is room', async () => {
    const id = await begin(guest, 'copy.done')
    await waitFor('new blocks to be written', async () =>
      Number((await alpha.must(`stat -c %s ${FOLDER}/*.stillpoint-*`)).trim()) > 4 << 20 ? true : undefined
    )
    await guest.virsh('suspend', guest.uuid)
    await alpha.run(`dd if=/dev/zero of=${FOLDER}/full bs=64k; sync`)
    await giveUp(id)
    expect(await sources(guest)).toMatch(/(vda .*stillpoint-.*\n\s*vdb +\/srv\/roomy\.qcow2\s+){2}/)
    await alpha.must(`rm ${FOLDER}/full`)
    expect((await recovered(id)).state).toBe('cancelled')
    expect(await sources(guest)).not.toContain('stillpoint-')
    await guest.virsh('resume', guest.uuid)
    expect((await guest.requestVerify()).ok).toBe(true)
  })
})
