import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../../src/shared/model/point.ts'
import type { Between } from '../../../src/store/between.ts'
import { dropMemory, isHalfDropped, memoryBytesOf } from '../../../src/store/drop-memory.ts'
import { listStrayMarks, markPoint } from '../../../src/store/mark-point.ts'
import { readMarks } from '../../../src/store/marks.ts'
import { moveToTrash, putBack, removeTrashed, settleTrash } from '../../../src/store/move-to-trash.ts'
import { findPoint, listPoints, listPointsOf, listUnfinished, requireGood } from '../../../src/store/point-store.ts'
import { giveStoreIdentity, readStoreIdentity, requireStore } from '../../../src/store/store-identity.ts'
import { expiryOf, listTrash, type TrashNote } from '../../../src/store/trash.ts'
import { verifyPoint } from '../../../src/store/verify-point.ts'
import { FILES, LATER_POINT, OTHER_VM, POINT, VM, makePoint, temporaryStore } from '../store-points.ts'

const NOTE: TrashNote = {
  at: '2026-11-24T02:00:00.000Z',
  policy: { id: 'abcdef012345', name: 'nightly' },
  why: 'no rule keeps it',
  graceHours: 24
}

/** Breaks off at one of the steps; the others pass, and are noted. */
function breakAt(step: string | undefined, passed: string[] = []): Between {
  return (name) => {
    passed.push(name)
    return name === step ? Promise.reject(new Error(`killed at ${step}`)) : Promise.resolve()
  }
}

async function stepsOf(work: (between: Between) => Promise<unknown>): Promise<string[]> {
  const passed: string[] = []
  await work(breakAt(undefined, passed))
  return [...new Set(passed)]
}

async function twoPoints(): Promise<string> {
  const store = await temporaryStore()
  await makePoint(store)
  await makePoint(store, FILES, { id: LATER_POINT, takenAt: '2026-11-22T21:17:44.123Z' })
  return store
}

const idsIn = async (store: string): Promise<string[]> => (await listPoints(store)).points.map(({ id }) => id)

describe('a point in the trash', () => {
  it('is listed nowhere but there, whole, with its marks', async () => {
    const store = await twoPoints()
    await markPoint(store, POINT, { note: 'before the upgrade' })
    await moveToTrash(store, VM, POINT, NOTE)
    expect(await listPoints(store)).toMatchObject({ points: [{ id: LATER_POINT }], broken: [], marks: {} })
    expect(await listUnfinished(store)).toEqual([])
    expect(await listStrayMarks(store)).toEqual([])
    await expect(findPoint([store], POINT)).rejects.toThrow('not-found')
    const [trashed, ...others] = await listTrash(store)
    expect(others).toEqual([])
    expect(trashed).toMatchObject({ vm: VM, point: POINT, note: NOTE, whole: true, pinned: false })
    expect(trashed?.bytes).toBeGreaterThan(70_000)
    expect(await readMarks(trashed?.dir ?? '')).toEqual({ pinned: false, note: 'before the upgrade' })
    expect((await verifyPoint(trashed?.dir ?? '', undefined)).problems).toEqual([])
  })

  it('comes back as it was, and nothing of the trash is left', async () => {
    const store = await twoPoints()
    await markPoint(store, POINT, { note: 'x' })
    const before = await listPoints(store)
    await moveToTrash(store, VM, POINT, NOTE)
    await putBack(store, VM, POINT)
    expect(await listPoints(store)).toEqual(before)
    expect(existsSync(join(store, '.trash'))).toBe(false)
  })

  it('goes for good, and says what became free', async () => {
    const store = await twoPoints()
    await moveToTrash(store, VM, POINT, NOTE)
    const [trashed] = await listTrash(store)
    expect(trashed && (await removeTrashed(trashed))).toBe(trashed?.bytes)
    expect(existsSync(join(store, '.trash'))).toBe(false)
    expect(await idsIn(store)).toEqual([LATER_POINT])
  })

  it('may go from its grace on, counted by the note', async () => {
    const store = await twoPoints()
    await moveToTrash(store, VM, POINT, NOTE)
    const [trashed] = await listTrash(store)
    expect(trashed && expiryOf(trashed)).toEqual(new Date('2026-11-25T02:00:00Z'))
    expect(trashed && expiryOf(trashed, 0)).toEqual(new Date(NOTE.at))
    await writeFile(`${trashed?.dir}.trash.json`, '{"at":')
    const [unreadable] = await listTrash(store)
    expect(unreadable).toMatchObject({ whole: true, note: undefined })
    expect(unreadable && expiryOf(unreadable, 0)).toBeUndefined()
  })

  it('is not put over one that is there again, and half of one is not put back', async () => {
    const store = await twoPoints()
    await moveToTrash(store, VM, POINT, NOTE)
    await makePoint(store)
    await expect(putBack(store, VM, POINT)).rejects.toThrow('point-exists')
    const [trashed] = await listTrash(store)
    if (trashed) await removeTrashed(trashed, breakAt('remove.begun')).catch(() => undefined)
    await expect(putBack(store, VM, POINT)).rejects.toThrow('not-found')
  })

  it('that was pinned at the last moment comes back', async () => {
    const store = await twoPoints()
    const pinAfterwards: Between = async (step) => {
      if (step === 'trash.noted') await markPoint(store, POINT, { pinned: true })
    }
    await moveToTrash(store, VM, POINT, NOTE, pinAfterwards)
    await settleTrash(store, VM)
    expect(await listPoints(store)).toMatchObject({
      points: [{ id: POINT }, { id: LATER_POINT }],
      marks: { [POINT]: { pinned: true } }
    })
    expect(await listTrash(store)).toEqual([])
  })

  it('does not follow a symlink out of the store', async () => {
    const store = await twoPoints()
    await mkdir(join(store, '../elsewhere'))
    await symlink('../elsewhere', join(store, '.trash'))
    await expect(moveToTrash(store, VM, POINT, NOTE)).rejects.toThrow('it is not a directory')
    await expect(listTrash(store)).rejects.toThrow('it is not a directory')
    expect(await idsIn(store)).toEqual([POINT, LATER_POINT])
  })

  it('stays where it was if the trash takes no note', async () => {
    const store = await twoPoints()
    await mkdir(join(store, '.trash', VM, `${POINT}.trash.json.new`, 'in the way'), { recursive: true })
    await expect(moveToTrash(store, VM, POINT, NOTE)).rejects.toThrow()
    expect(await idsIn(store)).toEqual([POINT, LATER_POINT])
  })
})

