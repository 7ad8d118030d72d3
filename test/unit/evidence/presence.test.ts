import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { isGone, mountBelow } from '../../../src/engine/evidence/presence.ts'
import { mountAt, readMounts, type Mount } from '../../../src/engine/room/file-systems.ts'

vi.mock(import('../../../src/engine/room/file-systems.ts'), async (original) => {
  const real = await original()
  return { ...real, mountAt: vi.fn(real.mountAt), readMounts: vi.fn(real.readMounts) }
})

it('a file is gone for good only while the file system is mounted that it lay on', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'stillpoint-presence-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  // What is below the mount point shows when nothing is mounted.
  await writeFile(join(dir, 'lost+found'), '')
  const path = join(dir, 'web.qcow2')
  expect(await isGone(path, 'web', '/proc')).toBe(true)
  expect(await isGone(path, 'web')).toBe(true)
  await expect(isGone(path, 'web', dir)).rejects.toMatchObject({
    failure: { kind: 'left-behind', left: [{ path, because: `nothing is mounted at ${dir}` }] }
  })
})

it('the mount that a file lies on is noted, also where it is that of the whole host', async () => {
  expect(await mountBelow('/proc/none/web.qcow2')).toBe('/proc')
  expect(await mountBelow('/web.qcow2')).toBe('/')
})

describe('a file that is not there, in a folder that is empty or missing', () => {
  const path = '/var/lib/libvirt/images/web.qcow2'
  const mount = (mountPoint: string, fsType = 'ext4'): Mount => ({
    id: '1',
    mountPoint,
    device: '8:1',
    fsType,
    source: '/dev/sda1',
    options: []
  })
  const asked = (noted: string | undefined, ...mounts: Mount[]): Promise<boolean> => {
    vi.mocked(readMounts).mockResolvedValue([mount('/'), ...mounts])
    vi.mocked(mountAt).mockResolvedValue(mounts.at(-1) ?? mount('/'))
    return isGone(`/none${path}`, 'web', noted)
  }

  it('is gone for good where it lay on this very file system of the host', async () => {
    expect(await asked('/')).toBe(true)
    expect(await asked('/none/var', mount('/none/var'))).toBe(true)
  })

  it('may be back where nothing tells what it lay on, or where that is not what is there now', async () => {
    // One after the other: each has mounts of its own.
    for (const [noted, ...mounts] of [
      [undefined],
      ['/none/var'],
      ['/', mount('/none/var')],
      ['/none/var', mount('/none/var', 'nfs4')]
    ] as [string | undefined, ...Mount[]][])
      await expect(asked(noted, ...mounts)).rejects.toMatchObject({ failure: { kind: 'left-behind' } })
  })
})
