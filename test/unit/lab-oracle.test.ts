import { describe, expect, it } from 'vitest'
import { definitionLines, parseLook, type HostLook } from '../lab/host-look.ts'
import { complaintsAbout } from '../lab/oracle.ts'

const WEB = '11111111-2222-3333-4444-555555555555'
const IMAGES = '/var/lib/libvirt/images'

/** What the script prints of a host with one VM, in parts that a test changes. */
interface Said {
  state: string
  live: string
  defined: string
  below: string
  owner: string
  inode: string
  mode: string
  files: string
  snapshots: string
  job: string
  freeze: string
  definition: string
  more: string
  traces: string
  points: string
  used: string
  boot: string
}

const SAID: Said = {
  state: 'running (booted)',
  live: `${IMAGES}/web one.qcow2`,
  defined: `${IMAGES}/web one.qcow2`,
  below: `\t${IMAGES}/golden.qcow2`,
  owner: 'libvirt-qemu:libvirt-qemu',
  inode: '7',
  mode: '600',
  files: '',
  snapshots: ' nightly   2026-11-28 05:00:00 +0000   shutoff   ',
  job: 'Job type:         None        ',
  freeze: '{"return":"thawed"}',
  definition: `<domain><name>web</name><devices><disk type='file'><source file='a'/></disk><memballoon model='none'/></devices></domain>`,
  more: '',
  traces: '',
  points: '',
  used: '1000',
  boot: 'aaaa'
}

const look = (change: Partial<Said> = {}): HostLook => {
  const said = { ...SAID, ...change }
  return parseLook(`
@@BOOT
${said.boot}
@@NETWORKS
 default   active   yes   yes
@@VM ${WEB}
Id:             4
Name:           web
State:          running
Persistent:     yes
Autostart:      disable
Managed save:   no
@@STATE
${said.state}
@@JOB ${WEB}
${said.job}
@@LIVE
 file   disk    vda   ${said.live}
 file   cdrom   sda   -
@@DEFINED
 file   disk    vda   ${said.defined}
 file   cdrom   sda   -
@@SNAPSHOTS
${said.snapshots}
@@CURRENT
nightly
@@CHECKPOINTS
@@XML
${said.definition}
@@NEXT
${said.definition}
${said.more}
@@FREEZE ${WEB}
${said.freeze}
@@CHAINS
${said.live}\t|\t${said.live}${said.below}
@@FILES
${said.inode} ${said.mode} ${said.owner} ${said.live}
9 644 root:root ${IMAGES}/golden.qcow2
${said.files}
@@TRACES
${said.traces}
@@POINTS
${said.points}
@@USED
${said.used}
`)
}

const complaints = (change: Partial<Said>, options = {}): string[] => complaintsAbout(look(), look(change), options)

