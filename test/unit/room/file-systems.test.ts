import { describe, expect, it } from 'vitest'
import {
  isShared,
  locksHold,
  mountOf,
  parseMounts,
  spaceOf,
  type Mount
} from '../../../src/engine/room/file-systems.ts'

const TEXT = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/usb\\040stick rw,nosuid shared:9 master:2 - ext4 /dev/sdb1 rw
31 22 0:45 /vol /mnt/nas rw,relatime - nfs4 nas:/vol rw,vers=4.2,local_lock=none
32 22 0:46 /vol /mnt/old rw,relatime - nfs nas:/vol rw,vers=3,nolock,local_lock=all
33 22 0:50 /@points /srv/points rw - btrfs /dev/sdc rw,subvol=/@points
34 22 0:51 / /srv/points/deeper rw - tmpfs tmpfs rw
`
const mounts = parseMounts(TEXT)
const at = (path: string): Mount | undefined => mountOf(path, mounts)
const kind = (fsType: string, options: readonly string[] = []): Mount => ({
  id: '1',
  mountPoint: '/x',
  device: '0:1',
  fsType,
  source: 'x',
  options
})

describe('mounts of a host', () => {
  it('are read with their blanks', () => expect(at('/mnt/usb stick/points')?.source).toBe('/dev/sdb1'))

  it('hold what lies below them, and the deepest one does', () => {
    expect(at('/srv/points/deeper/x')?.fsType).toBe('tmpfs')
    expect(at('/srv/points/a')?.fsType).toBe('btrfs')
    expect(at('/srv/points2')?.mountPoint).toBe('/')
    expect(at('/')?.mountPoint).toBe('/')
  })

  it('share their room where they are parts of one pool', () => {
    expect(spaceOf({ ...kind('btrfs'), source: '/dev/sdc' })).toBe(spaceOf({ ...kind('btrfs'), source: '/dev/sdc' }))
    expect(spaceOf({ ...kind('zfs'), source: 'tank/a' })).toBe(spaceOf({ ...kind('zfs'), source: 'tank/b/c' }))
    expect(spaceOf({ ...kind('ext4'), device: '8:1' })).not.toBe(spaceOf({ ...kind('ext4'), device: '8:2' }))
  })
})

// engine.md finding 4
describe('locks on files hold between hosts', () => {
  it.each([
    ['ext4', [], true],
    ['overlay', [], true],
    ['nfs4', ['local_lock=none'], true],
    ['nfs', ['nolock', 'local_lock=all'], false],
    ['nfs', ['local_lock=posix'], true],
    ['ceph', [], true],
    ['gfs2', ['localflocks'], false],
    ['fuse.sshfs', [], false],
    ['fuse.glusterfs', [], true],
    ['cifs', [], false]
  ] as const)('on %s with %j: %s', (fsType, options, holds) => expect(locksHold(kind(fsType, options))).toBe(holds))

  it('as the mounts of a host say', () => {
    expect(mounts.map(locksHold)).toEqual([true, true, true, false, true, true])
  })
})

describe('a file system', () => {
  it.each([
    ['ext4', false],
    ['xfs', false],
    ['tmpfs', false],
    ['overlay', false],
    ['fuse.mergerfs', true],
    ['beegfs', true],
    ['made-up', true],
    ['nfs', true],
    ['nfs4', true],
    ['gfs2', true],
    ['ocfs2', true],
    ['cifs', true],
    ['fuse.sshfs', true]
  ] as const)('may be mounted by other hosts too, %s: %s', (fsType, shared) =>
    expect(isShared(kind(fsType))).toBe(shared)
  )
})
