import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { jobUnit } from '../../src/shared/host-paths.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt } from './held.ts'
import type { LabHost } from './host.ts'
import { foundAtBoot, goesOn, hasOwnDisks } from './on-overlays.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

/** Who does what when: the host is shut down, and with it its VMs by libvirt-guests, while a backup has one on overlays. */
const SETTINGS = '/etc/default/libvirt-guests'
/** As libvirt itself has it by now: that of Debian 12 lets libvirtd go before libvirt-guests has asked it anything. */
const ORDER = '/etc/systemd/system/libvirt-guests.service.d/order.conf'
let alpha: LabHost
let engine: BareEngine
let guest: Guest
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 })

beforeAll(async () => {
  alpha = testLab().host('alpha')
  engine = await BareEngine.on(alpha)
  guest = await alpha.defineGuest({ name: 'guarded', ramMiB: 128, disks: 2, diskMiB: 16 })
  await guest.start()
  await alpha.writeFile(ORDER, '[Unit]\nAfter=libvirtd.service\n')
  await alpha.must('systemctl daemon-reload && systemctl enable --quiet --now libvirt-guests')
})

afterEach(() => alpha.powerOn()) // a case that failed may have left it off

afterAll(async () => {
  await alpha.run(['virsh', 'destroy', guest.uuid])
  await alpha.must(
    `systemctl disable --quiet --now libvirt-guests; rm -f ${SETTINGS} ${ORDER}; systemctl daemon-reload`
  )
  await engine.thinOut(guest)
  await guest.undefine()
})

async function runs(): Promise<void> {
  await waitFor(`${guest.name} to run`, async () => ((await guest.state()) === 'running' ? true : undefined))
  await guest.waitForMoreTicks(2)
}

/** Has a job stand behind its copy. Answers it and its overlays. */
async function onOverlays(): Promise<{ id: string; overlays: readonly string[] }> {
  const id = await engine.submit(backupSpec(guest), 'copy.done:1:hold')
  await heldAt(alpha, 'copy.done', id)
  await guest.waitForMoreTicks(2)
  return { id, overlays: guest.disks.map(({ path }) => `${path}.stillpoint-${id}`) }
}

const ended = (id: string): Promise<JobReport> =>
  waitFor(`the end of job ${id}`, async () => {
    const report = (await engine.ask('jobs', {})).find((job) => job.id === id)
    return report?.endedAt === undefined ? undefined : report
  })

describe('a host that is shut down while a VM is on its overlays', () => {
  it.each<['shutdown' | 'suspend', string, string]>([
    ['shutdown', 'is booted again with all it wrote', 'shutdown'],
    ['suspend', 'goes on where it was saved', 'saved']
  ])(
    'by libvirt-guests, with ON_SHUTDOWN=%s: it goes down at once, and its VM %s, on its own images',
    async (way, _becomes, reason) => {
      await alpha.writeFile(SETTINGS, `ON_SHUTDOWN=${way}\nON_BOOT=start\n`)
      await runs()
      const since = guest.lastTick()?.counter ?? 0
      const { id, overlays } = await onOverlays()

      await alpha.powerOff()
      const written = guest.lastTick()?.counter ?? 0
      for (const overlay of overlays) expect(existsSync(join(alpha.tree, overlay))).toBe(true)

      await alpha.powerOn()
      expect(await ended(id)).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
      await runs()
      await hasOwnDisks(guest)
      if (way === 'shutdown') await foundAtBoot(guest, written)
      else await goesOn(guest, since)
      expect(await alpha.readFile(`/var/log/libvirt/qemu/${guest.name}.log`)).toContain(
        `shutting down, reason=${reason}`
      )
      const said = await alpha.must(`journalctl --no-pager -b -1 -u ${jobUnit(id)} -u libvirt-guests`)
      expect(said).toContain('libvirt-guests')
      expect(said).not.toMatch(/timed out/i)
    }
  )
})
