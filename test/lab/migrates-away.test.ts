import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JobReport } from '../../src/shared/model/job.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { Nas } from './nas.ts'
import { foundAtBoot, hasOwnDisks, whileOnOverlays } from './on-overlays.ts'
import { must } from './run.ts'
import { testLab } from './test-lab.ts'
import { tickOnDisk } from './tick-on-disk.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

/** Who does what when: its VM migrates while a backup has its disks on overlays. docs/reliability.md has the table. */
const IMAGES = '/srv/images'
const KEY = '/root/.ssh/to-the-other'
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let nas: Nas
let here: Guest
let there: Guest

beforeAll(async () => {
  const lab = testLab()
  alpha = lab.host('alpha')
  beta = lab.host('beta')
  engine = await BareEngine.on(alpha)
  nas = await Nas.on([alpha, beta], IMAGES, 256)
  for (const { tree } of [alpha, beta]) await must(['install', '-m', '0600', lab.identityFile, join(tree, KEY)])
})

afterAll(async () => {
  for (const host of [alpha, beta]) await host.must(['rm', KEY])
  await nas.remove()
})

beforeEach(async () => {
  here = await alpha.defineGuest({
    name: 'moving',
    ramMiB: 128,
    disks: 2,
    diskMiB: 16,
    imageFolder: IMAGES
  })
  there = here.on(beta)
  await here.start()
  await here.waitForTick(3)
})

afterEach(async () => {
  for (const { host, uuid } of [here, there])
    await host.run(`virsh destroy ${uuid}; virsh undefine ${uuid} --checkpoints-metadata --snapshots-metadata`)
  await alpha.must(`find ${IMAGES} -type f -delete`)
})

/** Not `--live`: emulated RAM is torn by that on an old QEMU (docs/decisions/0008). */
const migrate = (guest: Guest, to: LabHost, ...flags: string[]): Promise<string> =>
  guest.virsh(
    'migrate',
    '--unsafe',
    ...flags,
    guest.uuid,
    `qemu+ssh://root@${to.name}/system?keyfile=${KEY}&no_verify=1`
  )

const isKnown = async ({ host, uuid }: Guest): Promise<boolean> =>
  (await host.run(['virsh', 'domstate', uuid])).exitCode === 0

const commitByHand = (guest: Guest): Promise<unknown> =>
  guest.host.must(
    guest.disks.map(({ target }) => `virsh blockcommit ${guest.uuid} ${target} --active --pivot --wait`).join(' && ')
  )

/** Types what a report says, and has the host looked after where it says so. */
async function doAsTold({ failure }: JobReport, on: LabHost): Promise<void> {
  const lines = failure?.kind === 'left-behind' ? failure.left.flatMap(({ mend }) => mend) : []
  for (const line of lines) await on.must(line)
  if (lines.some((line) => line.includes('looked after again')))
    await engine.ask('doctor', { stores: [], repair: true })
}

/** Every image, of a VM that is off now, holds all that the guest had reported. */
async function nothingLost(guest: Guest): Promise<void> {
  const written = guest.lastTick()?.counter ?? 0
  expect(written).toBeGreaterThan(5)
  for (const { path, format } of guest.disks)
    expect(await tickOnDisk(guest.host, path, format)).toBeGreaterThanOrEqual(written)
}

describe('while a VM is on its overlays', () => {
  it.each<[string, string[], boolean]>([
    ['it migrates, and its definition stays', [], true],
    ['it migrates for good', ['--undefinesource', '--persistent'], false]
  ])(
    '%s: its disks are not touched, and what is typed as told brings it to its own images',
    async (_what, flags, stays) => {
      const report = await whileOnOverlays(engine, here, () => migrate(here, beta, ...flags))
      const overlays = here.disks.map(({ path }) => `${path}.stillpoint-${report.id}`)
      expect(report).toMatchObject({
        state: 'failed-needs-you',
        failure: { kind: 'left-behind', left: overlays.map((path) => ({ path })) }
      })
      await alpha.must(['ls', ...overlays])
      expect(await isKnown(here)).toBe(stays)
      if (stays) expect(await here.state()).toBe('shut off')
      await there.waitForMoreTicks(2)
      // By the time that it is typed, something lies on one of them.
      await there.virsh(
        'snapshot-create-as',
        there.uuid,
        'theirs',
        '--disk-only',
        '--no-metadata',
        '--diskspec',
        'vdb,snapshot=no'
      )
      await there.waitForMoreTicks(2)

      await doAsTold(report, beta)
      await hasOwnDisks(there)
      if (stays) await hasOwnDisks(here)
      await there.virsh('blockcommit', there.uuid, 'vda', '--active', '--pivot', '--wait')
      expect(await engine.ask('doctor', { stores: [], repair: false })).toEqual([])
      await there.waitForMoreTicks(2)
      const ticks = joinResumed(here.ticks(), there.ticks())
      expect(isOneBoot(ticks)).toBe(true)
      expect(isContiguous(ticks)).toBe(true)
      await there.destroy()
      await nothingLost(there)
    }
  )

  it('it migrates, its overlays are committed there, it comes back and ends: nothing is written over what it wrote there', async () => {
    const report = await whileOnOverlays(engine, here, async () => {
      await migrate(here, beta)
      await commitByHand(there)
      await there.waitForMoreTicks(3)
      await migrate(there, alpha)
      await here.waitForMoreTicks(3)
      await here.destroy()
    })
    await nothingLost(here)
    expect(report).toMatchObject({ state: 'failed-needs-you', failure: { kind: 'left-behind' } })
    await engine.ask('doctor', { stores: [], repair: true })
    await nothingLost(here)
    await doAsTold(report, alpha)
    await alpha.must(`rm ${IMAGES}/*.rescued.qcow2 ${IMAGES}/*.kept.qcow2`)
    await hasOwnDisks(here)
    const written = here.lastTick()?.counter ?? 0
    await here.start()
    await foundAtBoot(here, written)
  })
})
