import { describe, expect, it } from 'vitest'
import { accessRules } from '../../../src/engine/restore/image-access.ts'
import { disksWithKeptOwner } from '../../../src/libvirt/kept-owners.ts'
import type { FileAccess, PointDisk } from '../../../src/shared/model/point.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { FILES, manifestOf } from '../store-points.ts'
import { guest } from './asked-host.ts'

const disk = (target: string, label = ''): string =>
  `<disk type='file' device='disk'><source file='/srv/${target}.img'>${label}</source><target dev='${target}' bus='virtio'/></disk>`
const LEFT = "<seclabel model='dac' relabel='no'/>"

const CAPABILITIES = `<capabilities><host><secmodel><model>dac</model><baselabel type='kvm'>+64055:+108</baselabel></secmodel></host></capabilities>`
const ORIGINAL = { uid: 1000, gid: 1001, mode: 0o640 }

async function accessWith(definition: string, isSameHost: boolean): Promise<FileAccess | undefined> {
  const shell = fakeShell({ virsh: CAPABILITIES })
  const { accessOf } = await accessRules(shell, { virtType: 'kvm', definition }, manifestOf(FILES), isSameHost)
  return accessOf({ target: 'vda', originalAccess: ORIGINAL } as PointDisk)
}

describe('a disk whose owner libvirt is to leave as it is', () => {
  it.each([
    ['by its source', guest(disk('vda', LEFT) + disk('vdb')), ['vda']],
    ['by its source, of every model', guest(disk('vda', "<seclabel relabel='no'/>")), ['vda']],
    [
      'by the VM, but for one that says otherwise',
      guest(disk('vda') + disk('vdb', "<seclabel model='dac' relabel='yes'/>"), "<seclabel type='none' model='dac'/>"),
      ['vda']
    ],
    [
      'by a static label',
      guest(disk('vda'), "<seclabel type='static' model='dac'><label>+1:+1</label></seclabel>"),
      ['vda']
    ],
    [
      'by no label of another model',
      guest(disk('vda', "<seclabel model='selinux' relabel='no'/>"), "<seclabel type='none' model='selinux'/>"),
      []
    ],
    [
      'by no static label that says otherwise',
      guest(disk('vda'), "<seclabel type='static' model='dac' relabel='yes'/>"),
      []
    ]
  ])('is known by its definition: %s', (_, definition, targets) => {
    expect([...disksWithKeptOwner(definition)]).toEqual(targets)
  })

  it('is QEMU’s on another host, which could not open it otherwise', async () => {
    expect(await accessWith(guest(disk('vda', LEFT)), false)).toEqual({ uid: 64055, gid: 108, mode: 0o600 })
    expect(await accessWith(guest(disk('vda')), false)).toBeUndefined()
  })

  it('has its owner again on its own host, also where its VM ran', async () => {
    expect(await accessWith(guest(disk('vda', LEFT)), true)).toEqual(ORIGINAL)
    expect(await accessWith(guest(disk('vda')), true)).toEqual({ uid: 0, gid: 0, mode: 0o640 })
  })
})
