import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Checklist } from '../../src/engine/restore/checklist.ts'
import { formerFolders, type FormerFolder, type FormerFolderRequest } from '../../src/engine/restore/former-folders.ts'
import { IMAGES } from '../../src/engine/restore/image-folders.ts'
import { placeDisks, tellPlaces } from '../../src/engine/restore/place-disks.ts'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import type { RestoreSpec } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { DISK_BYTES, FILES, POINT, VM, manifestOf } from './store-points.ts'

const ANOTHER_FILE_SYSTEM = '/proc'

async function folderOfVms(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vms-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await chmod(folder, 0o711)
  return folder
}

const pointFrom = (folder: string): Manifest =>
  manifestOf(FILES, {
    disks: [
      {
        target: 'vda',
        file: 'disks/vda.qcow2',
        virtualSizeBytes: DISK_BYTES,
        originalSource: `${folder}/web.qcow2`,
        originalFormat: 'qcow2',
        originalType: 'file'
      }
    ]
  })

/** On a host whose VMs have no image in there. */
const useOf = async (
  folder: string,
  request: Partial<FormerFolderRequest> = {}
): Promise<FormerFolder['use'] | undefined> => {
  const folders = { whyNot: () => Promise.resolve('no images are kept in there') }
  const former = await formerFolders(pointFrom(folder), { folders, takenHere: new Set(), usual: folder, ...request })
  return former.get('vda')?.use
}

describe('the folder that a disk was in', () => {
  it('is its own again where VMs of this host have images there', async () => {
    expect(await useOf('/nowhere', { folders: { whyNot: () => Promise.resolve(undefined) } })).toBe('back')
  })

  it.runIf(process.geteuid?.() === 0)(
    'is so too where this host itself took the point, and root alone writes there',
    async () => {
      const folder = await folderOfVms()
      const takenHere = new Set([`${folder}/web.qcow2`])
      expect(await useOf(folder, { takenHere })).toBe('back')
      await chmod(folder, 0o777)
      expect(await useOf(folder, { takenHere })).toBe('ask')
    }
  )

  it('is to be asked for where it lies on another file system than the folder that the disk would go to', async () => {
    const folder = await folderOfVms()
    expect(await useOf(folder, { usual: ANOTHER_FILE_SYSTEM })).toBe('ask')
    expect(await useOf(folder)).toBe('left')
  })

  it('is never offered where others than VMs live by it, nor where there is none', async () => {
    expect(await useOf('/etc', { usual: ANOTHER_FILE_SYSTEM, takenHere: new Set(['/etc/web.qcow2']) })).toBe('left')
    expect(await useOf('/nowhere', { usual: ANOTHER_FILE_SYSTEM })).toBeUndefined()
  })
})

describe('a disk whose folder is to be asked for', () => {
  const placed = (spec: Partial<RestoreSpec>): { path: string | undefined; items: PreflightItem[] } => {
    const former = new Map([
      ['vda', { folder: '/ssd/vms', use: 'ask' as const, because: 'no images are kept in there' }]
    ])
    const whole = { kind: 'restore', vm: VM, point: POINT, mode: 'boot', replace: false, ...spec } as RestoreSpec
    const disks = placeDisks(whole, POINT, pointFrom('/ssd/vms'), [], { former, accessOf: () => undefined })
    const list = new Checklist()
    tellPlaces(disks, former, whole, list)
    return { path: disks[0]?.path, items: list.items }
  }

  it('stops the restore, with its own folder and the usual one to choose from, each for this disk', () => {
    const [item] = placed({}).items
    expect(item).toMatchObject({ check: 'disks', state: 'problem' })
    expect(item?.choices?.map(({ choice }) => choice)).toEqual([
      { kind: 'disk-dir', disk: 'vda', dir: '/ssd/vms' },
      { kind: 'disk-dir', disk: 'vda', dir: IMAGES }
    ])
  })

  it.each([
    { choices: [{ kind: 'disk-dir' as const, disk: 'vda', dir: '/ssd/vms' }], diskDir: '/srv' },
    { diskDir: '/ssd/vms', choices: [{ kind: 'disk-dir' as const, disk: 'vdb', dir: '/srv' }] }
  ])('goes where the operator said: %j', (spec) => {
    const { path, items } = placed(spec)
    expect(path).toBe('/ssd/vms/web.qcow2')
    expect(items.map(({ state }) => state)).toEqual(['ok'])
  })

  it('goes nowhere by what was chosen at another restore', () => {
    const { items } = placed({ remembered: [{ kind: 'disk-dir', disk: 'vda', dir: '/ssd/vms' }] })
    expect(items[0]).toMatchObject({ state: 'problem' })
  })
})
