import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ImageUser } from '../../src/engine/evidence/image-users.ts'
import { Checklist } from '../../src/engine/restore/checklist.ts'
import { formerFolders, type FormerFolder, type FormerFolderRequest } from '../../src/engine/restore/former-folders.ts'
import { IMAGES } from '../../src/engine/restore/image-folders.ts'
import { placeDisks, tellPlaces } from '../../src/engine/restore/place-disks.ts'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import type { RestoreSpec } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { DISK_BYTES, FILES, OTHER_VM, POINT, VM, manifestOf } from './store-points.ts'

const ANOTHER_FILE_SYSTEM = '/proc'

async function folderOfVms(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'vms-')))
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

/** On a host whose VMs have no image in there; the usual folder is on the same file system. */
const formerOf = async (
  folder: string,
  request: Partial<FormerFolderRequest> = {}
): Promise<FormerFolder | undefined> => {
  const folders = { whyNot: () => Promise.resolve('no images are kept in there') }
  const host = { folders, takenHere: new Map(), users: new Map(), usual: dirname(folder) }
  return (await formerFolders(pointFrom(folder), { ...host, ...request })).get('vda')
}
const useOf = async (...asked: Parameters<typeof formerOf>): Promise<FormerFolder['use'] | undefined> =>
  (await formerOf(...asked))?.use

const MAY_PUT = { whyNot: () => Promise.resolve(undefined) }
/** Its definition names this image. */
const used = (uuid: string, path: string, as: Partial<ImageUser> = {}): Map<string, ImageUser[]> =>
  new Map([[path, [{ uuid, vm: 'a', by: 'definition', ...as }]]])

describe('the folder that a disk was in', () => {
  it('is its own again where VMs of this host have images there', async () => {
    const folder = await folderOfVms()
    await writeFile(join(folder, 'b.qcow2'), '')
    expect(await useOf(folder, { folders: MAY_PUT, users: used(OTHER_VM, join(folder, 'b.qcow2')) })).toBe('back')
  })

  it.runIf(process.geteuid?.() === 0)(
    'is so too where this host itself took the point, and root alone writes there',
    async () => {
      const folder = await folderOfVms()
      const takenHere = new Map([[`${folder}/web.qcow2`, undefined]])
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
    expect(
      await useOf('/etc', { usual: ANOTHER_FILE_SYSTEM, takenHere: new Map([['/etc/web.qcow2', undefined]]) })
    ).toBe('left')
    expect(await useOf('/nowhere', { usual: ANOTHER_FILE_SYSTEM })).toBeUndefined()
  })

  it('is its own where the VM has an image there now, whoever may write there too', async () => {
    const folder = await folderOfVms()
    await chmod(folder, 0o777)
    const [image, usual] = [join(folder, 'web.qcow2'), ANOTHER_FILE_SYSTEM]
    await writeFile(image, '')
    expect(await useOf(folder, { usual, users: used(VM, image) })).toBe('back')
    expect(await useOf(folder, { usual, users: used(OTHER_VM, image) })).toBe('ask')
    expect(await useOf(folder, { usual, users: used(VM, image, { byHeader: true }) })).toBe('ask')
    expect(await useOf(folder, { usual, users: used(VM, image, { as: 'medium' }) })).toBe('ask')
  })

  it('is its own where it is the usual one, whoever may write there too', async () => {
    const folder = await folderOfVms()
    await chmod(folder, 0o777)
    expect(await useOf(folder, { usual: folder, takenHere: new Map([[`${folder}/web.qcow2`, undefined]]) })).toBe(
      'back'
    )
  })
})

// field case 29
describe('the folder of an image whose file system may be away', () => {
  it('is to be asked for where VMs have images in it and none of them is there', async () => {
    const folder = await folderOfVms()
    const users = used(OTHER_VM, join(folder, 'b.qcow2'))
    expect(await formerOf(folder, { folders: MAY_PUT, users })).toMatchObject({
      use: 'ask',
      because: expect.stringContaining('may not be mounted') as string
    })
    expect(await useOf(folder, { users: used(VM, join(folder, 'web.qcow2')) })).toBe('ask')
    await writeFile(join(folder, 'b.qcow2'), '')
    expect(await useOf(folder, { folders: MAY_PUT, users })).toBe('back')
  })

  it('is to be asked for where it lay on a mount that is none now, and not where that is mounted', async () => {
    const folder = await folderOfVms()
    const [image, users] = [join(folder, 'web.qcow2'), used(VM, join(folder, 'web.qcow2'))]
    const asked = { folders: MAY_PUT, users }
    expect(await useOf(folder, { ...asked, takenHere: new Map([[image, '/']]) })).toBe('back')
    expect(await formerOf(folder, { ...asked, takenHere: new Map([[image, folder]]) })).toMatchObject({
      use: 'ask',
      because: `it lay on a file system at ${folder}, and nothing is mounted there now`
    })
    // What is there by now may have been written below it.
    await writeFile(image, '')
    expect(await useOf(folder, { ...asked, takenHere: new Map([[image, folder]]) })).toBe('ask')
  })
})

