import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openersOf } from '../../../src/engine/evidence/image-users.ts'
import { fdInfo, mayBe, MountsSeen } from '../../../src/engine/evidence/open-files.ts'
import { parseMounts } from '../../../src/engine/room/file-systems.ts'

const mounts = parseMounts(`27 1 254:3 / / rw,relatime - ext4 /dev/vda3 rw
31 27 0:45 /vol /mnt/nas rw,relatime - nfs4 nas:/vol rw,vers=4.2
32 27 0:46 / /mnt/share rw,relatime - fuse.sshfs nas: rw
33 27 0:47 / /mnt/odd rw,relatime - made-up odd rw
`)
const LOCAL = { dev: 0xfe03n, ino: 77n, isBlockDevice: () => false }
const ON_NAS = { dev: 45n, ino: 77n, isBlockDevice: () => false }
const DEVICE = { dev: 6n, ino: 77n, isBlockDevice: () => true }
const info = (mount: number, ino?: number): string =>
  `pos:\t0\nflags:\t0100000\nmnt_id:\t${mount}\n${ino === undefined ? '' : `ino:\t${ino}\n`}`

describe('an open file', () => {
  it.each([
    ['lies on a server, for a file of the host', LOCAL, info(31, 5)],
    ['lies on a server of another kind, for a file of the host', LOCAL, info(32, 5)],
    ['was unmounted while it was open, for a file of the host', LOCAL, info(99, 5)],
    ['lies on one server, for a file of another', { ...ON_NAS, dev: 46n }, info(31, 5)],
    ['lies on a server, for a block device', DEVICE, info(31, 77)]
  ])('is not looked at where it %s', (_what, file, told) => {
    expect(mayBe(file, told, mounts)).toBe(false)
  })

  it.each([
    ['lies on a disk of the host, whatever its number', LOCAL, info(27, 5)],
    ['lies on who knows what, whatever its number', LOCAL, info(33, 5)],
    ['lies where the file lies', ON_NAS, info(31, 5)],
    ['has its number', LOCAL, info(31, 77)],
    ['has its number, and lies in no mount that its process sees', LOCAL, info(99, 77)],
    ['is of a kernel that tells no number', LOCAL, info(31)],
    ['cannot be looked at', LOCAL, ''],
    ['lies in no mount that its process sees, for a device with more than one node', DEVICE, info(99, 5)]
  ])('is looked at where it %s', (_why, file, told) => {
    expect(mayBe(file, told, mounts)).toBe(true)
  })

  it('of this very process is found, and by the kernel on the mount that it lies on', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'stillpoint-open-'))
    const path = join(dir, 'image')
    const file = await open(path, 'w')
    onTestFinished(async () => {
      await file.close()
      rmSync(dir, { recursive: true })
    })
    const told = fdInfo('self', String(file.fd))
    const seen = await new MountsSeen().by('self')
    const served = seen.map((mount) => ({ ...mount, fsType: 'nfs4' }))
    const looked = statSync(path, { bigint: true })
    expect(mayBe({ ...looked, ino: 0n, isBlockDevice: () => false }, told, served)).toBe(true)
    expect(mayBe({ ...looked, dev: 0n, ino: 0n, isBlockDevice: () => false }, told, served)).toBe(false)
    expect(await openersOf(path)).toMatchObject([{ pid: process.pid, writes: true }])
  })
})