describe('after a kill between two steps of the trash', () => {
  const moves = async (store: string, between: Between): Promise<void> => moveToTrash(store, VM, POINT, NOTE, between)
  const backs = async (store: string, between: Between): Promise<void> => {
    await moveToTrash(store, VM, POINT, NOTE)
    await putBack(store, VM, POINT, between)
  }
  const removals = async (store: string, between: Between): Promise<void> => {
    await moveToTrash(store, VM, POINT, NOTE)
    for (const trashed of await listTrash(store)) await removeTrashed(trashed, between)
  }

  it.each([
    ['moving', moves],
    ['putting back', backs],
    ['removing', removals]
  ])('%s a point is undone or ended, and never half', async (_, work) => {
    const steps = await stepsOf(async (between) => work(await marked(), between))
    expect(steps.length).toBeGreaterThan(1)
    for (const step of steps) {
      const store = await marked()
      await expect(work(store, breakAt(step))).rejects.toThrow('killed')
      expect((await listPoints(store)).broken).toEqual([])
      expect(await listStrayMarks(store)).toEqual([])
      for (let time = 0; time < 2; time++) await settleTrash(store, VM)
      const trash = await listTrash(store)
      expect(trash.every(({ whole, note }) => whole && note !== undefined)).toBe(true)
      const isListed = (await idsIn(store)).includes(POINT)
      expect(Number(isListed) + trash.length).toBe(work === removals ? 0 : 1)
      const marks = await readMarks(isListed ? join(store, VM, POINT) : join(store, '.trash', VM, POINT))
      expect(marks?.note).toBe(work === removals ? undefined : 'kept')
      expect(await readdir(join(store, VM))).not.toContain(isListed ? '' : `${POINT}.marks.json`)
    }
  })

  async function marked(): Promise<string> {
    const store = await twoPoints()
    await markPoint(store, POINT, { note: 'kept' })
    return store
  }
})

const RAM_FILES = { ...FILES, 'memory.xml': FILES['domain.xml'] ?? new Uint8Array(0), 'RESTORE.md': new Uint8Array(80) }
const withRam: Partial<Manifest> = { memory: { file: 'memory.save', ramBytes: 4096 } }
const guideOf = ({ id, memory }: Omit<Manifest, 'files'>): string => `how to restore ${id}, RAM: ${typeof memory}\n`

