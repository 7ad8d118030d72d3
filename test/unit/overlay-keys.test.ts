import { describe, expect, it } from 'vitest'
import { encryptionFor } from '../../src/engine/capture/overlay-keys.ts'
import { parseDomain, type XmlDisk } from '../../src/libvirt/domain-xml.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import type { Shell } from '../../src/shared/shell.ts'

const SECRET = '11111111-2222-4333-8444-555555555555'
const still = {
  target: 'vda',
  source: '/srv/l.img',
  format: 'raw',
  type: 'file',
  virtualSizeBytes: 18_845_696,
  allocatedBytes: 0
} as const

const disk = (secret = `uuid='${SECRET}'`): XmlDisk => {
  const [found] = parseDomain(
    `<domain type='kvm'><name>a</name><uuid>0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11</uuid><memory>1</memory><devices>
      <disk type='file' device='disk'><driver type='raw'/><source file='/srv/l.img'><encryption format='luks'><secret type='passphrase' ${secret}/></encryption></source><target dev='vda'/></disk></devices></domain>`
  ).disks
  return found ?? expect.fail('no disk')
}

/** libvirt with one secret, and QEMU that sees 16 MiB behind the header. */
const host = (attributes: string, qemu = '7.2.22'): Shell =>
  fakeShell({
    'virsh secret-list': ` UUID   Usage\n-----\n ${SECRET}   volume /srv/l.img\n`,
    [`virsh secret-dumpxml ${SECRET}`]: `<secret ${attributes}><uuid>${SECRET}</uuid></secret>`,
    'qemu-img --version': `qemu-img version ${qemu} (Debian)\n`,
    'qemu-img': JSON.stringify({ filename: '/srv/l.img', format: 'luks', 'virtual-size': 16_777_216 })
  })
const KEPT = `ephemeral='no' private='no'`

describe('the overlay of an encrypted disk', () => {
  it.each(['live', 'disk'] as const)('is encrypted with a key of its own, by method %s', async (method) => {
    const found = await encryptionFor(host(KEPT), disk(), still, method)
    expect(found).toMatchObject({ encryption: { secret: SECRET, payloadAt: 2_068_480 } })
    expect('encryption' in found && found.encryption.overlaySecret).not.toBe(SECRET)
  })

  it.each([
    ['7.2.22', true],
    ['5.1.0', true],
    ['5.0.1', false],
    ['4.2.1', false],
    ['x', false]
  ])('opens with the key of its disk too, where QEMU can have it so: %s', async (qemu, opensWithDisk) => {
    expect(await encryptionFor(host(KEPT, qemu), disk(), still, 'live')).toMatchObject({
      encryption: { opensWithDisk }
    })
  })

  it('goes by what the secret is for, as a definition may name it', async () => {
    const found = await encryptionFor(host(KEPT), disk(`usage='/srv/l.img'`), still, 'live')
    expect(found).toMatchObject({ encryption: { secret: SECRET } })
  })

  it.each([
    ['is private', `ephemeral='no' private='yes'`, disk(), 'live', 'gives out to nobody (private)'],
    ['is not kept', `ephemeral='yes' private='no'`, disk(), 'disk', 'does not keep (ephemeral)'],
    ['is gone', KEPT, disk(`uuid='33333333-2222-4333-8444-555555555555'`), 'live', 'has no secret 33333333'],
    ['would be that of a mirror', KEPT, disk(), 'classic', 'would be in clear']
  ] as const)(
    'is none where its secret %s: the disk is left out then, with the reason',
    async (_, kind, of, method, because) => {
      expect(await encryptionFor(host(kind), of, still, method)).toEqual({
        because: expect.stringContaining(because) as string
      })
    }
  )
})
