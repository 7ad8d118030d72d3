import { execFileSync } from 'node:child_process'
import { mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { holdAlone } from '../../src/engine/retention/file-lock.ts'
import { noteVerdictAlone } from '../../src/engine/retention/store-lock.ts'
import { joinMarks, withMarks } from '../../src/shared/point-marks.ts'
import { listStrayMarks, markPoint, noteVerdict } from '../../src/store/mark-point.ts'
import { deletePoint, dropUnfinished, beginPoint, listPoints, listUnfinished } from '../../src/store/point-store.ts'
import { giveStoreIdentity, IDENTITY_NAME } from '../../src/store/store-identity.ts'
import { verifyPoint } from '../../src/store/verify-point.ts'
import { FILES, LATER_POINT, POINT, VM, makePoint, temporaryStore } from './store-points.ts'

const fileOf = (dir: string): string => `${dir}.marks.json`
const at = '2026-11-22T21:00:00.000Z'

describe('marks beside a point', () => {
  it('are listed with it, and the point itself stays as it was', async () => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    await makePoint(store, FILES, { id: LATER_POINT })
    const before = await readFile(join(dir, 'manifest.json'))
    expect(await markPoint(store, POINT, { pinned: true, note: 'before <b>' })).toEqual({
      pinned: true,
      note: 'before <b>'
    })
    const { points, marks, broken } = await listPoints(store)
    expect(points[0]).toEqual(manifest)
    expect([marks, broken]).toEqual([{ [POINT]: { pinned: true, note: 'before <b>' } }, []])
    expect(await readFile(join(dir, 'manifest.json'))).toEqual(before)
    expect(await readdir(dir)).not.toContain(`${POINT}.marks.json`)
    expect((await stat(fileOf(dir))).mode & 0o777).toBe(0o600)
  })

  it('change one by one; an empty note is none, and no mark is no file', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await markPoint(store, POINT, { note: 'n'.repeat(2000) })
    await markPoint(store, POINT, { pinned: true })
    await markPoint(store, POINT, { verified: { at, good: true } })
    expect(await markPoint(store, POINT, { note: '' })).toEqual({ pinned: true, verified: { at, good: true } })
    await rm(fileOf(dir))
    await markPoint(store, POINT, { pinned: true })
    expect(await markPoint(store, POINT, { pinned: false })).toEqual({ pinned: false })
    expect(await readdir(dirname(dir))).toEqual([POINT])
  })

  it('that come at the same time are all there in the end', async () => {
    const store = await temporaryStore()
    await makePoint(store)
    await Promise.all([
      markPoint(store, POINT, { pinned: true }),
      markPoint(store, POINT, { note: 'x' }),
      markPoint(store, POINT, { verified: { at, good: true } })
    ])
    expect((await listPoints(store)).marks[POINT]).toEqual({ pinned: true, note: 'x', verified: { at, good: true } })
  })

  it('hold a note of the longest, whatever is in it', async () => {
    const store = await temporaryStore()
    await makePoint(store)
    for (const note of ['\u0001'.repeat(2000), '🙂'.repeat(1000), '\ud800'.repeat(2000)]) {
      await markPoint(store, POINT, { note })
      expect((await listPoints(store)).marks[POINT]?.note).toBe(note)
    }
  })

  it('are for points only', async () => {
    const store = await temporaryStore()
    await beginPoint(store, VM, POINT)
    await expect(markPoint(store, POINT, { pinned: true })).rejects.toThrow(/not-found/)
    expect(await readdir(join(store, VM))).toEqual([POINT])
  })

  it('go with the point, and with one that was only begun', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await markPoint(store, POINT, { pinned: true })
    await writeFile(`${fileOf(dir)}.new`, '{')
    await deletePoint(store, POINT)
    expect(await readdir(store)).toEqual([])
    const begun = await beginPoint(store, VM, LATER_POINT)
    await writeFile(fileOf(begun), '{}')
    await dropUnfinished(begun)
    expect(await readdir(store)).toEqual([])
  })
})

