import { describe, expect, it } from 'vitest'
import { copyDomain } from '../../src/libvirt/copy-domain.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { vmNameProblem } from '../../src/shared/vm-name.ts'

const FORMER = '11111111-2222-4333-8444-555555555555'
const UUID = '99999999-2222-4333-8444-555555555555'
const to = { name: 'twin & <co>', uuid: UUID }
const copyOf = (devices: string, more = ''): string =>
  copyDomain(
    `<domain type='kvm'><name>web</name><uuid>${FORMER}</uuid>${more}<memory>1024</memory><devices>${devices}</devices></domain>`,
    to
  )

describe('a second VM out of a definition', () => {
  it('has a name and UUID of its own, also in what the guest sees', () => {
    const copy = copyOf(
      '',
      `<genid>${FORMER}</genid><sysinfo type='smbios'><system><entry name='uuid'>${FORMER}</entry><entry name='serial'>S1</entry></system></sysinfo>`
    )
    expect(parseDomain(copy)).toMatchObject({ name: to.name, uuid: UUID })
    expect(copy).toMatch(/<genid\/>/)
    expect(copy).toContain(`<entry name="uuid">${UUID}</entry><entry name="serial">S1</entry>`)
    expect(copy).not.toContain(FORMER)
  })

  it('has cards on the same networks, with no address and no device of the first', () => {
    const copy = copyOf(`
      <interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/><target dev='tap-web'/><model type='virtio'/></interface>
      <interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='ovs'/><virtualport type='openvswitch'><parameters interfaceid='${FORMER}' profileid='p'/></virtualport></interface>
      <interface type='ethernet'><mac address='52:54:00:00:00:03'/><target dev='mine' managed='no'/></interface>`)
    expect(parseDomain(copy).interfaces).toEqual([
      { type: 'network', source: 'lan', mac: undefined },
      { type: 'bridge', source: 'ovs', mac: undefined },
      { type: 'ethernet', source: undefined, mac: undefined }
    ])
    expect(copy).not.toMatch(/tap-web|interfaceid/)
    expect(copy).toMatch(/profileid="p"/)
    expect(copy).toContain('<target dev="mine" managed="no"/>')
  })

  it('listens on ports and sockets of its own', () => {
    const copy = copyOf(`
      <graphics type='vnc' port='5901' autoport='no' websocket='5701' passwd='x'><listen type='address' address='127.0.0.1'/></graphics>
      <graphics type='spice' autoport='yes'/><graphics type='vnc' socket='/run/web.vnc'><listen type='socket' socket='/run/web.vnc'/></graphics>
      <vsock model='virtio'><cid auto='no' address='3'/></vsock>`)
    expect(copy).toContain('<graphics type="vnc" autoport="yes" websocket="-1" passwd="x">')
    expect(copy).toContain('<listen type="address" address="127.0.0.1"/>')
    expect(copy).toContain('<graphics type="spice" autoport="yes"/>')
    expect(copy).toContain('<cid auto="yes"/>')
    expect(copy).not.toMatch(/5901|web\.vnc/)
  })

  it('writes into no file of the first', () => {
    const copy = copyOf(`
      <serial type='file'><source path='/log/${FORMER}.log' append='on'/></serial>
      <console type='file'><source path='/log/web.d/console'/><log file='/log/web.log'/></console>
      <channel type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/channel/target/web.agent'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
      <channel type='unix'><source mode='bind' path='/run/web.sock'/></channel>
      <channel type='unix'><source mode='connect' path='/run/server.sock'/></channel>
      <serial type='dev'><source path='/dev/ttyS0'/></serial>`)
    expect(parseDomain(copy).serialFiles).toEqual([
      `/log/${UUID}.log`,
      `/log/web.d/console-${UUID}`,
      `/log/web-${UUID}.log`
    ])
    expect(copy).toContain(`path="/run/web-${UUID}.sock"`)
    expect(copy).toContain('path="/run/server.sock"')
    expect(copy).toContain('path="/dev/ttyS0"')
    expect(copy).not.toContain('channel/target/web')
    expect(parseDomain(copy).agent).toBe('disconnected')
  })

  it('has a TPM whose state is its own', () => {
    const copy = copyOf(
      `<tpm model='tpm-crb'><backend type='emulator' version='2.0'><source type='dir' path='/tpm/web'/></backend></tpm>`
    )
    expect(copy).toContain('<backend type="emulator" version="2.0"/>')
  })
})

describe('a name for a new VM', () => {
  it.each(['web', 'a  b ', '$(touch x)', '--help', '1', 'é🙂', '...', 'n'.repeat(200), '\u202eevil'])(
    '%j will do',
    (name) => {
      expect(vmNameProblem(name)).toBeUndefined()
    }
  )

  it.each(['', '  ', 'a/b', '..', '.', 'a\nb', 'a\u0000', '\u001b[1m', '\ud800', '\uffff', 'é'.repeat(101)])(
    '%j will not',
    (name) => {
      expect(vmNameProblem(name)).toMatch(/^(is|holds) /)
    }
  )
})
