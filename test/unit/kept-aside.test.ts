import type { mkdtempSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { keptAside, letGo } from '../../src/engine/doctor/kept-aside.ts'
import { renameOf } from '../../src/engine/restore/displaced-vm.ts'
import { asideOfVm } from '../../src/engine/restore/kept-records.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import type * as HostPaths from '../../src/shared/host-paths.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { FILES, OTHER_VM, POINT, VM, makePoint, manifestOf, temporaryStore } from './store-points.ts'

const state = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) => {
  const { mkdtempSync: make } = await vi.importActual<{ mkdtempSync: typeof mkdtempSync }>('node:fs')
  const { tmpdir: temporary } = await vi.importActual<{ tmpdir: typeof tmpdir }>('node:os')
  state.dir = make(`${temporary()}/stillpoint-state-`)
  return {
    ...(await original<typeof HostPaths>()),
    ASIDE_DIR: `${state.dir}/aside`,
    DEFAULT_STORE: `${state.dir}/points`
  }
})
afterAll(() => rm(state.dir, { recursive: true, force: true }))

const disk = (target: string, source: string): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${source}'/><target dev='${target}' bus='virtio'/></disk>`

interface Aside {
  readonly sys: string
  readonly data: string
  readonly save: string
}

/** What restore `POINT` has put aside of a VM: two images and its saved RAM. Answers under which names. */
async function putAside(uuid: string): Promise<{ from: Aside; to: Aside }> {
  const dir = await mkdtemp(join(tmpdir(), 'stillpoint-images-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const from = { sys: join(dir, 'sys.img'), data: join(dir, 'data.img'), save: join(dir, 'web.save') }
  for (const path of Object.values(from)) await writeFile(path, 'x'.repeat(8192))
  const { disks } = parseDomain(
    `<domain><name>web</name><uuid>${uuid}</uuid><devices>${disk('vda', from.sys)}${disk('vdb', from.data)}</devices></domain>`
  )
  const renames = (
    await Promise.all([...disks.map((each) => renameOf(each.source ?? '', POINT, each)), renameOf(from.save, POINT)])
  ).flat()
  for (const each of renames) await rename(each.from, each.to)
  await mkdir(asideOfVm(POINT, uuid), { recursive: true })
  onTestFinished(() => rm(asideOfVm(POINT, uuid), { recursive: true, force: true }))
  await writeFile(join(asideOfVm(POINT, uuid), 'vm.json'), JSON.stringify({ uuid, name: 'web', renames }))
  const [sys = '', data = '', save = ''] = renames.map(({ to }) => to)
  return { from, to: { sys, data, save } }
}

/** Whose point has an image that lay there. */
async function storeWith(originalSource: string): Promise<string> {
  const store = await temporaryStore()
  const disks: Manifest['disks'] = manifestOf(FILES).disks.map((each) => ({ ...each, originalSource }))
  await makePoint(store, FILES, { disks })
  return store
}

// field case 5
describe('what a restore has kept aside', () => {
  const { shell } = paperLibvirt()

  it('is listed with sizes, and which images are in no point', async () => {
    const { from, to } = await putAside(VM)
    const [finding] = await keptAside([await storeWith(from.sys)])
    expect(finding?.what).toMatch(/^VM web as it was .*: 24 KiB \(/)
    expect(finding?.what).toContain(`, ${to.sys} 8.0 KiB, ${to.data} 8.0 KiB in no point, ${to.save} 8.0 KiB)`)
  })

  it('goes, but for an image that is in no point and that nobody names', async () => {
    const { from, to } = await putAside(VM)
    const stores = [await storeWith(from.sys)]
    expect(await letGo(shell, { id: POINT, stores })).toEqual({
      removed: [to.sys, to.save],
      freedBytes: 16_384,
      kept: [{ path: to.data, because: 'it is in no point of this host, and has 8.0 KiB', isInNoPoint: true }]
    })
    expect(await readdir(`${state.dir}/aside`)).toEqual([POINT])
    expect(await letGo(shell, { id: POINT, stores, also: [to.data] })).toMatchObject({ removed: [to.data], kept: [] })
    expect(await readdir(`${state.dir}/aside`)).toEqual([])
  })

  it('is in no point that another VM has of an image which lay there', async () => {
    const { from, to } = await putAside(OTHER_VM)
    const gone = await letGo(shell, { id: POINT, stores: [await storeWith(from.sys)] })
    expect(gone.removed).toEqual([to.save])
    expect(gone.kept.map(({ path }) => path)).toEqual([to.sys, to.data])
  })
})
