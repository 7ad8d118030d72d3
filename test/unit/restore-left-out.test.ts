import { mkdtemp, open, realpath, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { imageUsers } from '../../src/engine/evidence/image-users.ts'
import { machineId } from '../../src/engine/host-facts.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { lookBeforeDisplacing } from '../../src/engine/restore/displace.ts'
import { lookAtVmInTheWay } from '../../src/engine/restore/displaced-vm.ts'
import { preflightRestore } from '../../src/engine/restore/plan-restore.ts'
import type { RestorePlan } from '../../src/engine/restore/restore-plan.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import type { RestoreSpec } from '../../src/shared/model/job.ts'
import type { LeftOutDisk, Manifest } from '../../src/shared/model/point.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { paperLibvirt, type PaperVm } from './paper-libvirt.ts'
import { FILES, POINT, VM, emptyImage, manifestOf, temporaryStore } from './store-points.ts'

const NAME = 'web <1>'

interface Disk {
  readonly target: string
  readonly source: string
  readonly more?: string
}
const disk = ({ target, source, more = '' }: Disk): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${source}'/><target dev='${target}' bus='virtio'/>${more}</disk>`
const domain = (...disks: Disk[]): string =>
  `<domain type='kvm'><name>web &lt;1&gt;</name><uuid>${VM}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os><devices>${disks.map(disk).join('')}</devices></domain>`

async function folder(): Promise<string> {
  const made = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-images-')))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

/** An image without anything in it, which may lie on another. */
async function image(path: string, below = ''): Promise<string> {
  const bytes = Buffer.from(emptyImage())
  if (below !== '') {
    bytes.writeBigUInt64BE(1024n, 8)
    bytes.writeUInt32BE(bytes.write(below, 1024), 16)
  }
  await writeFile(path, bytes)
  return path
}

/** As ISO 9660 begins. */
async function disc(path: string): Promise<string> {
  await writeFile(path, Buffer.concat([Buffer.alloc(32_769), Buffer.from('CD001')]))
  return path
}

const modifiedNs = async (path: string): Promise<string> => String((await stat(path, { bigint: true })).mtimeNs)

const specOf = (store: string): RestoreSpec => ({
  kind: 'restore',
  vm: VM,
  vmName: NAME,
  hostName: 'alpha',
  point: POINT,
  store,
  mode: 'boot',
  replace: true
})

/** Of this host; `vdb` was left out of it, and as it was then is noted. */
const takenHere = async (vdb: string): Promise<Manifest> =>
  manifestOf(FILES, {
    host: { name: 'alpha', machineId: await machineId() },
    leftOut: [{ target: 'vdb', source: vdb, modifiedNs: await modifiedNs(vdb) }]
  })

/** A restore in place of this VM, of a point that holds `vda` and left `vdb` out, as the image that it was then. */
async function look(present: PaperVm, vdb: Disk, { isHeld = false } = {}): Promise<PreflightItem[]> {
  const paper = paperLibvirt({ [VM]: present })
  const shell = isHeld ? lockedOn(paper.shell) : paper.shell
  const domainXml = domain({ target: 'vda', source: '/nowhere/a.qcow2' }, vdb)
  const manifest = JSON.stringify(await takenHere(vdb.source))
  return preflightRestore(shell, specOf(await temporaryStore()), { manifest, domain: domainXml, host: '{}' })
}

/** Whose images somebody has open for writing. */
const lockedOn = (shell: Shell): Shell => ({
  ...shell,
  run: (argv, options) =>
    argv[0] === 'qemu-img' && argv[1] === 'info'
      ? Promise.resolve({ exitCode: 1, signal: undefined, stdout: '', stderr: 'Failed to get "write" lock' })
      : shell.run(argv, options)
})

interface Elsewhere {
  /** The disk that was left out, as the definition has it. */
  readonly vdb: string
  readonly leftOut?: LeftOutDisk
  readonly attach?: string[]
  /** A process on another host has it open. */
  readonly isHeld?: boolean
  /** The VM is there, with the same disks. */
  readonly isVmHere?: boolean
  /** The name by which QEMU's tools can read what a server has. */
  readonly served?: RegExp
  /** Where the pool of this host has the volume. */
  readonly volumePath?: string
  readonly boot?: Manifest['boot']
}

/** What a host without VMs says to a restore of a point of another host. */
async function lookElsewhere(elsewhere: Elsewhere): Promise<PreflightItem[]> {
  const { vdb, leftOut, attach, isHeld, isVmHere, served, volumePath, boot } = elsewhere
  const xml = domain({ target: 'vda', source: '/nowhere/a.qcow2' }).replace('</devices>', `${vdb}</devices>`)
  const paper = paperLibvirt(isVmHere === true ? { [VM]: { next: xml } } : {})
  const shell = fakeShell(async ({ argv }) => {
    if (served?.test(argv.join(' ')) === true)
      return JSON.stringify({ filename: 'x', format: 'raw', 'virtual-size': 1 })
    if (argv[0] === 'qemu-img') return isHeld === true ? { exitCode: 1, stderr: 'Failed to get "write" lock' } : '{}'
    if (argv[1] === 'pool-list' && volumePath !== undefined) return 'iso\n'
    if (argv[1] === 'pool-dumpxml')
      return `<pool type='dir'><target><path>${dirname(volumePath ?? '/nowhere')}</path></target></pool>`
    if (argv[1] === 'vol-path')
      return volumePath === undefined ? { exitCode: 1, stderr: 'error: Storage pool not found' } : `${volumePath}\n`
    const { exitCode, stdout, stderr } = await paper.shell.run(argv)
    return { stdout, stderr, ...(exitCode !== undefined && { exitCode }) }
  })
  const manifest = JSON.stringify(
    manifestOf(boot === undefined ? FILES : { ...FILES, [boot[0]?.file ?? '']: Buffer.from('disc') }, {
      leftOut: leftOut === undefined ? [] : [leftOut],
      ...(boot && { boot })
    })
  )
  const spec = { ...specOf(await temporaryStore()), ...(attach && { attachDisks: attach }) }
  return preflightRestore(shell, spec, { manifest, domain: xml, host: '{}' })
}

const saidOf = (items: readonly PreflightItem[], check: string): string =>
  items
    .filter((item) => item.check === check && item.state === 'warning')
    .map(({ text }) => text)
    .join('\n')

describe('a disk that the point left out', () => {
  it('stays attached where it is as it was', async () => {
    const source = await image(join(await folder(), 'b.qcow2'))
    const vdb = { target: 'vdb', source }
    expect(saidOf(await look({ next: domain(vdb) }, vdb), 'disks')).toBe(
      `Disk vdb is not in the point: it stays attached as it is now (${source})`
    )
  })

  it('is left out where another host has it open for writing, also of the host that the point was taken on', async () => {
    const source = await image(join(await folder(), 'b.qcow2'))
    const vdb = { target: 'vdb', source }
    const said = saidOf(await look({ next: domain(vdb) }, vdb, { isHeld: true }), 'disks')
    expect(said).toContain('is left out of the VM: somebody has')
    const shared = { ...vdb, more: '<shareable/>' }
    expect(saidOf(await look({ next: domain(shared) }, shared, { isHeld: true }), 'disks')).toContain('stays attached')
  })

  it('stays attached where a process of this host has it open: that is its own VM, which makes way', async () => {
    const source = await image(join(await folder(), 'b.qcow2'))
    const opener = await open(source, 'r+')
    onTestFinished(() => opener.close())
    const vdb = { target: 'vdb', source }
    const said = saidOf(await look({ next: domain(vdb) }, vdb, { isHeld: true }), 'disks')
    expect(said).toContain('stays attached')
  })

  it.each(['off', 'running'])(
    'is left out where its own VM, which is %s, has an overlay on it by now',
    async (state) => {
      const dir = await folder()
      const source = await image(join(dir, 'b.qcow2'))
      const next = domain({ target: 'vdb', source: await image(join(dir, 'b.snap1'), source) })
      const items = await look({ next, ...(state === 'running' && { live: next }) }, { target: 'vdb', source })
      expect(saidOf(items, 'disks')).toMatch(
        /^Disk vdb is not in the point and is left out of the VM: .*below .*b\.snap1/
      )
      expect(saidOf(items, 'existing VM')).toContain('b.snap1 stays where it is')
    }
  )

  it('is left out where an image is based on it, though VMs share it', async () => {
    const dir = await folder()
    const source = await image(join(dir, 'b.qcow2'))
    const next = domain({ target: 'vdb', source: await image(join(dir, 'b.snap1'), source) })
    const items = await look({ next }, { target: 'vdb', source, more: '<shareable/>' })
    expect(saidOf(items, 'disks')).toContain('is left out of the VM')
  })

  it('comes back as the point names it where its VM has another by now, and that is said', async () => {
    const dir = await folder()
    const source = await image(join(dir, 'b.qcow2'))
    const now = await image(join(dir, 'c.qcow2'))
    const items = await look({ next: domain({ target: 'vdb', source: now }) }, { target: 'vdb', source })
    expect(saidOf(items, 'disks')).toBe(
      `Disk vdb is not in the point: it is attached as it was then (${source}), and not as the VM that is here has it now (${now})`
    )
  })

  it('stays attached where its VM throws its writes away: the overlay that takes them ends with the VM', async () => {
    const dir = await folder()
    const source = await image(join(dir, 'b.qcow2'))
    const vdb = { target: 'vdb', source, more: '<transient/>' }
    const overlay = await image(join(dir, `b.qcow2.TRANSIENT-web`), source)
    const items = await look({ next: domain(vdb), live: domain({ ...vdb, source: overlay }) }, vdb)
    expect(saidOf(items, 'disks')).toBe(`Disk vdb is not in the point: it stays attached as it is now (${source})`)
  })
})

// field case 5
describe('a disk that the point left out, on another host', () => {
  const VDB = { target: 'vdb' }
  const rbd = `<disk type='network' device='disk'><source protocol='rbd' name='p/i'/><target dev='vdb'/></disk>`
  const volume = `<disk type='volume' device='disk'><source pool='p' volume='b'/><target dev='vdb'/></disk>`

  it('stayed there, though a file of the same path is here, and the line that says otherwise is shown', async () => {
    const source = await image(join(await folder(), 'b.qcow2'))
    const items = await lookElsewhere({ vdb: disk({ ...VDB, source }), leftOut: { ...VDB, source, modifiedNs: '1' } })
    expect(saidOf(items, 'disks')).toMatch(/is left out of the VM: it stayed on alpha$/m)
    expect(items.map(({ attach, fix }) => attach && fix).join('')).toMatch(/attach it with --attach vdb$/)
  })

  it('stays attached where it is the very file, and nobody has it open', async () => {
    const source = await image(join(await folder(), 'b.qcow2'))
    const leftOut = { ...VDB, source, modifiedNs: await modifiedNs(source) }
    const vdb = disk({ ...VDB, source })
    expect(saidOf(await lookElsewhere({ vdb, leftOut }), 'disks')).toContain('it stays attached as it is now')
    expect(saidOf(await lookElsewhere({ vdb, leftOut, isHeld: true }), 'disks')).toContain('perhaps on another host')
  })

  it('stays attached where its owner says that it is the same, if it is here', async () => {
    expect(saidOf(await lookElsewhere({ vdb: rbd }), 'disks')).toContain('it stayed on alpha')
    expect(saidOf(await lookElsewhere({ vdb: rbd, attach: ['vdb'] }), 'disks')).toContain('it stays attached')
    const items = await lookElsewhere({ vdb: disk({ ...VDB, source: '/nowhere/b' }), attach: ['vdb'] })
    const held = await image(join(await folder(), 'b.qcow2'))
    const taken = await lookElsewhere({ vdb: disk({ ...VDB, source: held }), attach: ['vdb'], isHeld: true })
    expect(taken.find(({ check, state }) => check === 'disks' && state === 'problem')?.text).toContain(
      'perhaps on another'
    )
    expect(items.filter(({ check, state }) => check === 'disks' && state === 'problem')).toMatchObject([
      { text: expect.stringMatching(/vdb .* cannot be attached here: .* is not here/) as string }
    ])
  })

  it('is looked for in its pool', async () => {
    const path = await image(join(await folder(), 'b.qcow2'))
    const leftOut = { ...VDB, source: 'p/b', modifiedNs: await modifiedNs(path) }
    expect(saidOf(await lookElsewhere({ vdb: volume, leftOut, volumePath: path }), 'disks')).toContain('stays attached')
    const items = await lookElsewhere({ vdb: volume, attach: ['vdb'] })
    expect(items.find(({ state, check }) => check === 'disks' && state === 'problem')?.text).toContain('no pool here')
  })
})

// field case 12
describe('a medium on another host', () => {
  const drive = (type: string, source: string): string =>
    `<disk type='${type}' device='cdrom'>${source}<target dev='sda' bus='sata'/><readonly/></disk>`
  const volume = drive('volume', `<source pool='iso' volume='a.iso'/>`)
  const http = drive('network', `<source protocol='http' name='/a.iso'><host name='store' port='8080'/></source>`)
  const saidEmpty = async (look: Elsewhere): Promise<boolean> =>
    saidOf(await lookElsewhere(look), 'disks').includes('the drive is left empty')

  it('is looked for in its pool', async () => {
    expect(await saidEmpty({ vdb: volume })).toBe(true)
    expect(await saidEmpty({ vdb: volume, volumePath: '/nowhere/a.iso' })).toBe(true)
    expect(await saidEmpty({ vdb: volume, volumePath: await disc(join(await folder(), 'a.iso')) })).toBe(false)
  })

  it('comes from the point, where that has it and this host has it not', async () => {
    const vdb = drive('file', `<source file='/nowhere/a.iso'/>`)
    expect(await saidEmpty({ vdb })).toBe(true)
    const boot = [{ role: 'medium', file: 'boot/medium-0', originalPath: '/nowhere/a.iso' }] as const
    const items = await lookElsewhere({ vdb, boot: [...boot] })
    expect(saidOf(items, 'boot files')).toMatch(
      /^The medium \/nowhere\/a\.iso is not here: \S+ is written from the point$/
    )
    expect(items.filter(({ text, state }) => state !== 'ok' && /sda|medium-0/.test(text))).toHaveLength(1)
  })

  it('is one by its role, whatever its file in the point is called', async () => {
    const vdb = drive('file', `<source file='/nowhere/a.iso'/>`)
    const said = async (role: 'medium' | 'kernel', file: string): Promise<string> => {
      const items = await lookElsewhere({ vdb, boot: [{ role, file, originalPath: '/nowhere/a.iso' }] })
      return `${saidOf(items, 'boot files')} ${saidOf(items, 'disks')}`
    }
    expect(await said('medium', 'boot/disc')).toMatch(/^The medium \/nowhere\/a\.iso is not here: (?!.*left empty)/s)
    expect(await said('kernel', 'boot/medium-0')).toMatch(/which the VM is started with, .*the drive is left empty/s)
  })

  it('is asked for from its server only where the VM that is here has the very same, or somebody says that it is meant', async () => {
    const served = /"url":"http:\/\/store:8080\/a\.iso"/
    expect(await saidEmpty({ vdb: http, served })).toBe(true)
    expect(await saidEmpty({ vdb: http, attach: ['sda'] })).toBe(false)
    expect(await saidEmpty({ vdb: http, served, isVmHere: true })).toBe(false)
    expect(await saidEmpty({ vdb: http, isHeld: true, isVmHere: true })).toBe(true)
  })
})

describe('a disk that was left out, when its VM is about to make way', () => {
  interface Planned {
    readonly source: string
    readonly withRam?: boolean
    /** What has happened since the plan was made. */
    readonly since?: () => Promise<unknown>
  }

  /** Looks before the displacing, hours after a plan that leaves `vdb` attached. */
  async function lookLater(
    present: PaperVm,
    { source, withRam = false, since }: Planned
  ): ReturnType<typeof lookBeforeDisplacing> {
    const manifest = await takenHere(source)
    await since?.()
    const { shell } = paperLibvirt({ [VM]: present })
    const definition = domain({ target: 'vdb', source })
    const plan = {
      vm: VM,
      vmName: NAME,
      displaced: [{ uuid: VM, name: NAME }],
      disks: [],
      boot: [],
      definition,
      ...(withRam && { memoryXml: definition })
    }
    const job = { id: POINT, shell, spec: specOf('/s') } as unknown as JobContext<RestoreSpec>
    return lookBeforeDisplacing(job, plan as unknown as RestorePlan, manifest)
  }

  it('is not renamed aside', async () => {
    const source = await image(join(await folder(), 'b.qcow2'))
    const { displaced } = await lookLater({ next: domain({ target: 'vdb', source }) }, { source, withRam: true })
    expect(displaced).toMatchObject([{ uuid: VM, renames: [] }])
  })

  it('ends the restore where its owner has put an overlay on it since it was planned', async () => {
    const dir = await folder()
    const source = await image(join(dir, 'b.qcow2'))
    const next = domain({ target: 'vdb', source: await image(join(dir, 'b.snap1'), source) })
    await expect(lookLater({ next }, { source })).rejects.toThrow(
      /foreign-work.*vdb is not as it was planned.*b\.snap1/
    )
  })

  it('ends the restore of RAM where it was written to since, but not one that boots', async () => {
    const source = await image(join(await folder(), 'b.qcow2'))
    const present = { next: domain({ target: 'vdb', source }) }
    const since = (): Promise<void> => utimes(source, 1, 1)
    await expect(lookLater(present, { source, withRam: true, since })).rejects.toThrow(/foreign-work.*written to/)
    await lookLater(present, { source, since })
  })
})

// field case 5
describe('a VM that was made anew since, with the name and the disks of the one of the point,', () => {
  const NAMESAKE = '7d0c1f9e-1111-4222-8333-944444444444'
  const isNow = (...disks: Disk[]): Record<string, PaperVm> => ({
    [NAMESAKE]: { next: domain(...disks).replace(VM, NAMESAKE) }
  })

  interface Asked {
    readonly dir: string
    readonly vms: Record<string, PaperVm>
    readonly isHeld?: boolean
  }

  /** Of a point that holds `vda` of this folder, and left `vdb` out. */
  async function replacing({ dir, vms, isHeld = false }: Asked): Promise<PreflightItem[]> {
    const paper = paperLibvirt(vms)
    const [vda, vdb] = [join(dir, 'sys.qcow2'), join(dir, 'data.qcow2')]
    const manifest = await takenHere(vdb)
    const disks = manifest.disks.map((each) => ({ ...each, originalSource: vda, originalType: 'file' as const }))
    const xml = domain({ target: 'vda', source: vda }, { target: 'vdb', source: vdb })
    return preflightRestore(isHeld ? lockedOn(paper.shell) : paper.shell, specOf(await temporaryStore()), {
      manifest: JSON.stringify({ ...manifest, disks }),
      domain: xml,
      host: '{}'
    })
  }

  it('makes way, and the disk that was left out is attached where it is', async () => {
    const dir = await folder()
    const [vda, vdb] = [await image(join(dir, 'sys.qcow2')), await image(join(dir, 'data.qcow2'))]
    const vms = isNow({ target: 'vda', source: vda }, { target: 'vdb', source: vdb })
    const items = await replacing({ dir, vms })
    expect(saidOf(items, 'disks')).toContain(`vdb is not in the point: it stays attached as it is now (${vdb})`)
    const said = items.filter(({ check }) => check === 'existing VM').map(({ state, text }) => `${state}: ${text}`)
    expect(said.join()).not.toContain(vdb)
    expect(said).toContain(`ok: ${vda} makes way, and is kept as ${vda}.kept-…`)
  })

  it('keeps that disk at its place too where the restored VM cannot have it', async () => {
    const dir = await folder()
    const [vda, vdb] = [await image(join(dir, 'sys.qcow2')), await image(join(dir, 'data.qcow2'))]
    const vms = isNow({ target: 'vda', source: vda }, { target: 'vdb', source: vdb })
    const said = saidOf(await replacing({ dir, vms, isHeld: true }), 'existing VM')
    expect(said).toContain(`${vdb} stays where it is: the point has left it out`)
    // By whatever path, and as whatever disk it has it by now.
    const link = join(dir, 'link.qcow2')
    await symlink(vdb, link)
    const linked = isNow({ target: 'vda', source: link })
    expect(saidOf(await replacing({ dir, vms: linked, isHeld: true }), 'existing VM')).toContain(`${link} stays`)
    expect(saidOf(await replacing({ dir, vms: linked }), 'existing VM')).not.toContain(link)
  })

  it('has each image named that nothing of the point takes the place of', async () => {
    const dir = await folder()
    const [vda, more] = [await image(join(dir, 'sys.qcow2')), await image(join(dir, 'more.qcow2'))]
    await image(join(dir, 'data.qcow2'))
    const vms = isNow({ target: 'vda', source: vda }, { target: 'vdc', source: more })
    expect(saidOf(await replacing({ dir, vms }), 'existing VM')).toContain(
      `${more} (disk vdc of the VM that makes way) is kept as ${more}.kept-…, and nothing of the point takes its place`
    )
  })
})

describe('a VM in the way that throws the writes to a disk away', () => {
  it('has its image renamed, and not the overlay, which ends with it', async () => {
    const dir = await folder()
    const ground = await image(join(dir, 'ground.qcow2'))
    const source = await image(join(dir, 'a.qcow2'), ground)
    const overlay = await image(join(dir, 'a.qcow2.TRANSIENT-web'), source)
    const more = '<transient/>'
    const vda = { target: 'vda', source, more }
    const { shell } = paperLibvirt({ [VM]: { next: domain(vda), live: domain({ ...vda, source: overlay }) } })
    const found = await lookAtVmInTheWay(shell, VM, {
      jobId: POINT,
      targets: new Set(['vda']),
      attached: new Set(),
      users: await imageUsers(shell),
      setsJobsAside: false
    })
    expect(found.vm.renames.map(({ from }) => from)).toEqual([source])
    expect(found.stays).toEqual([])
  })

  it('is started again without it where libvirt has no other definition of it than the running one', async () => {
    const dir = await folder()
    const source = await image(join(dir, 'a.qcow2'))
    const overlay = await image(join(dir, 'a.qcow2.TRANSIENT-web'), source)
    const below = `<backingStore type='file'><format type='qcow2'/><source file='${source}'/><backingStore/></backingStore>`
    const live = domain({ target: 'vda', source: overlay, more: `${below}<transient/>` })
    const { shell } = paperLibvirt({ [VM]: { next: live, live } })
    const { vm } = await lookAtVmInTheWay(shell, VM, {
      jobId: POINT,
      targets: new Set(['vda']),
      attached: new Set(),
      users: await imageUsers(shell),
      setsJobsAside: false
    })
    expect(vm.renames.map(({ from }) => from)).toEqual([source])
    expect(vm.definition).not.toContain('TRANSIENT')
    expect(parseDomain(vm.definition).disks).toMatchObject([{ source, format: 'qcow2', transient: true }])
  })
})
