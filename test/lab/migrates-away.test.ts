import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JobReport } from '../../src/shared/model/job.ts'
import { BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { Nas } from './nas.ts'
import { hasOwnDisks, OVERLAY, whileOnOverlays } from './on-overlays.ts'
import { must, waitFor } from './run.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

/** Its VM migrates while a backup has its disks on overlays. docs/reliability.md has the table. */
const IMAGES = '/srv/images'
const KEY = '/root/.ssh/to-beta'
let alpha: LabHost
let beta: LabHost
let engine: BareEngine
let nas: Nas

beforeAll(async () => {
  const lab = testLab()
  alpha = lab.host('alpha')
  beta = lab.host('beta')
  engine = await BareEngine.on(alpha)
  nas = await Nas.on([alpha, beta], IMAGES, 256)
  await must(['install', '-m', '0600', lab.identityFile, join(alpha.tree, KEY)])
})

afterAll(async () => {
  await alpha.must(['rm', KEY])
  await nas.remove()
})

/** Not `--live`: emulated RAM is torn by that on an old QEMU (docs/decisions/0008). */
const migrate = (guest: Guest, ...flags: string[]): Promise<string> =>
  guest.virsh('migrate', '--unsafe', ...flags, guest.uuid, `qemu+ssh://root@beta/system?keyfile=${KEY}&no_verify=1`)

const isKnown = async ({ host, uuid }: Guest): Promise<boolean> =>
  (await host.run(['virsh', 'domstate', uuid])).exitCode === 0

/** What a report wants typed. Comments say where. */
const linesOf = ({ failure }: JobReport): string[] =>
  failure?.kind === 'left-behind' ? failure.left.flatMap(({ mend }) => mend) : []

describe('while a VM is on its overlays', () => {
  let here: Guest
  let there: Guest

  beforeEach(async () => {
    here = await alpha.defineGuest({
      name: 'moving',
      uuid: randomUUID(),
      ramMiB: 128,
      disks: 2,
      diskMiB: 16,
      tickMs: 100,
      imageFolder: IMAGES
    })
    there = here.on(beta)
    await here.start()
    await here.waitForTick(5)
  })

  afterEach(async () => {
    for (const { host, uuid } of [here, there])
      await host.run(
        `virsh destroy ${uuid}; virsh undefine ${uuid} --nvram --checkpoints-metadata --snapshots-metadata`
      )
    await alpha.must(`rm -f ${IMAGES}/*`)
  })

  it('x', async () => {
    const report = await whileOnOverlays(engine, here, () => migrate(here))
    console.log(JSON.stringify(report, undefined, 1))
    console.log(
      await alpha.must(`virsh list --all; ls -l ${IMAGES}`),
      await beta.must(`virsh list --all; virsh domblklist moving`)
    )
  })
})