describe('the oracle', () => {
  it('compares how a VM runs with how it ran only in the same run: libvirt counts anew after a boot of the host', () => {
    const elsewhere = SAID.definition.replace("model='none'", "model='virtio'")
    const [here, after] = [look(), look({ boot: 'bbbb' })].map((each) => ({
      ...each,
      vms: each.vms.map((vm) => ({ ...vm, liveDefinition: definitionLines(elsewhere) }))
    }))
    expect(complaintsAbout(look(), here ?? look())).toHaveLength(2)
    expect(complaintsAbout(look(), after ?? look())).toEqual([])
  })

  it('has nothing to say about a host that is as it was', () => {
    expect(complaints({})).toEqual([])
    expect(look().vms[0]).toMatchObject({
      uuid: WEB,
      name: 'web',
      state: 'running',
      reason: 'booted',
      persistent: 'yes'
    })
    expect(look().vms[0]?.liveDisks).toEqual([`file disk vda ${IMAGES}/web one.qcow2`, 'file cdrom sda -'])
  })

  it.each<[string, Partial<Said>, RegExp]>([
    ['a state', { state: 'paused (user)' }, /^state of web: was «running», is «paused»/],
    ['the disks of the next start', { defined: '/srv/other.qcow2' }, /^definedDisks of web: no longer/],
    ['a backing chain', { below: '' }, /^images below .*web one.qcow2: was/],
    ['an inode', { inode: '8' }, /^inode of .*web one.qcow2: was «7», is «8»/],
    ['a mode', { mode: '644' }, /^mode of .*: was «600», is «644»/],
    ['an owner', { owner: 'root:root' }, /^owner of .*: was «libvirt-qemu:libvirt-qemu», is «root:root»/],
    ['a snapshot', { snapshots: '' }, /^snapshots of web: no longer «nightly/],
    ['a definition', { definition: '<domain><name>web</name></domain>' }, /^definition of web: no longer «<disk/],
    ['a file too many', { files: `3 644 root:root ${IMAGES}/placed.qcow2` }, /^new file: .*placed.qcow2/],
    ['a libvirt job', { job: 'Job type:         Unbounded' }, /^JOB .* Unbounded/],
    ['a block job', { more: `@@BLOCKJOB ${WEB} vda\nActive Block Commit: [ 12 %]` }, /^BLOCKJOB .* vda Active/],
    ['a frozen guest', { freeze: '{"return":"frozen"}' }, /^FREEZE .*frozen/],
    ['an agent that says nothing', { freeze: '' }, /^FREEZE .*does not say/],
    ['a managed save that names an overlay', { more: `@@SAVED ${WEB}\n<source file='/x.stillpoint-1'/>` }, /^SAVED/],
    ['anything that the host shows', { traces: 'UNIT stillpoint-job-1.service' }, /^UNIT stillpoint-job-1/],
    ['room', { used: String(65 * 1024 * 1024 + 1000) }, /^room lost/]
  ])('notices a change of %s', (_what, change, complaint) => {
    expect(complaints(change)).toEqual(expect.arrayContaining([expect.stringMatching(complaint)]))
  })

  it('notices an overlay of ours below a VM, whoever named it', () => {
    for (const path of [
      '/srv/a.stillpoint-20261128T050000Z-abcdef',
      '/srv/a.20261128T050000Z-abcdef',
      '/srv/a.stillpoint'
    ])
      expect(complaints({ live: path })).toContain(`web uses ${path}`)
  })

  it('notices VMs that are gone or new', () => {
    const empty = parseLook('@@NETWORKS\n default   active   yes   yes\n@@USED\n1000')
    expect(complaintsAbout(look(), empty)).toContain(`VM web (${WEB}) is gone`)
    expect(complaintsAbout(empty, look())).toContain(`VM web (${WEB}) is new`)
    expect(complaintsAbout(empty, look(), { restored: [WEB] })).toEqual([])
  })

  it('compares points byte by byte', () => {
    const sums = ['a', 'b'].map((digit) => `${digit.repeat(10)} 7\t/srv/points/p/manifest.json`)
    const before = look({ points: sums[0] ?? '' })
    expect(complaintsAbout(before, look({ points: sums[0] ?? '' }))).toEqual([])
    expect(complaintsAbout(before, look({ points: sums[1] ?? '' }))).toEqual([
      'changed or gone: /srv/points/p/manifest.json'
    ])
    expect(complaintsAbout(before, look())).toEqual(['changed or gone: /srv/points/p/manifest.json'])
  })

  it('compares owners of like with like: a VM that is off has given its image back', () => {
    const off = { state: 'shut off (destroyed)', owner: 'root:root' }
    expect(complaints(off).filter((text) => text.startsWith('owner'))).toEqual([])
    expect(complaintsAbout(look(off), look({ ...off, owner: 'libvirt-qemu:libvirt-qemu' }))).toHaveLength(1)
  })

  it('takes why a VM runs, and what a restarted libvirtd forgot, for no change', () => {
    expect(complaints({ state: 'running (unpaused)' })).toEqual([])
    expect(complaintsAbout(look({ state: 'shut off (destroyed)' }), look({ state: 'shut off (unknown)' }))).toEqual([])
    expect(
      complaintsAbout(look({ state: 'shut off (destroyed)' }), look({ state: 'shut off (crashed)' }))
    ).toHaveLength(1)
  })

  it('lets a test except what it did itself', () => {
    const change = { inode: '8', state: 'paused (user)', files: `3 600 root:root ${IMAGES}/web one.qcow2.kept-1` }
    expect(complaints(change, { restored: [WEB] })).toEqual([])
    expect(complaints({ ...change, mode: '644' }, { restored: [WEB] })).toHaveLength(1)
    expect(complaints({ ...change, mode: '644', definition: '<domain/>' }, { except: [WEB] })).toEqual([])
    expect(complaints({ inode: '8' }, { allow: [/^inode/] })).toEqual([])
  })
})

describe('a definition for comparing', () => {
  it('does not care about order, whitespace and the numbers that libvirt gives anew', () => {
    const one = `<domain><devices><a x='1' y='2'/><b><c> t </c></b><disk><source file='f' index='3'/></disk></devices></domain>`
    const other = `<domain>\n <devices>\n  <disk><source index='9' file='f'/></disk><b>\n<c>t</c></b>\n<a y='2' x='1'/></devices></domain>`
    expect(definitionLines(other)).toEqual(definitionLines(one))
  })

  it('are the same before and after the agent of a guest has come', () => {
    const [before, after] = ['disconnected', 'connected'].map((state) =>
      definitionLines(`<domain><devices><channel><target type='virtio' state='${state}'/></channel></devices></domain>`)
    )
    expect(after).toEqual(before)
  })

  it('sees values, attributes and what is missing', () => {
    const lines = definitionLines(`<domain><devices><a x='1'/><b>t</b></devices></domain>`)
    for (const other of [`<a x='2'/><b>t</b>`, `<a x='1'/><b>u</b>`, `<a x='1'/>`, `<a x='1'><z/></a><b>t</b>`])
      expect(definitionLines(`<domain><devices>${other}</devices></domain>`)).not.toEqual(lines)
    expect(definitionLines('')).toEqual([])
  })
})
