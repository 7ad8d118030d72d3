import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt, letGo } from './held.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

/** A guest whose file systems a backup has frozen is thawed in the end, whatever happens. engine.md finding 11 */
const MIB = 1024 * 1024
const FREEZE = { method: 'disk' } as const
let alpha: LabHost
let beta: LabHost
let alphaEngine: BareEngine
let engine: BareEngine
/** On beta: quick cases, one after the other. On alpha, two that take their minutes, beside them. */
let guest: Guest
let slow: Guest
let hung: Guest
let slowBackup: Promise<JobReport>
let hungBackup: Promise<JobReport>
let alphaBefore: Baseline

async function started(host: LabHost, name: string): Promise<Guest> {
  const made = await host.defineGuest({ name, ramMiB: 192, agent: true })
  await made.start()
  await made.waitForTick(3)
  await made.waitForAgent()
  return made
}

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  alphaEngine = await BareEngine.on(alpha)
  engine = await BareEngine.on(beta)
  slow = await started(alpha, 'slow to freeze')
  hung = await started(alpha, 'hangs while it freezes')
  guest = await started(beta, 'frozen')
  alphaBefore = await takeBaseline(alpha)
  await slow.order('freeze-takes=70')
  slowBackup = alphaEngine.backup(slow, FREEZE)
  hungBackup = hangInFreeze()
})

afterAll(async () => {
  await Promise.allSettled([slowBackup, hungBackup])
  for (const each of [slow, hung, guest]) {
    await each.destroy()
    await each.undefine()
    await each.host.run(['rm', '-rf', `${DEFAULT_STORE}/${each.uuid}`])
  }
})

/** Its agent stops answering just as it is told to freeze: libvirt waits for it, and virsh is given up. */
async function hangInFreeze(): Promise<JobReport> {
  const id = await alphaEngine.submit(backupSpec(hung, FREEZE), 'freeze:1:hold')
  await heldAt(alpha, 'freeze', id)
  await hung.order('agent-stop')
  await letGo(alpha, 'freeze', id)
  return alphaEngine.ask('follow', { id, from: Number.MAX_SAFE_INTEGER }, 900_000)
}

async function statusOf(each: Guest): Promise<'frozen' | 'thawed' | 'silent'> {
  const ask = ['virsh', '-q', 'qemu-agent-command', each.uuid, '--timeout', '5', '{"execute":"guest-fsfreeze-status"}']
  const { stdout } = await each.host.run(ask)
  return stdout.includes('frozen') ? 'frozen' : stdout.includes('thawed') ? 'thawed' : 'silent'
}

const isThawed = (each: Guest): Promise<true> =>
  waitFor(`${each.name} to be thawed`, async () => ((await statusOf(each)) === 'thawed' ? true : undefined), {
    timeoutMs: 120_000
  })

async function pointOf(each: BareEngine, { point }: JobReport): Promise<Manifest | undefined> {
  return (await each.ask('points', { stores: [DEFAULT_STORE] })).points.find(({ id }) => id === point)
}

const guardsOn = async (host: LabHost): Promise<string> =>
  host.must("systemctl list-units --all --plain --no-legend 'stillpoint-thaw-*'")

describe('a guest that can be frozen', () => {
  let before: Baseline
  const expectClean = async (): Promise<void> => {
    expect(await leftoversOf(beta, before, { roomTaken: 400 * MIB })).toEqual([])
    await guest.waitForMoreTicks(2)
  }

  beforeAll(async () => {
    before = await takeBaseline(beta)
  })

  it('is so from before its disks are held until after, and thawed at once', async () => {
    const report = await engine.backup(guest, FREEZE)
    expect(report).toMatchObject({ state: 'done', warnings: [] })
    expect((await pointOf(engine, report))?.agent).toBe('froze')
    await expectClean()
  })

  it.each(['freeze', 'freeze.done', 'snapshot', 'snapshot.done', 'thaw', 'thaw.done'])(
    'is thawed when the engine is killed at %s, and once more in its undo',
    async (point) => {
      const report = await engine.backup(guest, FREEZE, `${point}:1:kill,undo.*:1:kill`)
      expect(report).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
      expect(await statusOf(guest)).toBe('thawed')
      await expectClean()
    }
  )

  it('is thawed by its host when the engine stands still, and the point does not claim more than it holds', async () => {
    const id = await engine.submit(backupSpec(guest, FREEZE), 'snapshot:1:hold')
    await heldAt(beta, 'snapshot', id)
    expect(await statusOf(guest)).toBe('frozen')
    await isThawed(guest)
    await guest.waitForMoreTicks(2)
    await letGo(beta, 'snapshot', id)
    const report = await engine.endOf(id)
    expect(report.state).toBe('done-with-warnings')
    expect(report.warnings.join()).toContain('did not stay frozen')
    expect((await pointOf(engine, report))?.agent).toBe('answered')
    await expectClean()
  })

  it('and was frozen by somebody else before stays so: that is theirs to end', async () => {
    await guest.virsh('domfsfreeze', guest.uuid)
    const report = await engine.backup(guest, FREEZE)
    expect(report.state).toBe('done-with-warnings')
    expect(report.warnings.join()).toContain('frozen already, and not by this job')
    expect((await pointOf(engine, report))?.agent).toBe('answered')
    expect(await statusOf(guest)).toBe('frozen')
    await guest.virsh('domfsthaw', guest.uuid)
    await expectClean()
  })

  it('needs you when its agent hangs and nobody can tell; the host goes on trying, and thaws it when it can', async () => {
    const id = await engine.submit(backupSpec(guest, FREEZE), 'snapshot:1:hold,snapshot.done:1:kill')
    await heldAt(beta, 'snapshot', id)
    await guest.order('agent-stop')
    await letGo(beta, 'snapshot', id)
    const report = await engine.ask('follow', { id, from: Number.MAX_SAFE_INTEGER }, 600_000)
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    expect(JSON.stringify(report.failure)).toMatch(/the freeze of the file systems of frozen.*virsh domfsthaw/)
    expect(await guardsOn(beta)).toContain('stillpoint-thaw-')
    await guest.order('agent-go')
    await isThawed(guest)
    await expectClean()
  })
})

describe('an agent that does not do as it is told', () => {
  it('may take longer than anybody waits: its guest is thawed all the same, and the point says what it is', async () => {
    const report = await slowBackup
    expect(report.state).toBe('done-with-warnings')
    expect(report.warnings.join()).toContain('did not freeze the file systems')
    expect((await pointOf(alphaEngine, report))?.agent).toBe('answered')
    expect(await statusOf(slow)).toBe('thawed')
    await slow.waitForMoreTicks(2)
  })

  it('may hang in the middle: the point is there, its guest needs you, and thaws when the agent goes on', async () => {
    const report = await hungBackup
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    expect((await pointOf(alphaEngine, report))?.agent).toBe('answered')
    await hung.order('agent-go')
    await isThawed(hung)
    await hung.waitForMoreTicks(2)
    expect(await leftoversOf(alpha, alphaBefore, { roomTaken: 400 * MIB })).toEqual([])
  })
})
