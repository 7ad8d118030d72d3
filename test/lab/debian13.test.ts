import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { Stillpoint } from './stillpoint.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

const stillpoint = new Stillpoint()
let alpha: LabHost
let beta: LabHost
let gamma: LabHost
let guest: Guest
let point = ''

beforeAll(async () => {
  const lab = testLab()
  alpha = lab.host('alpha')
  beta = lab.host('beta')
  gamma = lab.host('gamma')
  for (const host of [alpha, beta, gamma]) await stillpoint.add(host, '--accept-new')
  guest = await alpha.defineGuest({ name: 'checker', ramMiB: 256, disks: 2, diskMiB: 96, checking: true })
  await guest.start()
  await guest.waitForTick(60)
})

afterAll(async () => {
  for (const host of [beta, gamma])
    await host.run(`virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid}; rm -f /var/lib/libvirt/images/*`)
  await guest.destroy()
  await guest.undefine()
  stillpoint.remove()
})

describe('a VM that keeps writing checksummed records', () => {
  it('is captured in the middle of it, and goes on writing', async () => {
    const { exit, result } = await stillpoint.run(['backup', 'alpha/checker'])
    expect([exit, result]).toMatchObject([0, { method: 'live', hasMemory: true }])
    point = String(result['id'])
    expect(await guest.requestVerify()).toMatchObject({ ok: true, against: 'ram' })
  })

  it('resumes on Debian 13, which has neither Node nor Python, and finds every record as its RAM remembers it', async () => {
    expect((await gamma.run('command -v node || command -v python3')).exitCode).not.toBe(0)
    const { exit, result } = await stillpoint.run(['restore', point, '--to', 'gamma'])
    expect([exit, result]).toMatchObject([0, { mode: 'resume' }])
    const there = guest.on(gamma)
    await there.waitForMoreTicks(20)
    const ticks = joinResumed(guest.ticks(), there.ticks())
    expect(isContiguous(ticks) && isOneBoot(ticks)).toBe(true)
    const report = await there.requestVerify()
    expect(report).toMatchObject({ ok: true, against: 'ram', complaints: [] })
    expect(report.records).toBeGreaterThan(0)
  })

  it('boots from the same point with file systems that are sound', async () => {
    const { exit, result } = await stillpoint.run(['restore', point, '--to', 'beta', '--mode', 'boot'])
    expect([exit, result]).toMatchObject([0, { mode: 'boot' }])
    const there = guest.on(beta)
    await there.waitForMoreTicks(10)
    expect(
      there
        .boots()
        .at(-1)
        ?.disks.map(({ state }) => state)
    ).not.toContain('damaged')
  })
})