describe('the place of a disk', () => {
  const pathOf = async (users: ReadonlyMap<string, ImageUser[]>, displaced: string[] = []): Promise<string> => {
    const folder = await realpath(tmpdir())
    const former = new Map([['vda', { folder, use: 'back' as const, because: '' }]])
    const spec = { kind: 'restore', vm: VM, point: POINT, mode: 'boot', replace: true } as RestoreSpec
    const away = displaced.map((uuid) => ({ uuid, renames: [] })) as unknown as Parameters<typeof placeDisks>[3]
    const rules = { former, accessOf: () => undefined, users }
    const [disk] = await placeDisks(spec, POINT, pointFrom(folder), away, rules)
    return basename(disk?.path ?? '')
  }

  it('is not that of an image which another VM has and which is not there at the moment', async () => {
    const users = used(OTHER_VM, join(await realpath(tmpdir()), 'web.qcow2'))
    expect(await pathOf(users)).toBe(`web-${POINT}.qcow2`)
    expect(await pathOf(users, [OTHER_VM])).toBe('web.qcow2')
  })

  it('is not that of one on which another image of the VM that makes way is based', async () => {
    const base = used(VM, join(await realpath(tmpdir()), 'web.qcow2'), { isBase: true })
    expect(await pathOf(base, [VM])).toBe(`web-${POINT}.qcow2`)
  })
})

describe('a disk whose folder is to be asked for', () => {
  const placed = async (
    spec: Partial<RestoreSpec>,
    folder = '/ssd/vms'
  ): Promise<{ path: string | undefined; items: PreflightItem[] }> => {
    const former = new Map([['vda', { folder, use: 'ask' as const, because: 'no images are kept in there' }]])
    const whole = { kind: 'restore', vm: VM, point: POINT, mode: 'boot', replace: false, ...spec } as RestoreSpec
    const rules = { former, accessOf: () => undefined, users: new Map() }
    const disks = await placeDisks(whole, POINT, pointFrom('/ssd/vms'), [], rules)
    const list = new Checklist()
    tellPlaces(disks, former, whole, list)
    return { path: disks[0]?.path, items: list.items }
  }

  it('stops the restore, with its own folder and the usual one to choose from, each for this disk', async () => {
    const [item] = (await placed({})).items
    expect(item).toMatchObject({ check: 'disks', state: 'problem' })
    expect(item?.choices?.map(({ choice }) => choice)).toEqual([
      { kind: 'disk-dir', disk: 'vda', dir: '/ssd/vms' },
      { kind: 'disk-dir', disk: 'vda', dir: IMAGES }
    ])
  })

  it('is offered one folder once', async () => {
    const [item] = (await placed({}, IMAGES)).items
    expect(item?.choices?.map(({ choice }) => choice)).toEqual([{ kind: 'disk-dir', disk: 'vda', dir: IMAGES }])
  })

  it.each([
    { choices: [{ kind: 'disk-dir' as const, disk: 'vda', dir: '/ssd/vms' }], diskDir: '/srv' },
    { diskDir: '/ssd/vms', choices: [{ kind: 'disk-dir' as const, disk: 'vdb', dir: '/srv' }] }
  ])('goes where the operator said: %j', async (spec) => {
    const { path, items } = await placed(spec)
    expect(path).toBe('/ssd/vms/web.qcow2')
    expect(items.map(({ state }) => state)).toEqual(['ok'])
  })

  it('goes nowhere by what was chosen at another restore', async () => {
    const { items } = await placed({ remembered: [{ kind: 'disk-dir', disk: 'vda', dir: '/ssd/vms' }] })
    expect(items[0]).toMatchObject({ state: 'problem' })
  })
})
