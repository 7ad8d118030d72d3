import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CaptureDisk } from '../../src/engine/capture/capture-plan.ts'
import { giveOverlays, isAsPlaced } from '../../src/engine/capture/overlay-owner.ts'
import { identityOf } from '../../src/engine/evidence/file-identity.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint owner '))))
afterEach(() => rmSync(folder, { recursive: true }))

const job = { step: <T>(_name: string, _data: object, work: () => Promise<T>): Promise<T> => work() }
const answering = (isDynamic: boolean) => (): Promise<boolean> => Promise.resolve(isDynamic)

function diskWith(type: CaptureDisk['type']): CaptureDisk {
  const source = join(folder, 'a.qcow2')
  const isRoot = process.getuid?.() === 0
  writeFileSync(source, 'image')
  if (isRoot) chownSync(source, 1234, 5678)
  chmodSync(source, 0o660)
  const sizes = { virtualSizeBytes: 0, allocatedBytes: 0 }
  return { target: 'vda', source, format: 'qcow2', type, ...sizes, sidecar: `${source}.stillpoint-x` }
}

describe('an overlay where libvirt leaves owners alone', () => {
  it('is there, empty, with the owner and mode of its image, before libvirt takes it', async () => {
    const disk = diskWith('file')
    await giveOverlays(job, [disk], { isDynamic: answering(false) })
    const [image, overlay] = [statSync(disk.source), statSync(disk.sidecar)]
    expect([overlay.size, overlay.uid, overlay.gid, overlay.mode]).toEqual([0, image.uid, image.gid, image.mode])
  })

  it('is never put over a file that is there', async () => {
    const disk = diskWith('file')
    writeFileSync(disk.sidecar, 'of somebody')
    await expect(giveOverlays(job, [disk], { isDynamic: answering(false) })).rejects.toMatchObject({ code: 'EEXIST' })
  })

  it.each([
    ['where libvirt gives files to QEMU itself', 'file', true],
    ['of a disk on a server', 'network', false]
  ] as const)('is libvirt’s to make %s', async (_, type, isDynamic) => {
    const disk = diskWith(type)
    await giveOverlays(job, [disk], { isDynamic: answering(isDynamic) })
    expect(existsSync(disk.sidecar)).toBe(false)
  })
})

describe('a file where a job was about to have an overlay', () => {
  const isUnfinished = true

  it('is the job’s own, half made, where it is the one that was noted', async () => {
    const path = join(folder, 'overlay')
    writeFileSync(path, '')
    const placed = { isUnfinished, files: [{ path, file: (await identityOf(path)) ?? expect.fail('no file') }] }
    appendFileSync(path, 'QFI')
    expect(await isAsPlaced(path, placed)).toBe(true)
    expect(await isAsPlaced(path, { ...placed, isUnfinished: false })).toBe(false)
    const other = join(folder, 'other')
    writeFileSync(other, 'of somebody')
    rmSync(path)
    renameSync(other, path)
    expect(await isAsPlaced(path, placed)).toBe(false)
  })

  it('is somebody’s, for which the job stopped, where it holds something', async () => {
    const path = join(folder, 'overlay')
    writeFileSync(path, 'of somebody')
    expect(await isAsPlaced(path, { isUnfinished, files: [] })).toBe(false)
    writeFileSync(path, '')
    expect(await isAsPlaced(path, { isUnfinished, files: [] })).toBe(true)
  })
})
