import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { Stillpoint, type Answer } from './stillpoint.ts'
import { testLab } from './test-lab.ts'

const stillpoint = new Stillpoint()
let alpha: LabHost
let beta: LabHost
let guest: Guest
let point: string

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  for (const host of [alpha, beta]) await stillpoint.add(host, '--accept-new')
  guest = await alpha.defineGuest({ name: 'asked', ramMiB: 128, network: 'default' })
  await guest.start()
  await guest.waitForTick(5)
  point = String((await stillpoint.run(['backup', 'alpha/asked'])).result['id'])
})

afterAll(async () => {
  for (const host of [alpha, beta]) await host.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
  await guest.destroy()
  await guest.undefine()
  stillpoint.remove()
})

const check = (...flags: readonly string[]): Promise<Answer> =>
  stillpoint.run(['restore', point, '--to', 'beta', '--check', ...flags])
const itemsOf = ({ result }: Answer, name: string): PreflightItem[] =>
  (result['checks'] as PreflightItem[]).filter((item) => item.check === name)

describe('checking a restore to a host that lacks the point', () => {
  it('looks at everything that can be known, and brings nothing there', async () => {
    const before = await takeBaseline(beta)
    const answer = await check()
    expect(answer).toMatchObject({ exit: 3, result: { ok: true } })
    expect(itemsOf(answer, 'twin')).toMatchObject([{ state: 'warning' }]) // it runs on alpha
    expect(answer.result['bytesToMove']).toBeGreaterThan(1024 * 1024)
    expect(answer.result).not.toHaveProperty('replaces')
    expect(itemsOf(answer, 'point')[0]?.text).toContain('not on this host yet')
    expect(itemsOf(answer, 'room')[0]?.text).toContain('the point and the disks')
    for (const name of ['machine type', 'existing VM', 'networks'])
      expect(itemsOf(answer, name)).toMatchObject([{ state: 'ok' }])
    expect((await beta.run(['ls', `${DEFAULT_STORE}/${guest.uuid}`])).exitCode).not.toBe(0)
    expect(await leftoversOf(beta, before, { roomTaken: 0 })).toEqual([])
  })

  it('names the VM of that name there, and what --replace would do to it', async () => {
    const namesake = await beta.defineGuest({ name: 'asked', ramMiB: 128 })
    try {
      const refused = await check()
      expect([refused.exit, refused.result['replaces']]).toEqual([1, { name: 'asked', uuid: namesake.uuid }])
      expect(itemsOf(refused, 'existing VM')).toMatchObject([{ state: 'problem' }])
      const replacing = await check('--replace')
      expect([replacing.exit, replacing.result['replaces']]).toEqual([3, { name: 'asked', uuid: namesake.uuid }])
      expect(await namesake.state()).toBe('shut off')
    } finally {
      await namesake.undefine()
    }
  })

  it('finds the network missing, and would make it as it was', async () => {
    await beta.must('virsh -q net-destroy default; virsh -q net-undefine default')
    try {
      expect(itemsOf(await check(), 'networks')).toMatchObject([
        { state: 'warning', text: expect.stringContaining('Network default will be made') as string }
      ])
      expect(await beta.must('virsh -q net-list --all --name')).not.toContain('default')
    } finally {
      await beta.must(
        'cat /run/default-network.xml | virsh -q net-define /dev/stdin; virsh -q net-autostart default; virsh -q net-start default'
      )
    }
  })

  it('has nothing to move once the point is there', async () => {
    expect((await stillpoint.run(['copy', point, '--to', 'beta'])).exit).toBe(0)
    const answer = await check()
    expect([answer.exit, answer.result['bytesToMove']]).toEqual([3, 0])
    expect(itemsOf(answer, 'point')[0]?.text).toContain('it is on this host')
  })
})
