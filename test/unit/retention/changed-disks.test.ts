import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { StillDisk } from '../../../src/engine/capture/capture-plan.ts'
import { changesSinceLastPoint } from '../../../src/engine/capture/changed-disks.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { DISK_BYTES, FILES, POINT, VM, makePoint, temporaryStore } from '../store-points.ts'

interface Before {
  readonly images: string
  /** What a backup would say that takes these images now, as target and name; chains are told by name, the top first. */
  readonly said: (
    now: Readonly<Record<string, string>>,
    chains?: Readonly<Record<string, readonly string[]>>
  ) => Promise<string[]>
}

/** A point with `vda` (sys), `vdb` (data) and `vdc` (log), whose images are there. */
async function pointOfThree(): Promise<Before> {
  const store = await temporaryStore()
  const images = join(dirname(store), 'images')
  await mkdir(images)
  const names = { vda: 'sys', vdb: 'data', vdc: 'log' }
  const disks = Object.entries(names).map(([target, name]) => ({
    target,
    file: `disks/${target}.qcow2`,
    virtualSizeBytes: DISK_BYTES,
    originalSource: join(images, name),
    originalFormat: 'qcow2',
    originalType: 'file' as const
  }))
  for (const name of Object.values(names)) await writeFile(join(images, name), name)
  const image = FILES['disks/vda.qcow2'] ?? expect.fail('no image')
  const files = Object.fromEntries(disks.map(({ file }) => [file, image]))
  await makePoint(store, { 'domain.xml': new Uint8Array(1), ...files }, { disks })
  return {
    images,
    said(now, chains = {}) {
      const shell = fakeShell(({ argv }) => {
        const top = (argv.at(-1) ?? '').slice(images.length + 1)
        const layers = chains[top] ?? [top]
        return JSON.stringify(
          layers.map((name) => ({ filename: join(images, name), format: 'qcow2', 'virtual-size': 1 }))
        )
      })
      const taken = Object.entries(now).map(([target, name]) => diskAt(target, join(images, name)))
      return changesSinceLastPoint(shell, { vm: VM, pointDir: join(store, VM, 'new'), disks: [], still: taken })
    }
  }
}

const diskAt = (target: string, source: string): StillDisk => ({
  target,
  source,
  format: 'qcow2',
  type: 'file',
  virtualSizeBytes: 1,
  allocatedBytes: 1
})

describe('a backup says of the disks of the last point', () => {
  it('nothing where they are as they were, or where one came', async () => {
    const { said } = await pointOfThree()
    expect(await said({ vda: 'sys', vdb: 'data', vdc: 'log' })).toEqual([])
    expect(await said({ sda: 'sys', vdb: 'data', vdc: 'log', vdd: 'more' })).toEqual([])
  })

  it('which it will not have, though another has its target now', async () => {
    const { said, images } = await pointOfThree()
    expect(await said({ vda: 'sys', vdb: 'log' })).toEqual([
      expect.stringContaining(`has vdb (${images}/data), and this one has not`)
    ])
    expect(await said({ vda: 'sys', vdb: 'data' })).toEqual([expect.stringContaining('has vdc, and this one has not')])
  })

  it('that a target has another image while the old one is still there', async () => {
    const { said, images } = await pointOfThree()
    await writeFile(join(images, 'empty'), '')
    expect(await said({ vda: 'sys', vdb: 'empty', vdc: 'log' })).toEqual([
      `vdb was ${images}/data in point ${POINT} and is ${images}/empty now, and ${images}/data is still there: if that is another disk, pin that point (stillpoint pin ${POINT}), as newer ones do not have it`
    ])
  })

  it('nothing of an image that was moved or has another name, nor of one that is below an overlay by now', async () => {
    const { said, images } = await pointOfThree()
    await rename(join(images, 'data'), join(images, 'moved'))
    expect(await said({ vda: 'sys', vdb: 'moved', vdc: 'log' })).toEqual([])
    await writeFile(join(images, 'sys.snap'), '')
    expect(await said({ vda: 'sys.snap', vdb: 'moved', vdc: 'log' }, { 'sys.snap': ['sys.snap', 'sys'] })).toEqual([])
    await rm(join(images, 'sys.snap'))
  })

  it('nothing of a path that is a link to where the image lies now', async () => {
    const { said, images } = await pointOfThree()
    await rename(join(images, 'data'), join(images, 'moved'))
    await symlink(join(images, 'moved'), join(images, 'data'))
    expect(await said({ vda: 'sys', vdb: 'moved', vdc: 'log' })).toEqual([])
  })
})
