import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_STORE } from '../../src/shared/host-paths.ts'
import type { Guest } from './guest.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline } from './oracle.ts'
import { Stillpoint } from './stillpoint.ts'
import { testLab } from './test-lab.ts'

const stillpoint = new Stillpoint()
const local = join(stillpoint.home, 'points')
let alpha: LabHost
let beta: LabHost
let guest: Guest
let point: string

const marksIn = (root: string): unknown => {
  const path = `${root}/${guest.uuid}/${point}.marks.json`
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}
const marksOn = (host: LabHost): unknown => marksIn(`${host.tree}${DEFAULT_STORE}`)

beforeAll(async () => {
  alpha = testLab().host('alpha')
  beta = testLab().host('beta')
  for (const host of [alpha, beta]) await stillpoint.add(host, '--accept-new')
  guest = await alpha.defineGuest({ name: 'marked', ramMiB: 128 })
  point = String((await stillpoint.run(['backup', 'alpha/marked'])).result['id'])
})

afterAll(async () => {
  for (const host of [alpha, beta]) await host.run(['rm', '-rf', `${DEFAULT_STORE}/${guest.uuid}`])
  await guest.undefine()
  stillpoint.remove()
})

describe('marks beside a point', () => {
  it('are written next to it, and told by points and show', async () => {
    const before = await takeBaseline(alpha)
    const pinned = await stillpoint.run(['pin', point, '--note', 'before the upgrade'])
    expect(pinned).toMatchObject({
      exit: 0,
      result: { point, pinned: true, note: 'before the upgrade', places: ['alpha'] }
    })
    expect(marksOn(alpha)).toEqual({ pinned: true, note: 'before the upgrade' })
    const listed = (await stillpoint.run(['points', 'alpha/marked'])).result['points']
    expect(listed).toMatchObject([{ id: point, pinned: true, note: 'before the upgrade' }])
    expect((await stillpoint.run(['show', point])).result).toMatchObject({ pinned: true, note: 'before the upgrade' })
    expect(await leftoversOf(alpha, before)).toEqual([])
  })

  it('go along with a copy, to a host and to this computer', async () => {
    for (const to of ['beta', local]) expect((await stillpoint.run(['copy', point, '--to', to])).exit).toBe(0)
    for (const marks of [marksOn(beta), marksIn(local)])
      expect(marks).toEqual({ pinned: true, note: 'before the upgrade' })
  })

  it('say when each copy was verified', async () => {
    expect((await stillpoint.run(['verify', point])).exit).toBe(0)
    for (const marks of [marksOn(alpha), marksOn(beta), marksIn(local)])
      expect(marks).toMatchObject({ pinned: true, verified: { good: true } })
    const disk = `${DEFAULT_STORE}/${guest.uuid}/${point}/disks/vda.qcow2`
    await beta.must(`printf x | dd of=${disk} bs=1 seek=400000 conv=notrunc status=none`)
    expect((await stillpoint.run(['verify', point, '--in', 'beta'])).exit).toBe(1)
    expect(marksOn(beta)).toMatchObject({ verified: { good: false } })
    expect((await stillpoint.run(['show', point])).result).toMatchObject({
      verified: { good: true },
      damagedIn: ['beta']
    })
  })

  it('are changed in every place', async () => {
    expect(await stillpoint.run(['unpin', point])).toMatchObject({
      exit: 0,
      result: { places: [local, 'alpha', 'beta'] }
    })
    expect((await stillpoint.run(['pin', point, '--note', ''])).result).not.toHaveProperty('note')
    for (const marks of [marksOn(alpha), marksOn(beta), marksIn(local)]) {
      expect(marks).toMatchObject({ pinned: true })
      expect(marks).not.toHaveProperty('note')
    }
  })

  it('are no business of the doctor while their point is there, and are found when it is not', async () => {
    expect((await stillpoint.run(['doctor', 'beta'])).result['leftovers']).toEqual([])
    await beta.must(['rm', '-r', `${DEFAULT_STORE}/${guest.uuid}/${point}`])
    const found = await stillpoint.run(['doctor', 'beta', '--repair'])
    expect(found.result['leftovers']).toMatchObject([{ kind: 'marks', remedy: 'remove it', repaired: true }])
    expect(marksOn(beta)).toBeUndefined()
    expect((await stillpoint.run(['doctor', 'beta'])).result['leftovers']).toEqual([])
  })

  it('go when the point is deleted', async () => {
    expect((await stillpoint.run(['delete', point, '--in', 'alpha'])).exit).toBe(0)
    expect(marksOn(alpha)).toBeUndefined()
    expect((await alpha.run(['ls', `${DEFAULT_STORE}/${guest.uuid}`])).exitCode).not.toBe(0)
    expect((await stillpoint.run(['show', point])).result).toMatchObject({ places: [local], pinned: true })
  })
})
