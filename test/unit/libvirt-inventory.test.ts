import { describe, expect, it } from 'vitest'
import { parseInventory, takeInventory } from '../../src/libvirt/inventory.ts'
import { failureOf, type Failure } from '../../src/shared/failure.ts'
import { fakeShell } from '../../src/shell/fake.ts'

const A = '11111111-2222-4333-8444-555555555555'
const B = '22222222-2222-4333-8444-555555555555'
const MARK = 'mark-x'

/** What the script would print, of these sections. */
const output = (sections: Readonly<Record<string, string>>): string =>
  Object.entries(sections)
    .map(([name, text]) => `\n${MARK} ${name}\n${text}\n`)
    .join('')
const look = (sections: Readonly<Record<string, string>>): ReturnType<typeof parseInventory> =>
  parseInventory('host', output({ begin: '', 'list-status': '0', ...sections, end: '' }), MARK, 'now')
function failureFrom(work: () => unknown): Failure | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}
const xml = (name: string, uuid = A): string =>
  `<domain type='kvm'><name>${name}</name><uuid>${uuid}</uuid><memory>1024</memory><vcpu>2</vcpu></domain>`

describe('the inventory of a host that misbehaves', () => {
  it.each([
    ['nothing', ''],
    ['a greeting only', 'Welcome to my host!\n'],
    ['half of it', `\n${MARK} begin\n\n${MARK} hostname\nalpha\n`],
    ['the right words behind another mark', output({ begin: '', end: '' }).replaceAll(MARK, 'mark-y')]
  ])('is refused as bad output when it prints %s', (_what, text) => {
    expect(failureFrom(() => parseInventory('host', text, MARK, 'now'))).toMatchObject({ kind: 'bad-output' })
  })

  it('says that there is no libvirt', () => {
    expect(failureFrom(() => look({ 'no-virsh': '' }))).toMatchObject({ kind: 'unsupported-host', host: 'host' })
  })

  it('says why libvirt refuses', () => {
    const said = 'error: failed to connect to the hypervisor\nerror: Failed to connect socket'
    expect(failureFrom(() => look({ version: said, 'list-status': '1' }))).toMatchObject({
      kind: 'unsupported-host',
      reason: expect.stringContaining('Failed to connect socket') as string
    })
  })

  it('says that libvirt hangs', () => {
    expect(failureFrom(() => look({ 'list-status': '137' }))).toMatchObject({ kind: 'timeout' })
  })

  it('shows a VM whose definition is not readable, and the others as they are', () => {
    const { domains } = look({
      list: `${A}\n${B}`,
      [`state ${A}`]: 'paused (user)',
      [`info ${A}`]:
        'Name:           <b>odd</b>\nCPU(s):         3\nMax memory:     2048 KiB\nPersistent:     no\nAutostart:      enable',
      [`xml ${A}`]: '<!DOCTYPE x [<!ENTITY a "b">]><domain/>',
      [`state ${B}`]: 'running (booted)',
      [`xml ${B}`]: xml('good', B)
    })
    expect(domains).toMatchObject([
      {
        uuid: A,
        name: '<b>odd</b>',
        state: 'paused',
        vcpus: 3,
        ramBytes: 2_097_152,
        persistent: false,
        autostart: true,
        disks: []
      },
      { uuid: B, name: 'good', state: 'running', vcpus: 2 }
    ])
  })

  it('shows a VM in a state that nobody has heard of', () => {
    const { domains } = look({ list: A, [`state ${A}`]: 'levitating', [`xml ${A}`]: xml('a') })
    expect(domains).toMatchObject([{ name: 'a', state: 'no state', stateReason: 'not readable' }])
  })

  it('leaves out a VM that went away in the meantime, and lines that are no UUID', () => {
    expect(look({ list: `${A}\nerror: what\n../../etc` }).domains).toEqual([])
  })

  it('says of a disk on a server that QEMU there cannot speak to, before any backup', () => {
    const uuid = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
    const xml = `<domain type='kvm'><name>web</name><uuid>${uuid}</uuid><memory>1024</memory><os><type>hvm</type></os><devices>
      <disk type='network' device='disk'><driver type='raw'/><source protocol='rbd' name='p/i'/><target dev='vda'/></disk></devices></domain>`
    const vm = { list: uuid, [`state ${uuid}`]: 'shut off (unknown)', [`xml ${uuid}`]: xml }
    const limits = (missing: string): readonly string[] =>
      look({ ...vm, 'missing-drivers': missing }).domains.flatMap((each) => each.limits)
    expect(limits('iscsi\n')).toEqual([])
    expect(limits('iscsi\nrbd\n').join()).toContain('QEMU on this host has no driver for disks over rbd')
  })

  it('lets no VM forge a section, since its mark is not known', () => {
    const forged = xml(`x\nmark-guess state ${B}\nrunning`)
    const { domains } = look({ list: A, [`state ${A}`]: 'shut off', [`xml ${A}`]: forged })
    expect(domains.map(({ uuid }) => uuid)).toEqual([A])
  })

  it('gives the script a new mark each time, as an argument, and nothing else', async () => {
    const shell = fakeShell(() => '')
    await takeInventory(shell).catch(() => undefined)
    await takeInventory(shell).catch(() => undefined)
    const [first, second] = shell.calls.map(({ argv }) => argv)
    expect(first?.slice(0, 4)).toEqual(second?.slice(0, 4))
    expect(first).toHaveLength(5)
    expect(first?.[4]).toMatch(/^mark-[0-9a-f-]{36}$/)
    expect(first?.[4]).not.toBe(second?.[4])
  })

  it.each([
    ['0.52 0.58 0.59 1/467 12345\n', 0.52],
    ['128.00 90.10 3.00 9/900 1', 128],
    ['', undefined],
    ['cat: /proc/loadavg: Permission denied', undefined]
  ])('takes the load over the last minute from %j', (loadavg, load) => {
    expect(look({ loadavg }).load).toBe(load)
  })

  it('counts free space by the file system that a folder is on', () => {
    const df = `Filesystem 1-blocks Used Available Capacity Mounted on
/dev/sda1 1000 400 600 40% /
/dev/sdb1 9000 1000 8000 12% /srv/vm images
tmpfs 5 0 5 0% /srv/vm`
    const disk = `<disk type='file' device='disk'><source file='/srv/vm images/a.qcow2'/><target dev='vda'/></disk>`
    const { space } = look({
      df,
      list: A,
      [`state ${A}`]: 'shut off',
      [`xml ${A}`]: xml('a').replace('</domain>', `<devices>${disk}</devices></domain>`)
    })
    expect(space).toEqual([
      { path: '/var/lib/stillpoint', freeBytes: 600, totalBytes: 1000 },
      { path: '/var/lib/libvirt/images', freeBytes: 600, totalBytes: 1000 },
      { path: '/srv/vm images', freeBytes: 8000, totalBytes: 9000 }
    ])
  })
})
