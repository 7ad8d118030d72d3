import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
  await guest.waitForMoreTicks(5)
  const ticks = guest.ticks().filter(({ counter }) => counter >= since)
  expect(isOneBoot(ticks)).toBe(true)
  expect(isContiguous(ticks)).toBe(true)
}

const sources = (guest: Guest): Promise<string> =>
  alpha.must(`virsh -q domblklist ${guest.uuid}; virsh -q domblklist ${guest.uuid} --inactive`)

/** Begins a backup and has it stand at a fault point. */
async function begin(guest: Guest, point: string, options: Parameters<typeof backupSpec>[1] = {}): Promise<string> {
  const id = await engine.submit(backupSpec(guest, options), `${point}:1:hold`)
  await heldAt(alpha, point)
  await guest.waitForMoreTicks(3)
  return id
}

/** Asks the job to end, and lets its unit be gone, whatever has become of it. */
async function giveUp(id: string): Promise<void> {
  await alpha.must(`touch /var/lib/stillpoint/jobs/${id}/cancel; systemctl stop stillpoint-job-${id}`)
}

const recovered = (id: string): Promise<JobReport> =>
  waitFor('recovery to get through', async () => {
    const [report] = await engine.ask('recover', { id }).catch(() => [])
    return report !== undefined && isEnded(report.state) ? report : undefined
  })

describe('a backup that is given up', () => {
  let guest: Guest

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'contended', ramMiB: 128, disks: 2, tickMs: 100 })
    await guest.start()
    await guest.waitForTick(5)
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
    await alpha.must(`virsh destroy ${guest.uuid}; rm '${overlay}'`)
  })
})

describe('a classic backup whose VM is paused, or goes on, while its disks are mirrored', () => {
  let guest: Guest

  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'wavering', ramMiB: 128, tickMs: 100 })
    await guest.start()
    await guest.waitForTick(5)
  })

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await guest.undefine()
  })

  it('leaves it as its owner wants it by then', async () => {
    const since = guest.lastTick()?.counter ?? 0
    const mirrored = async (act: 'suspend' | 'resume'): Promise<JobReport> => {
      const id = await engine.submit(backupSpec(guest, { method: 'classic' }), 'mirror.done:1:hold')
      await heldAt(alpha, 'mirror.done')
      await guest.virsh(act, guest.uuid)
      await letGo(alpha, 'mirror.done')
      return engine.ask('follow', { id, from: Number.MAX_SAFE_INTEGER })
    }
    expect((await mirrored('suspend')).state).toBe('done')
    expect(await guest.state()).toBe('paused')
    expect((await mirrored('resume')).state).toBe('done')
    await goesOn(guest, since)
  })
})

// engine.md, finding 3
describe('a commit that finds no room in the file system of its image', () => {
  const FOLDER = '/srv/small'
  let guest: Guest

  beforeAll(async () => {
    await alpha.mountSmall(FOLDER, 256)
    guest = await alpha.defineGuest({ name: 'crowded', ramMiB: 128, tickMs: 100, imageFolder: FOLDER, checking: true })
    await guest.start()
    await guest.waitForTick(5)
  })

  afterAll(async () => {
    await alpha.run(['virsh', 'destroy', guest.uuid])
    await guest.undefine()
    await alpha.unmount(FOLDER)
  })

  it('leaves the VM on its overlay, definition and all, and is done when there is room', async () => {
    const id = await begin(guest, 'copy.done')
    await waitFor('new blocks to be written', async () =>
      Number((await alpha.must(`stat -c %s ${FOLDER}/*.stillpoint-*`)).trim()) > 4 << 20 ? true : undefined
    )
    await guest.virsh('suspend', guest.uuid)
    await alpha.run(`dd if=/dev/zero of=${FOLDER}/full bs=64k; sync`)
    await giveUp(id)
    expect(await sources(guest)).toMatch(/stillpoint-.*\n.*stillpoint-/)
    await alpha.must(`rm ${FOLDER}/full`)
    expect((await recovered(id)).state).toBe('cancelled')
    expect(await sources(guest)).not.toContain('stillpoint-')
    await guest.virsh('resume', guest.uuid)
    expect((await guest.requestVerify()).ok).toBe(true)
  })
})
