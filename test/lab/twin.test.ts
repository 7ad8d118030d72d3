import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Leftover, PreflightItem } from '../../src/shared/engine-protocol.ts'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { Stillpoint, type Answer } from './stillpoint.ts'
import { testLab } from './test-lab.ts'

const stillpoint = new Stillpoint()
let alpha: LabHost
let beta: LabHost
let guest: Guest
let there: Guest
let point = ''

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  for (const host of [alpha, beta]) await stillpoint.add(host, '--accept-new')
  guest = await alpha.defineGuest({ name: 'twin', ramMiB: 128 })
  there = guest.on(beta)
  await guest.virsh('autostart', guest.uuid)
  await guest.start()
  await guest.waitForTick(5)
  point = String((await stillpoint.run(['backup', 'alpha/twin', '--method', 'disk'])).result['id'])
})

afterAll(async () => {
  await beta.run(`virsh destroy ${guest.uuid}; virsh undefine ${guest.uuid}; rm -f /var/lib/libvirt/images/*`)
  for (const host of [alpha, beta]) await host.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
  await alpha.run(['virsh', 'destroy', guest.uuid])
  await guest.undefine()
  stillpoint.remove()
})

const restore = (...flags: readonly string[]): Promise<Answer> =>
  stillpoint.run(['restore', point, '--to', 'beta', ...flags])
const itemsOf = ({ result }: Answer, check: string): PreflightItem[] =>
  (result['checks'] as PreflightItem[]).filter((item) => item.check === check)
const warningsOf = ({ result }: Answer): string => (result['warnings'] as string[]).join('\n')
const startsWithBeta = async (): Promise<boolean> =>
  (await there.virsh('dominfo', guest.uuid)).includes('Autostart:      enable')

interface Listed {
  readonly uuid: string
  readonly host: string
  readonly autostartHeld?: { readonly kind: string; readonly host: string }
}
const heldOnBeta = async (): Promise<Listed['autostartHeld']> => {
  const { result } = await stillpoint.run(['vm', 'list'])
  return (result['vms'] as Listed[]).find(({ host, uuid }) => host === 'beta' && uuid === guest.uuid)?.autostartHeld
}

describe('a VM that is restored to another host while it runs on its own', () => {
  it('is a warning of the check, with what can be done', async () => {
    const check = await restore('--check')
    expect(check.exit).toBe(3)
    const [twin] = itemsOf(check, 'twin')
    expect(twin?.text).toContain('VM twin is on alpha too, and is running there')
    expect(twin?.fix).toContain(`on alpha: virsh shutdown ${guest.uuid}`)
    expect(itemsOf(check, 'autostart')[0]?.text).toContain('stillpoint vm autostart beta/twin')
  })

  it('is none of a copy', async () => {
    const copy = await restore('--mode', 'copy', '--name', 'twin-copy', '--check')
    expect([copy.exit, itemsOf(copy, 'twin')]).toEqual([0, []])
  })

  it('is restored, does not start with its host, and says so in the report', async () => {
    const restored = await restore()
    expect([restored.exit, restored.result]).toMatchObject([3, { ok: true, mode: 'boot' }])
    expect(warningsOf(restored)).toContain('VM twin is on alpha too')
    expect(warningsOf(restored)).toContain('Autostart is left off until twin is gone from alpha')
    expect(await startsWithBeta()).toBe(false)
    await there.waitForMoreTicks(3)
  })

  it('is noted in the VM, in what runs and in what starts next, and outlives its stop', async () => {
    for (const flags of [[], ['--inactive']])
      expect(await there.xml(...flags)).toMatch(/<stillpoint:held [^>]*host="alpha"/)
    expect(await heldOnBeta()).toMatchObject({ kind: 'there', host: 'alpha' })
    await there.destroy()
    expect(await heldOnBeta()).toMatchObject({ kind: 'there', host: 'alpha' })
    await there.start()
  })

  it('has it in its points as its owner wants it, and a restore without a twin takes the note out', async () => {
    const taken = await stillpoint.run(['backup', 'beta/twin', '--method', 'disk'])
    const id = String(taken.result['id'])
    expect((await stillpoint.run(['show', id])).result['manifest']).toMatchObject({ autostart: true })
    await guest.destroy()
    await alpha.must(['virsh', '-q', 'autostart', guest.uuid, '--disable'])
    const again = await stillpoint.run(['restore', id, '--to', 'beta', '--replace'])
    expect(again.result).toMatchObject({ ok: true })
    expect(warningsOf(again)).not.toContain('on alpha too')
    expect([await startsWithBeta(), await there.xml('--inactive')]).toEqual([
      true,
      expect.not.stringContaining('stillpoint:held')
    ])
  })

  it('is told of until its twin is gone, and then is turned on by one line', async () => {
    await alpha.must(['virsh', '-q', 'autostart', guest.uuid])
    await guest.start()
    expect((await restore('--replace')).result).toMatchObject({ ok: true })
    expect(await startsWithBeta()).toBe(false)
    await guest.destroy()
    expect(await heldOnBeta()).toMatchObject({ kind: 'there' }) // it still starts with alpha
    await alpha.must(['virsh', '-q', 'autostart', guest.uuid, '--disable'])
    expect(await heldOnBeta()).toEqual({ kind: 'gone', host: 'alpha' })
    const { result } = await stillpoint.run(['doctor', 'beta'])
    const [left] = (result['leftovers'] as Leftover[]).filter(({ kind }) => kind === 'autostart')
    expect(left?.what).toContain('It neither runs nor starts there any more')
    expect((await stillpoint.run(['vm', 'autostart', 'beta/twin'])).result).toMatchObject({ ok: true, autostart: true })
    expect([await startsWithBeta(), await heldOnBeta()]).toEqual([true, undefined])
    for (const flags of [[], ['--inactive']]) expect(await there.xml(...flags)).not.toContain('stillpoint:held')
  })
})

describe('a host that is dead, whose VM is restored on another', () => {
  it('holds nothing up, is named as not asked, and the VM starts with its new host', async () => {
    await alpha.powerOff(true)
    try {
      const check = await restore('--replace', '--check')
      expect(itemsOf(check, 'twin')[0]?.text).toMatch(/^alpha, where this point was taken, does not answer/)
      const restored = await restore('--replace')
      expect(restored.result).toMatchObject({ ok: true })
      expect(warningsOf(restored)).toContain('alpha, where this point was taken, does not answer')
      expect(await startsWithBeta()).toBe(true)
    } finally {
      await alpha.powerOn()
    }
  })
})
