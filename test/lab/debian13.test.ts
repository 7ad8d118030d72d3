import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { Stillpoint } from './stillpoint.ts'
import { testLab } from './test-lab.ts'
import { isContiguous, isOneBoot, joinResumed } from './ticks.ts'

const stillpoint = new Stillpoint()
let alpha: LabHost
let gamma: LabHost

beforeAll(async () => {
  const lab = testLab()
  alpha = lab.host('alpha')
  gamma = lab.host('gamma')
  for (const host of [alpha, gamma]) await stillpoint.add(host, '--accept-new')
})

afterAll(() => stillpoint.remove())

const forget = (host: LabHost, { uuid }: Guest): Promise<unknown> =>
  host.run(`virsh destroy ${uuid}; virsh undefine ${uuid}; rm -f /var/lib/libvirt/images/${uuid}*`)

describe('a point of Debian 12 on Debian 13', () => {
  let guest: Guest
  beforeAll(async () => {
    guest = await alpha.defineGuest({ name: 'traveller', ramMiB: 256 })
    await guest.start()
    await guest.waitForTick(20)
  })
  afterAll(async () => {
    await forget(gamma, guest)
    await guest.destroy()
    await guest.undefine()
  })

  it('resumes from RAM, where there is neither Node nor Python', async () => {
    expect((await gamma.run('command -v node || command -v python3')).exitCode).not.toBe(0)
    const { result: point } = await stillpoint.run(['backup', 'alpha/traveller'])
    expect(point).toMatchObject({ method: 'live', hasMemory: true })
    // The lab's guests are emulated, by a QEMU that is known for it.
    expect((point['job'] as Record<string, unknown>)['methodReason']).toContain('emulated without KVM')
    const { exit, result } = await stillpoint.run(['restore', String(point['id']), '--to', 'gamma'])
    expect([exit, result]).toMatchObject([3, { mode: 'resume' }]) // it runs on alpha too
    const there = guest.on(gamma)
    await there.waitForMoreTicks(10)
    const ticks = joinResumed(guest.ticks(), there.ticks())
    expect(isContiguous(ticks) && isOneBoot(ticks)).toBe(true)
  })
})

// On Debian 13: QEMU before 9 loses writes of a VM that it emulates while it saves its RAM (docs/decisions/0008).
describe('a VM that keeps writing checksummed records', () => {
  let guest: Guest
  let point = ''
  beforeAll(async () => {
    guest = await gamma.defineGuest({ name: 'checker', ramMiB: 256, disks: 2, diskMiB: 96, checking: true })
    await guest.start()
    await guest.waitForTick(30)
  })
  afterAll(() => forget(gamma, guest))

  it('is captured in the middle of it, and goes on writing', async () => {
    const { exit, result } = await stillpoint.run(['backup', 'gamma/checker'])
    expect([exit, result]).toMatchObject([0, { method: 'live', hasMemory: true }])
    expect((result['job'] as Record<string, unknown>)['methodReason']).not.toContain('emulated')
    point = String(result['id'])
    expect(await guest.requestVerify()).toMatchObject({ ok: true, against: 'ram' })
  })

  it('resumes, and finds every record as its RAM remembers it', async () => {
    await forget(gamma, guest)
    const { exit, result } = await stillpoint.run(['restore', point, '--to', 'gamma'])
    expect([exit, result]).toMatchObject([0, { mode: 'resume' }])
    await guest.waitForMoreTicks(10)
    const report = await guest.requestVerify()
    expect(report).toMatchObject({ ok: true, against: 'ram', complaints: [] })
    expect(report.records).toBeGreaterThan(0)
  })

  it('boots from the same point with file systems that are sound', async () => {
    await forget(gamma, guest)
    const { exit, result } = await stillpoint.run(['restore', point, '--to', 'gamma', '--mode', 'boot'])
    expect([exit, result]).toMatchObject([0, { mode: 'boot' }])
    await guest.waitForMoreTicks(5)
    const states = guest
      .boots()
      .at(-1)
      ?.disks.map(({ state }) => state)
    expect(states).toHaveLength(2)
    expect(states).not.toContain('damaged')
  })
})
