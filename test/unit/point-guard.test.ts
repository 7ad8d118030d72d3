import { chmod, chown, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { othersWhoWrite, requireSealed, seal } from '../../src/engine/restore/point-guard.ts'
import { POINT, makePoint, temporaryStore } from './store-points.ts'

const isRoot = process.geteuid?.() === 0

describe('a point in a store', () => {
  it('that is its owner’s alone has nobody else who writes, and nothing is noted of it', async () => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    expect(await othersWhoWrite(store, dir, manifest)).toBeUndefined()
    expect((await seal(store, dir, manifest)).size).toBe(0)
  })

  it.each([
    ['the store', (store: string) => store],
    ['the folder of its VM', (_store: string, dir: string) => dirname(dir)],
    ['its own folder', (_store: string, dir: string) => dir],
    ['a folder in it', (_store: string, dir: string) => join(dir, 'disks')],
    ['an image', (_store: string, dir: string) => join(dir, 'disks/vda.qcow2')]
  ])('is said to be writable where others may write to %s', async (_what, of) => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    const path = of(store, dir)
    await chmod(path, (await stat(path)).mode | 0o002)
    expect(await othersWhoWrite(store, dir, manifest)).toBe(`others than root may write to ${path}`)
  })

  it.runIf(isRoot)('is said to be somebody’s where it is', async () => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    await chown(dirname(dir), 1234, 1234)
    expect(await othersWhoWrite(store, dir, manifest)).toBe(`${dirname(dir)} belongs to user 1234`)
  })

  it('that others write to is refused once a file of it is another, or was written to, whatever its times say', async () => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    await chmod(store, 0o777)
    const image = join(dir, 'disks/vda.qcow2')
    const sealed = await seal(store, dir, manifest)
    await requireSealed(POINT, dir, sealed)
    const { atime, mtime, size } = await stat(image)
    await writeFile(image, new Uint8Array(size))
    await utimes(image, atime, mtime)
    await expect(requireSealed(POINT, dir, sealed)).rejects.toThrow(/point-damaged.*vda\.qcow2/)
    const anew = await seal(store, dir, manifest)
    await writeFile(`${image}.new`, new Uint8Array(size))
    await rename(`${image}.new`, image)
    await expect(requireSealed(POINT, dir, anew)).rejects.toThrow(/point-damaged/)
  })
})
