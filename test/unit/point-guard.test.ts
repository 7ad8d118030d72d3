import { chmod, chown, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Checklist } from '../../src/engine/restore/checklist.ts'
import { othersWhoWrite, requireSealed, seal } from '../../src/engine/restore/point-guard.ts'
import { sourceAt, sourceFor } from '../../src/engine/restore/plan-source.ts'
import type { RestoreSpec } from '../../src/shared/model/job.ts'
import { fakeShell, type FakeShell } from '../../src/shell/fake.ts'
import { POINT, VM, makePoint, temporaryStore } from './store-points.ts'

const isRoot = process.geteuid?.() === 0

const text = (from: string): Uint8Array => new TextEncoder().encode(from)
const quiet = fakeShell({})

describe('a point in a store', () => {
  it('that is its owner’s alone has nobody else who writes, and nothing is noted of it', async () => {
    const store = await temporaryStore()
    const { dir, manifest } = await makePoint(store)
    expect(await othersWhoWrite(store, dir, manifest)).toBeUndefined()
    expect((await seal(quiet, store, dir, manifest)).size).toBe(0)
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
    const sealed = await seal(quiet, store, dir, manifest)
    await requireSealed(POINT, dir, sealed)
    const { atime, mtime, size } = await stat(image)
    await writeFile(image, new Uint8Array(size))
    await utimes(image, atime, mtime)
    await expect(requireSealed(POINT, dir, sealed)).rejects.toThrow(/point-damaged.*vda\.qcow2/)
    const anew = await seal(quiet, store, dir, manifest)
    await writeFile(`${image}.new`, new Uint8Array(size))
    await rename(`${image}.new`, image)
    await expect(requireSealed(POINT, dir, anew)).rejects.toThrow(/point-damaged/)
  })

  describe('where SELinux confines libvirt', () => {
    const ON = '/proc/self/status' // a file that is there, in place of SELinux's own
    const RAM = {
      'domain.xml': text('<domain/>'),
      'host.json': text('{}'),
      'memory.xml': text('<told/>'),
      'memory.save': text('RAM')
    }

    /** A label changes a file, as its mode does. libvirt reads only what has one. */
    function confined(): FakeShell {
      let isLabelled = false
      return fakeShell({
        stat: () => `system_u:object_r:${isLabelled ? 'virt_image_t' : 'var_lib_t'}:s0\n`,
        async chcon({ argv }) {
          isLabelled = true
          await chmod(argv.at(-1) ?? '', 0o644)
          return ''
        },
        virsh: () => (isLabelled ? '<ram/>' : { exitCode: 1, stderr: 'error: Permission denied' })
      })
    }

    async function made(): Promise<Awaited<ReturnType<typeof makePoint>> & { readonly store: string }> {
      const store = await temporaryStore()
      return { store, ...(await makePoint(store, RAM, { memory: { file: 'memory.save', ramBytes: 3 } })) }
    }

    it('is labelled for it before it is sealed, so that its own restore has not changed it', async () => {
      const { store, dir, manifest } = await made()
      await chmod(dir, 0o777)
      const shell = confined()
      const sealed = await seal(shell, store, dir, manifest, ON)
      expect(sealed.size).toBeGreaterThan(0)
      expect((await sourceAt(shell, dir, manifest)).memoryDefinition).toBe('<ram/>')
      await requireSealed(POINT, dir, sealed)
    })

    it('is changed by no check, which goes by what the point says of its RAM', async () => {
      const { store } = await made()
      const shell = confined()
      const spec = { point: POINT, vm: VM, store } as RestoreSpec
      const source = await sourceFor(shell, spec, undefined, new Checklist(), ON)
      expect(source.memoryDefinition).toBe('<told/>')
      expect(shell.lines.join()).not.toContain('chcon')
      const { memoryDefinition } = await sourceFor(shell, spec, undefined, new Checklist(), '/nowhere')
      expect(memoryDefinition).toBeUndefined()
    })

    it('gets no label where a file of it is a link, which may lead elsewhere', async () => {
      const { store, dir, manifest } = await made()
      await rm(join(dir, 'memory.save'))
      await symlink('/etc/hostname', join(dir, 'memory.save'))
      const shell = confined()
      await seal(shell, store, dir, manifest, ON)
      expect(shell.lines).toEqual([])
    })
  })
})