describe('a file of marks that is not ours to believe', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['half of one', (path) => writeFile(path, '{"pinned":tr')],
    ['of another shape', (path) => writeFile(path, '{"pinned":"yes"}')],
    ['with a key twice', (path) => writeFile(path, '{"pinned":false,"pinned":true}')],
    [
      'with a note that is too long',
      (path) => writeFile(path, JSON.stringify({ pinned: true, note: 'n'.repeat(2001) }))
    ],
    ['of 100 MB', (path) => writeFile(path, `{"pinned":true}${' '.repeat(100_000_000)}`)],
    [
      'that is a symlink',
      async (path) => {
        await writeFile(join(dirname(dirname(path)), 'marks'), '{"pinned":true}')
        await symlink('../marks', path)
      }
    ],
    ['that is a FIFO', (path) => Promise.resolve(execFileSync('mkfifo', [path]))],
    ['that is a directory', (path) => mkdir(path)]
  ])('%s counts as none, and the point is good', async (_what, spoil) => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    await spoil(fileOf(dir))
    expect(await listPoints(store)).toEqual({ points: [manifest], broken: [], marks: {} })
    expect(await listUnfinished(store)).toEqual([])
  })

  it('is replaced by the next mark', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await symlink('/etc/hostname', fileOf(dir))
    const before = await readFile('/etc/hostname')
    await markPoint(store, POINT, { pinned: true })
    expect((await listPoints(store)).marks[POINT]).toEqual({ pinned: true })
    expect(await readFile('/etc/hostname')).toEqual(before)
  })
})

describe('marks without a point', () => {
  it('are found, as is what a crash left of writing some; those beside a point are not', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await markPoint(store, POINT, { pinned: true })
    expect(await listStrayMarks(store)).toEqual([])
    const gone = fileOf(join(store, VM, LATER_POINT))
    const crashed = `${fileOf(dir)}.new`
    for (const path of [gone, crashed]) await writeFile(path, '{}')
    await writeFile(join(store, VM, 'other.marks.json'), '{}')
    expect(await listStrayMarks(store)).toEqual([crashed, gone].sort())
    expect((await listPoints(store)).broken.map(({ path }) => path)).toEqual([join(store, VM, 'other.marks.json')])
    expect(await listStrayMarks('/nonexistent/store')).toEqual([])
  })
})

describe('the verdict of a verification', () => {
  it('is noted, good or bad', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    const verify = async (): Promise<boolean | undefined> => {
      await noteVerdict(store, await verifyPoint(dir, undefined))
      return (await listPoints(store)).marks[POINT]?.verified?.good
    }
    expect(await verify()).toBe(true)
    const bytes = await readFile(join(dir, 'memory.save'))
    bytes[250_000] = 1
    await writeFile(join(dir, 'memory.save'), bytes)
    expect(await verify()).toBe(false)
  })

  it('stands where it cannot be noted, and says so', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await mkdir(fileOf(dir))
    const report = await noteVerdict(store, await verifyPoint(dir, undefined))
    expect(report.good).toBe(true)
    expect(report.notes.at(-1)).toContain('could not be noted')
  })

  it('is answered all the same while others have the store for longer than anybody waits, and says so', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store)
    await giveStoreIdentity(store)
    const verified = await verifyPoint(dir, undefined)
    const others = await holdAlone(join(store, IDENTITY_NAME), 0)
    if (typeof others === 'string') return expect.fail(others)
    const report = await noteVerdictAlone(store, verified, 0)
    await others.release()
    expect(report).toMatchObject({ point: POINT, good: true, checkedBytes: verified.checkedBytes })
    expect(report.notes.at(-1)).toMatch(/could not be noted.*waiting for others who work on .* took too long/)
    expect((await listPoints(store)).marks[POINT]?.verified).toBeUndefined()
    expect(await noteVerdictAlone(store, verified, 0)).toEqual(verified)
    expect((await listPoints(store)).marks[POINT]?.verified?.good).toBe(true)
  })
})

describe('marks of several places', () => {
  it('are one: pinned if any is, and damage anywhere counts', () => {
    const good = { at: '2026-11-23T00:00:00.000Z', good: true }
    expect(joinMarks([])).toEqual({ pinned: false })
    expect(
      joinMarks([
        { pinned: false, note: 'a' },
        { pinned: true, note: 'b' }
      ])
    ).toEqual({ pinned: true, note: 'a' })
    expect(
      joinMarks([
        { pinned: false, verified: good },
        { pinned: false, verified: { at, good: true } }
      ]).verified
    ).toBe(good)
    expect(
      joinMarks([
        { pinned: false, verified: good },
        { pinned: false, verified: { at, good: false } }
      ]).verified
    ).toEqual({
      at,
      good: false
    })
  })

  it('change only where they are told to', () => {
    expect(withMarks({ pinned: true, note: 'a' }, {})).toEqual({ pinned: true, note: 'a' })
  })
})
