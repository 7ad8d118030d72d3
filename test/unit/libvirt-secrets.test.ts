import { describe, expect, it } from 'vitest'
import { LIBVIRT_UNITS } from '../../src/engine/jobs/recover-units.ts'
import { secretNamed, secretNameOf, secretXml, undefineSecret } from '../../src/libvirt/secrets.ts'
import { childAt, parseXml, textOf } from '../../src/libvirt/xml.ts'
import { fakeShell } from '../../src/shell/fake.ts'

const UUID = '11111111-2222-4333-8444-555555555555'
const failing = (stderr: string): Promise<void> =>
  undefineSecret(fakeShell({ [`virsh secret-undefine ${UUID}`]: { exitCode: 1, stderr } }), UUID)

describe('a secret of libvirt', () => {
  it('may be gone already when it is to go', async () => {
    const said = `error: failed to get secret '${UUID}'\nerror: Secret not found: no secret with matching uuid '${UUID}'\n`
    await expect(failing(said)).resolves.toBeUndefined()
  })

  it.each([
    `error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/run/libvirt/virtqemud-sock'\n`,
    `error: failed to get secret '${UUID}'\nerror: Failed to connect socket to '/run/libvirt/virtsecretd-sock': No such file or directory\n`
  ])('is not taken for gone where libvirt cannot be asked: %s', async (said) => {
    await expect(failing(said)).rejects.toMatchObject({ failure: { kind: 'command-failed', exitCode: 1 } })
  })

  it('is the one for this very use, not one for another whose name ends so', () => {
    const secrets = [
      { uuid: '1', usage: 'ceph client.admin vm1' },
      { uuid: '2', usage: 'volume /srv/a vm1' },
      { uuid: '3', usage: 'iscsi vm1' },
      { uuid: '4', usage: '' }
    ]
    const named = (xml: string, type: string): string | undefined =>
      secretNamed(secrets, secretNameOf(parseXml(xml, 'x').documentElement ?? undefined, type) ?? '')?.uuid
    expect(named("<secret usage='vm1'/>", 'volume')).toBeUndefined()
    expect(named("<secret usage='/srv/a vm1'/>", 'volume')).toBe('2')
    expect(named("<secret usage='vm1'/>", 'iscsi')).toBe('3')
    expect(named("<secret uuid='4' usage='vm1'/>", 'iscsi')).toBe('4')
    expect(named('<secret/>', 'iscsi')).toBeUndefined()
  })

  it('is found by its use alone, as journals of engines before have it, where that is one', () => {
    const secrets = [
      { uuid: '1', usage: 'ceph admin' },
      { uuid: '2', usage: 'iscsi admin' },
      { uuid: '3', usage: 'iscsi lab' }
    ]
    expect(secretNamed(secrets, 'lab')?.uuid).toBe('3')
    expect(secretNamed(secrets, 'admin')).toBeUndefined()
    expect(secretNamed(secrets, 'ceph lab')).toBeUndefined()
  })

  it('is for a file whatever its name holds', () => {
    const root = parseXml(secretXml(UUID, '/srv/R&D/<l>.img'), 'secret XML').documentElement ?? undefined
    expect(textOf(childAt(root, 'usage', 'volume'))).toBe('/srv/R&D/<l>.img')
    expect(textOf(childAt(root, 'uuid'))).toBe(UUID)
  })

  it('is waited for at boot, also where a daemon of its own keeps it', () => {
    expect(LIBVIRT_UNITS.split(' ')).toContain('virtsecretd.service')
  })
})