describe('dropping the RAM of a point', () => {
  it('leaves a good point of its disks, whose guide says so', async () => {
    const { dir, manifest } = await makePoint(await temporaryStore(), RAM_FILES, withRam)
    expect(memoryBytesOf(manifest)).toBe(570_001 + 10)
    expect(await dropMemory(dir, guideOf)).toBeGreaterThan(0)
    const now = await requireGood(dir)
    expect(now).toMatchObject({ id: POINT, disks: manifest.disks, takenAt: manifest.takenAt })
    expect(now.memory).toBeUndefined()
    expect((await readdir(dir)).sort()).toEqual(['RESTORE.md', 'disks', 'domain.xml', 'manifest.json', 'nvram.fd'])
    expect(now.files.map(({ path }) => path).sort()).toEqual([
      'RESTORE.md',
      'disks/vda.qcow2',
      'domain.xml',
      'nvram.fd'
    ])
    expect(await verifyPoint(dir, undefined)).toMatchObject({ good: true, problems: [] })
    expect(memoryBytesOf(now)).toBeUndefined()
    expect(await dropMemory(dir, guideOf)).toBe(0)
    expect(await requireGood(dir)).toEqual(now)
  })

  it('leaves a good point at every step, and goes on from there', async () => {
    const fresh = async (): Promise<string> => (await makePoint(await temporaryStore(), RAM_FILES, withRam)).dir
    const steps = await stepsOf(async (between) => dropMemory(await fresh(), guideOf, between))
    expect(steps).toHaveLength(5)
    for (const step of steps) {
      const dir = await fresh()
      await expect(dropMemory(dir, guideOf, breakAt(step))).rejects.toThrow('killed')
      expect((await verifyPoint(dir, undefined)).good).toBe(true)
      const manifest = await requireGood(dir)
      expect(manifest.memory !== undefined || (await isHalfDropped(dir, manifest))).toBe(true)
      await dropMemory(dir, guideOf)
      expect(await verifyPoint(dir, undefined)).toMatchObject({ good: true, notes: [expect.stringContaining('qemu')] })
      expect(await isHalfDropped(dir, await requireGood(dir))).toBe(false)
    }
  })

  it('does not touch a damaged point', async () => {
    const { dir } = await makePoint(await temporaryStore(), RAM_FILES, withRam)
    await rm(join(dir, 'disks/vda.qcow2'))
    await expect(dropMemory(dir, guideOf)).rejects.toThrow('point-damaged')
    expect(await readdir(dir)).toContain('memory.save')
  })
})

describe('the identity of a store', () => {
  it('is given once, and found again', async () => {
    const store = await temporaryStore()
    expect(await readStoreIdentity(store)).toBeUndefined()
    const id = await giveStoreIdentity(store)
    expect(await giveStoreIdentity(store)).toBe(id)
    await expect(requireStore(store, id)).resolves.toBeUndefined()
    expect(await listPoints(store)).toEqual({ points: [], broken: [], marks: {} })
  })

  it('gives away a store that is another one, or none', async () => {
    const store = await temporaryStore()
    const id = await giveStoreIdentity(store)
    const other = await temporaryStore()
    await expect(requireStore(other, id)).rejects.toThrow('store-changed')
    await giveStoreIdentity(other)
    await expect(requireStore(other, id)).rejects.toThrow('store-changed')
  })

  it('that is not ours to believe is said to be so, and not replaced', async () => {
    const store = await temporaryStore()
    await mkdir(store, { recursive: true })
    for (const text of ['', '{}', '{"format":"stillpoint-store","id":"../x"}', 'x'.repeat(5000)]) {
      await writeFile(join(store, '.stillpoint-store.json'), text)
      await expect(giveStoreIdentity(store)).rejects.toThrow('bad-output')
    }
  })
})

describe('the points of one VM', () => {
  it('are listed without those of others', async () => {
    const store = await twoPoints()
    await makePoint(store, FILES, { vm: { uuid: OTHER_VM, name: 'other' } })
    expect((await listPointsOf(store, VM)).points.map(({ id }) => id)).toEqual([POINT, LATER_POINT])
    expect((await listPointsOf(store, '11111111-1111-4111-8111-111111111111')).points).toEqual([])
  })
})
