import { globSync, readFileSync } from 'node:fs'
import { chmod, link, mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { machineId } from '../../src/engine/host-facts.ts'
import { hostRules, isAllowed } from '../../src/engine/restore/allowed.ts'
import { disksNoted } from '../../src/engine/restore/had-here.ts'
import { ImageFolders } from '../../src/engine/restore/image-folders.ts'
import { isFromPackage, isPackagedBootFile, isPackagedDisc } from '../../src/engine/restore/package-files.ts'
import { planNvram } from '../../src/engine/restore/plan-firmware.ts'
import { preflightRestore } from '../../src/engine/restore/plan-restore.ts'
import type { Need } from '../../src/libvirt/needs/need.ts'
import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import type { JournalEntry, RestoreSpec } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { DISGUISED, HOSTILE, MORE, type Hostile } from './hostile-definitions.ts'
import { paperLibvirt, type PaperVm } from './paper-libvirt.ts'
import { paperPlan } from './paper-plan.ts'
import { emptyImage, FILES, OTHER_VM, POINT, VM, manifestOf, temporaryStore } from './store-points.ts'

const PLAIN: Hostile = { what: 'nothing' }
const vda = (path = '/nowhere/a.qcow2'): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${path}'/><target dev='vda' bus='virtio'/></disk>`

const definitionOf = ({ devices = '', os = '', domain = '', root = '' }: Hostile, uuid = VM, name = 'web &lt;1&gt;') =>
  `<domain type='kvm' ${root}><name>${name}</name><uuid>${uuid}</uuid><memory>1024</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>${os}</os>${domain}<devices>${vda()}${devices}</devices></domain>`

interface Tried {
  readonly next?: string
  /** Undefined: the point holds no RAM. */
  readonly ram?: string | undefined
  readonly allow?: readonly string[]
  readonly manifest?: Partial<Manifest>
  readonly vms?: Readonly<Record<string, PaperVm>>
  readonly host?: string
  readonly spec?: Partial<RestoreSpec>
}

/** What a restore of such a point is told before it touches anything; it was taken on this host, or says so. */
async function look({ next, ram, allow = [], manifest, vms = {}, host = '{}', spec }: Tried): Promise<PreflightItem[]> {
  const order: RestoreSpec = {
    kind: 'restore',
    vm: VM,
    vmName: 'web <1>',
    hostName: 'alpha',
    point: POINT,
    store: await temporaryStore(),
    mode: ram === undefined ? 'boot' : 'resume',
    replace: true,
    allow: [...allow],
    ...spec
  }
  const facts = {
    host: { name: 'alpha', machineId: await machineId() },
    ...(ram !== undefined && { memory: { file: 'memory.save', ramBytes: 1 } }),
    ...manifest
  }
  return preflightRestore(paperLibvirt(vms).shell, order, {
    manifest: JSON.stringify(manifestOf(FILES, facts)),
    domain: next ?? definitionOf(PLAIN),
    host,
    ...(ram !== undefined && { memory: ram })
  })
}

const refusedIn = (items: readonly PreflightItem[]): string[] => items.flatMap(({ allow }) => allow ?? [])
const emptied = (items: readonly PreflightItem[]): boolean =>
  items.some(({ state, text }) => state === 'warning' && /drive is left empty|is left out of the VM/.test(text))

/** What only RAM knows is not used where it does not fit the disks of the VM. */
const isBooted = (items: readonly PreflightItem[]): boolean =>
  items.some(({ check, state }) => check === 'mode' && state === 'warning')

/** What nobody can allow. */
const isRefused = (items: readonly PreflightItem[]): boolean =>
  items.some(({ check, state, allow }) => check === 'not allowed' && state === 'problem' && allow === undefined)

const isStopped = (items: readonly PreflightItem[]): boolean =>
  refusedIn(items).length > 0 || emptied(items) || isBooted(items) || isRefused(items)

async function temporaryFolder(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-images-')))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** An image that says that it is based on another, as a guest could write it as well. */
function imageOver(path: string): Uint8Array {
  const image = Buffer.from(emptyImage())
  image.write(path, 512)
  image.writeBigUInt64BE(512n, 8)
  image.writeUInt32BE(Buffer.byteLength(path), 16)
  return image
}

/** One that says that its data lies in another file. */
function imageWithDataFile(): Uint8Array {
  const image = Buffer.from(emptyImage())
  image.writeBigUInt64BE(image.readBigUInt64BE(72) | 4n, 72)
  return image
}

const count = { handled: 0, tried: 0 }
const tally = (items: readonly PreflightItem[]): boolean => {
  const stopped = isStopped(items)
  count.tried += 1
  count.handled += stopped ? 1 : 0
  return stopped
}
afterAll(() => console.info(`hostile points: ${count.handled} handled / ${count.tried} tried`))

describe('a point whose definition reaches out of the VM for', () => {
  it.each(HOSTILE)('$what is stopped, or asked about, before anything is touched', async (hostile) => {
    const items = await look({ next: definitionOf(hostile) })
    expect(tally(items)).toBe(true)
    if (hostile.item !== undefined) expect(JSON.stringify(items)).toContain(hostile.item)
  })

  it('is one of the 37 that were tried once', () => {
    expect(HOSTILE).toHaveLength(37)
  })

  it.each(MORE)('$what, which is of the same kinds, too', async (hostile) => {
    const items = await look({ next: definitionOf(hostile) })
    expect(tally(items)).toBe(true)
    if (hostile.item !== undefined) expect(JSON.stringify(items)).toContain(hostile.item)
  })
})

describe('a point whose definition reaches out of the VM by names that libvirt reads as its own for', () => {
  it.each(DISGUISED)('$what is refused, whatever is allowed', async (hostile) => {
    const next = definitionOf(hostile)
    const items = await look({ next })
    expect(tally(items)).toBe(true)
    const again = await look({ next, allow: refusedIn(items) })
    expect(isRefused(again) || isLeftOut(again)).toBe(true)
  })

  it.each(DISGUISED)('$what, in its RAM image alone, too', async (hostile) => {
    expect(tally(await look({ ram: definitionOf(hostile) }))).toBe(true)
  })

  /** A whole disk that is not here goes, by whatever name. */
  const isLeftOut = (items: readonly PreflightItem[]): boolean =>
    items.some(({ text }) => /left out of the VM/.test(text))

  it('the guest alone is not asked about where somebody noted something in his own words', async () => {
    const notes = "<metadata><app:it xmlns:app='urn:app' app:id='1' xml:lang='en'><app:more/></app:it></metadata>"
    expect(isStopped(await look({ next: definitionOf({ what: '', domain: notes }) }))).toBe(false)
  })

  it('QEMU by what only looks out of date is asked about', async () => {
    const root = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
    const plain = "<qemu:deprecation behavior='omit'/>"
    expect(isStopped(await look({ next: definitionOf({ what: '', root, domain: plain }) }))).toBe(false)
    for (const domain of ["<qemu:deprecation><arg value='-S'/></qemu:deprecation>", plain.replace('omit', '/etc/x')])
      expect(isStopped(await look({ next: definitionOf({ what: '', root, domain }) }))).toBe(true)
    expect(isRefused(await look({ next: definitionOf({ what: '', root, devices: plain }) }))).toBe(true)
  })
})

describe('a point whose RAM image alone reaches out of the VM for', () => {
  it.each([...HOSTILE, ...MORE])('$what is stopped, or asked about, too', async (hostile) => {
    expect(tally(await look({ ram: definitionOf(hostile) }))).toBe(true)
  })

  it('a disk that it says is as it was then is asked about', async () => {
    const source = '/etc/passwd'
    const modifiedNs = String((await stat(source, { bigint: true })).mtimeNs)
    const ram = definitionOf({
      what: '',
      devices: `<disk type='file' device='disk'><source file='${source}'/><target dev='vdq' bus='virtio'/></disk>`
    })
    const items = await look({ ram, manifest: { leftOut: [{ target: 'vdq', source, modifiedNs }] } })
    expect(refusedIn(items)).toEqual(['write=/etc/passwd'])
  })

  it('what its definition does not have is said to be so', async () => {
    const items = await look({ ram: definitionOf({ what: '', domain: "<seclabel type='none' model='selinux'/>" }) })
    expect(items.find(({ allow }) => allow !== undefined)?.text).toMatch(
      /^only the RAM image, not the definition, asks/
    )
  })
})

describe('what a point asks', () => {
  const cron = definitionOf({ what: '', devices: "<serial type='file'><source path='/etc/cron.d/x'/></serial>" })

  it('is not asked about where nothing reaches out', async () => {
    const items = await look({ next: definitionOf(PLAIN), ram: definitionOf(PLAIN) })
    expect(items.filter(({ state }) => state === 'problem')).toEqual([])
    expect(isStopped(items)).toBe(false)
  })

  it('is not asked about of a desktop VM as virt-manager makes it', async () => {
    const desktop = readFileSync('test/fixtures/needs/virt-manager.xml', 'utf8')
      .replace('<name>win11</name>', '<name>web &lt;1&gt;</name>')
      .replace('target dev="sda"', 'target dev="vda"')
    const items = await look({ next: desktop, ram: desktop })
    expect(refusedIn(items)).toEqual([])
    expect(emptied(items)).toBe(false)
  })

  it.each(globSync('test/fixtures/libvirt-*/{dumpxml-live,dumpxml-inactive,save-image-dumpxml}.txt').toSorted())(
    'is its kernel alone, of a guest as libvirt showed it in %s',
    async (file) => {
      const recorded = readFileSync(file, 'utf8')
        .replaceAll('11111111-2222-4333-8444-555555555555', VM)
        .replace('<name>fixture</name>', '<name>web &lt;1&gt;</name>')
      const refused = refusedIn(await look({ next: recorded }))
      expect(refused.toSorted()).toEqual([
        'read=/var/lib/stillpoint-guest/initrd',
        'read=/var/lib/stillpoint-guest/vmlinuz'
      ])
    }
  )

  it('is not asked about of words in several lines that QEMU gets as they are', async () => {
    const lines = (end: string): Hostile => ({
      what: '',
      os: `<cmdline>console=ttyS0${end} root=/dev/vda1</cmdline>`,
      domain: `<sysinfo type='fwcfg'><entry name='opt/com.coreos/config'>{${end} "ignition": {}${end}}</entry></sysinfo>`
    })
    expect(isStopped(await look({ next: definitionOf(lines('\n\t')) }))).toBe(false)
    expect(refusedIn(await look({ next: definitionOf(lines('\u009b')) })).join()).toMatch(/^control=#\w+,control=#\w+$/)
  })

  it('of a folder by another driver is another thing than the VM here has', async () => {
    const shared = (driver: string): string =>
      definitionOf({
        what: '',
        devices: `<filesystem type='mount'>${driver}<source dir='/srv'/><target dir='x'/></filesystem>`
      })
    const own = { vms: { [VM]: { next: shared('') } } }
    expect(refusedIn(await look({ ...own, next: shared('') }))).toEqual([])
    expect(refusedIn(await look({ ...own, next: shared("<driver type='virtiofs'/>") }))).toEqual([
      'share=virtiofs:/srv'
    ])
  })

  it('goes through where the operator allows that one thing by name, and nothing else with it', async () => {
    expect(refusedIn(await look({ next: cron, allow: ['write=/etc/cron.d/x'] }))).toEqual([])
    expect(refusedIn(await look({ next: cron, allow: ['read=/etc/cron.d/x', 'write=/etc/cron.d'] }))).toEqual([
      'write=/etc/cron.d/x'
    ])
  })

  it('goes through where the VM has the very same on this host already', async () => {
    const own = { vms: { [VM]: { next: cron } } }
    expect(refusedIn(await look({ ...own, next: cron }))).toEqual([])
    const other = cron.replace('cron.d/x', 'cron.d/y')
    expect(refusedIn(await look({ ...own, next: other }))).toEqual(['write=/etc/cron.d/y'])
  })

  it('of a label for the whole VM does not go through because one of its files has such a label', async () => {
    const disk = vda().replace("a.qcow2'/>", "a.qcow2'><seclabel model='dac' relabel='no'/></source>")
    const own = { vms: { [VM]: { next: definitionOf(PLAIN).replace(vda(), disk) } } }
    expect(refusedIn(await look({ ...own, next: definitionOf(PLAIN).replace(vda(), disk) }))).toEqual([])
    const bare = definitionOf({ what: '', domain: "<seclabel type='none' model='dac'/>" })
    expect(refusedIn(await look({ ...own, next: bare }))).toEqual(['label=dac:none'])
  })

  it('does not go through because another VM has it', async () => {
    const theirs = cron.replace(VM, OTHER_VM).replace('web &lt;1&gt;', 'other')
    expect(refusedIn(await look({ next: cron, vms: { [OTHER_VM]: { next: theirs } } }))).toEqual([
      'write=/etc/cron.d/x'
    ])
  })

  it('of QEMU past libvirt is allowed as a whole: one argument more is another thing', async () => {
    const withArguments = (...values: string[]): string =>
      definitionOf({
        what: '',
        root: "xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'",
        domain: `<q:commandline>${values.map((value) => `<q:arg value='${value}'/>`).join('')}</q:commandline>`
      })
    const [item = ''] = refusedIn(await look({ next: withArguments('-S') }))
    expect(item).toMatch(/^qemu-commandline=#[0-9a-f]{16}$/)
    expect(refusedIn(await look({ next: withArguments('-S'), allow: [item] }))).toEqual([])
    expect(refusedIn(await look({ next: withArguments('-S', '-no-reboot'), allow: [item] }))).toHaveLength(1)
  })

  it('is not what the restore makes, but as a disk or firmware variables: an image is no program', async () => {
    const path = '/var/lib/libvirt/images/a.qcow2'
    const { shell } = paperLibvirt()
    const folders = new ImageFolders(shell, () => Promise.resolve(new Map()))
    const spec = { vm: VM, allow: [] as string[] } as unknown as RestoreSpec
    const rules = await hostRules(shell, spec, folders, {
      emulator: '/opt/qemu',
      manifest: {},
      hadHere: new Set(),
      attached: new Set(),
      disks: [
        { target: 'vda', file: 'disks/vda.qcow2', virtualSizeBytes: 1, format: 'raw', path, staged: `${path}.x` }
      ],
      media: new Set(['/var/lib/libvirt/images/m']),
      files: [
        { path: undefined, from: undefined },
        { path: '/var/lib/libvirt/images/m', from: undefined }
      ]
    })
    const disk = {
      kind: 'disk',
      target: 'vda',
      device: 'disk',
      type: 'file',
      role: 'image',
      source: path,
      format: 'raw',
      readOnly: false
    }
    expect(await isAllowed({ where: '', ...disk } as Need, rules)).toBe(true)
    for (const other of [{ device: 'cdrom' }, { format: 'qcow2' }, { target: 'vdb' }, { role: 'below' }])
      expect(await isAllowed({ where: '', ...disk, ...other } as Need, rules)).toBe(false)
    // A medium that it brings is read by a drive, as the raw bytes that it is.
    const medium = { ...disk, target: 'sda', device: 'cdrom', source: '/var/lib/libvirt/images/m', readOnly: true }
    expect(await isAllowed({ where: '', ...medium } as Need, rules)).toBe(true)
    for (const other of [{ device: 'disk' }, { format: 'qcow2' }, { type: 'block' }, { role: 'below' }])
      expect(await isAllowed({ where: '', ...medium, ...other } as Need, rules)).toBe(false)
    expect(await isAllowed({ where: '', kind: 'emulator', path }, rules)).toBe(false)
    expect(await isAllowed({ where: '', kind: 'emulator', path: '/opt/qemu' }, rules)).toBe(true)
    expect(await isAllowed({ where: '', kind: 'program', what: 'x', path }, rules)).toBe(false)
  })

  it('is a screen without a password where the VM here asks for one', async () => {
    const screen = (passwd: string): string =>
      definitionOf({ what: '', devices: `<graphics type='vnc' listen='0.0.0.0' ${passwd}/>` })
    const own = { vms: { [VM]: { next: screen("passwd='secret'") } } }
    expect(refusedIn(await look({ ...own, next: screen("passwd='other'") }))).toEqual([])
    for (const passwd of ['', "passwd=''"])
      expect(refusedIn(await look({ ...own, next: screen(passwd) }))).toEqual(['listen=vnc:0.0.0.0'])
  })

  it('is from a package only where its links lead to packages as well, and everybody may read it', async () => {
    const dir = await temporaryFolder()
    for (const [name, mode] of Object.entries({ 'usr/code.fd': 0o644, 'usr/secret': 0o600, 'etc/key': 0o644 })) {
      await mkdir(join(dir, dirname(name)), { recursive: true })
      await writeFile(join(dir, name), '')
      await chmod(join(dir, name), mode)
    }
    await symlink(join(dir, 'etc'), join(dir, 'usr/ssl'))
    await symlink(join(dir, 'usr/code.fd'), join(dir, 'usr/link.fd'))
    const judge = (name: string): Promise<boolean> => isFromPackage(`${dir}/${name}`, new RegExp(`^${dir}/usr/`))
    for (const name of ['usr/code.fd', 'usr/link.fd', 'usr/none']) expect(await judge(name)).toBe(true)
    for (const name of ['usr/secret', 'usr/ssl/key', 'usr/../etc/key', 'etc/key']) expect(await judge(name)).toBe(false)
  })

  it('is a kernel of a package only where it is nothing but that, since libvirt gives it to QEMU', async () => {
    const dir = await temporaryFolder()
    const elf = (type: number): Buffer =>
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...Array<number>(9).fill(0), type, 0, 0, 0])
    const bzImage = Buffer.concat([Buffer.alloc(0x202), Buffer.from('HdrS')])
    const files: Record<string, [Uint8Array, number]> = {
      vmlinux: [elf(2), 0o644],
      bzImage: [bzImage, 0o644],
      initrd: [Buffer.from('070701'), 0o644],
      'initrd.gz': [gzipSync('070701' + ' '.repeat(9000)), 0o644],
      'library.so': [elf(3), 0o644],
      'module.pm': [Buffer.from('package x;'), 0o644],
      'man.gz': [gzipSync('.TH X'), 0o644],
      helper: [elf(2), 0o4755],
      program: [elf(2), 0o755],
      'open.img': [bzImage, 0o666],
      secret: [bzImage, 0o600]
    }
    for (const [name, [bytes, mode]] of Object.entries(files)) {
      await writeFile(join(dir, name), bytes)
      await chmod(join(dir, name), mode)
    }
    await mkdir(join(dir, 'sub'))
    await symlink(join(dir, 'vmlinux'), join(dir, 'sub/vmlinuz'))
    await writeFile(join(dir, 'twice'), bzImage)
    await link(join(dir, 'twice'), join(dir, 'sub/twice'))
    const given = async (what: string, folder = dir): Promise<string[]> => {
      const names = [...Object.keys(files), 'sub/vmlinuz', 'sub/twice', 'none', '../x']
      const judged = await Promise.all(
        names.map((name) => isPackagedBootFile(`${dir}/${name}`, what, new RegExp(`^${folder}/`)))
      )
      return names.filter((_name, index) => judged[index])
    }
    expect(await given('kernel')).toEqual(['vmlinux', 'bzImage', 'sub/vmlinuz'])
    expect(await given('kernel', `${dir}/sub`)).toEqual([])
    expect(await given('initrd')).toEqual(['initrd', 'initrd.gz'])
    expect(await given('firmware configuration')).toEqual([])
    await chmod(dir, 0o777)
    expect(await given('kernel')).toEqual([])
  })

  it('is a disc of a package where it is one that sets up no VM', async () => {
    const dir = await temporaryFolder()
    const disc = (label: string): Buffer => {
      const bytes = Buffer.alloc(40_000)
      bytes.write('CD001', 32_769)
      bytes.write(label, 32_808)
      return bytes
    }
    await writeFile(join(dir, 'drivers.iso'), disc('virtio-win'))
    await writeFile(join(dir, 'seed.iso'), disc('cidata'))
    await writeFile(join(dir, 'words'), 'a')
    const judge = (name: string): Promise<boolean> => isPackagedDisc(`${dir}/${name}`, new RegExp(`^${dir}/`))
    expect(await Promise.all(['drivers.iso', 'seed.iso', 'words', 'none'].map(judge))).toEqual([
      true,
      false,
      false,
      false
    ])
  })

  it('is to write to an image that nobody has only where this host noted it as a disk of that VM', async () => {
    const dir = await temporaryFolder()
    const [source, other] = [join(dir, 'a.raw'), join(dir, 'other.img')]
    await writeFile(source, 'template')
    await writeFile(other, '')
    const { shell } = paperLibvirt()
    const users = new Map([[other, [{ vm: 'other', uuid: OTHER_VM, by: 'vda' }]]])
    const folders = new ImageFolders(shell, () => Promise.resolve(users))
    const modifiedNs = String((await stat(source, { bigint: true })).mtimeNs)
    const judge = async (hadHere: ReadonlySet<string>): Promise<boolean> => {
      const rules = await hostRules(shell, { vm: VM, allow: [] as string[] } as unknown as RestoreSpec, folders, {
        emulator: undefined,
        manifest: { leftOut: [{ target: 'vdq', source, modifiedNs }] },
        hadHere,
        media: new Set(),
        attached: new Set(),
        disks: [],
        files: []
      })
      const disk = {
        target: 'vdq',
        device: 'disk',
        type: 'file',
        role: 'image',
        source,
        format: 'raw',
        readOnly: false
      }
      return isAllowed({ where: '', kind: 'disk', ...disk } as Need, rules)
    }
    const had = `<disk type='file' device='disk'><source file='${source}'/><target dev='vdq' bus='virtio'/></disk>`
    const plan = paperPlan(VM, definitionOf({ what: '', devices: had }))
    const entries = [{ type: 'step', step: 'begin-point', data: { plan, before: {} } }] as unknown as JournalEntry[]
    expect(await judge(new Set())).toBe(false)
    expect(await judge(disksNoted(entries, OTHER_VM))).toBe(false)
    expect(await judge(disksNoted(entries, VM))).toBe(true)
    expect(await judge(new Set([`vdb ${source}`]))).toBe(false)
  })

  it('of firmware variables that it brings is only what their own header says as well', async () => {
    const dir = await temporaryFolder()
    const path = '/var/lib/libvirt/qemu/nvram/web.fd'
    const { shell } = paperLibvirt()
    const folders = new ImageFolders(shell, () => Promise.resolve(new Map()))
    const spec = { vm: VM, allow: [] as string[] } as unknown as RestoreSpec
    const judge = async (bytes: Uint8Array, format: string): Promise<boolean> => {
      const from = join(dir, 'nvram.fd')
      await writeFile(from, bytes)
      const rules = await hostRules(shell, spec, folders, {
        emulator: undefined,
        manifest: {},
        hadHere: new Set(),
        attached: new Set(),
        disks: [],
        media: new Set(),
        files: [{ path, from }]
      })
      const needs = ['image', 'template', 'variables'] as const
      const judged = await Promise.all(
        needs.map((what) => isAllowed({ where: '', kind: 'firmware', what, path, format, type: 'file' }, rules))
      )
      return judged.every(Boolean)
    }
    expect(await judge(emptyImage(), 'qcow2')).toBe(true)
    expect(await judge(imageOver('/etc/shadow'), 'raw')).toBe(true)
    expect(await judge(imageOver('/etc/shadow'), 'qcow2')).toBe(false)
  })

  it('is named with where it stands, and how to allow it', async () => {
    const item = (await look({ next: cron })).find(({ allow }) => allow !== undefined)
    expect(item).toEqual({
      check: 'not allowed',
      state: 'problem',
      text: 'the definition asks to write to /etc/cron.d/x (port) [devices/serial/source]',
      fix: "restore with --allow 'write=/etc/cron.d/x' if you trust the point with that",
      allow: 'write=/etc/cron.d/x'
    })
  })

  it('cannot write into the terminal, nor into the line that is pasted', async () => {
    const nasty = definitionOf({
      what: '',
      devices: "<serial type='file'><source path='/x&#27;[2J&#10;rm'/></serial>".replaceAll('&#27;', '\u009b')
    })
    const [item] = (await look({ next: nasty })).filter(({ allow }) => allow !== undefined)
    expect(item?.allow).toMatch(/^write=#[0-9a-f]{16}$/)
    expect(item?.text).not.toMatch(/\p{Cc}/u)
  })
})

describe('a disk of a point', () => {
  const placeOf = async (tried: Tried): Promise<string> =>
    (await look(tried))
      .filter(({ check }) => check === 'disks')
      .map(({ text }) => text)
      .join('\n')
  const from = (originalSource: string): Partial<Manifest> => {
    const [disk] = manifestOf(FILES).disks
    return disk === undefined ? {} : { disks: [{ ...disk, originalSource, originalFormat: 'raw' }] }
  }

  it.each([
    '/etc/cron.d/zz-evil',
    '/etc/ld.so.preload',
    '/root/x',
    '/usr/bin/x',
    '/var/lib/libvirt/images/../../../../etc/x'
  ])('never goes to %s, which no image folder is', async (path) => {
    const said = await placeOf({ manifest: from(path) })
    expect(said).toMatch(/vda goes to \/var\/lib\/libvirt\/images\//)
    expect(said).not.toMatch(/goes to \/(etc|root|usr)/)
  })

  it('goes back where a VM of this host has an image, and nowhere else', async () => {
    const dir = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-images-')))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    await writeFile(join(dir, 'other.qcow2'), '')
    const away = await placeOf({ manifest: from(join(dir, 'mine.img')) })
    expect(away).toContain(`no images are kept in ${dir} on this host`)
    const next = definitionOf(PLAIN, OTHER_VM, 'other').replace('/nowhere/a.qcow2', join(dir, 'other.qcow2'))
    const home = await placeOf({ manifest: from(join(dir, 'mine.img')), vms: { [OTHER_VM]: { next } } })
    expect(home).toBe(`vda goes to ${dir}/mine.img`)
    const medium = next.replace("device='disk'", "device='cdrom'")
    expect(await placeOf({ manifest: from(join(dir, 'mine.img')), vms: { [OTHER_VM]: { next: medium } } })).toBe(away)
  })

  it.each([
    ['as the operator says, though everybody may write there, which is said', 0o777, true],
    ['as the operator says, where nobody else may write', 0o700, false]
  ])('goes %s', async (_what, mode, isSaid) => {
    const diskDir = await temporaryFolder()
    await chmod(diskDir, mode)
    const items = await look({ spec: { diskDir } })
    const said = items.filter(({ text }) => text.includes(`everybody may write to ${diskDir}`))
    expect(said.map(({ state }) => state)).toEqual(isSaid ? ['warning'] : [])
    expect(items.filter(({ check }) => check === 'disks').map(({ text }) => text)).toContain(
      `vda goes to ${diskDir}/a.qcow2`
    )
  })

  it('leaves a folder that others may write to by now, and says who', async () => {
    const dir = await temporaryFolder()
    await writeFile(join(dir, 'other.qcow2'), '')
    await chmod(dir, 0o777)
    const next = definitionOf(PLAIN, OTHER_VM, 'other').replace('/nowhere/a.qcow2', join(dir, 'other.qcow2'))
    const said = await placeOf({ manifest: from(join(dir, 'mine.img')), vms: { [OTHER_VM]: { next } } })
    expect(said).toContain(`Disk vda goes to /var/lib/libvirt/images/mine.img: everybody may write to ${dir}`)
  })

  it.each(['raw', 'qcow2'])('never goes to a folder that only the header of a %s image names', async (format) => {
    const [kept, aimed] = [await temporaryFolder(), await temporaryFolder()]
    await writeFile(join(kept, 'other.img'), imageOver(join(aimed, 'x.img')))
    const next = definitionOf(PLAIN, OTHER_VM, 'other')
      .replace('/nowhere/a.qcow2', join(kept, 'other.img'))
      .replace("type='qcow2'", `type='${format}'`)
    const said = await placeOf({ manifest: from(join(aimed, 'mine.img')), vms: { [OTHER_VM]: { next } } })
    expect(said).toContain(`no images are kept in ${aimed} on this host`)
    const cd = definitionOf({
      what: '',
      devices: `<disk type='file' device='cdrom'><source file='${join(aimed, 'y.iso')}'/><target dev='sdz'/></disk>`
    })
    await writeFile(join(aimed, 'y.iso'), '')
    expect(emptied(await look({ next: cd, vms: { [OTHER_VM]: { next } } }))).toBe(true)
  })

  describe('that stays attached beside it', () => {
    const third = '11111111-2222-4333-8444-555555555555'
    /** A folder of images, with one in it that another VM has in its drive. */
    async function lying(bytes: Uint8Array): Promise<{ path: string; vms: Record<string, PaperVm> }> {
      const dir = await temporaryFolder()
      await writeFile(join(dir, 'third.img'), '')
      await writeFile(join(dir, 'x'), bytes)
      const medium = `<disk type='file' device='cdrom'><source file='${join(dir, 'x')}'/><target dev='sda'/></disk>`
      const other = { what: '', devices: medium }
      const next = definitionOf(other, third, 'third').replace('/nowhere/a.qcow2', join(dir, 'third.img'))
      return { path: join(dir, 'x'), vms: { [third]: { next } } }
    }
    const drive = (path: string, format: string): string =>
      definitionOf({
        what: '',
        devices: `<disk type='file' device='cdrom'><driver name='qemu' ${format === '' ? '' : `type='${format}'`}/><source file='${path}'/><target dev='sdz'/></disk>`
      })

    it.each([
      ['raw', imageOver('/etc/shadow'), false],
      ['', imageOver('/etc/shadow'), false],
      ['qcow2', imageOver('/etc/shadow'), true],
      ['qcow2', imageWithDataFile(), true],
      ['qcow2', emptyImage(), false],
      ['qcow2', Buffer.from('QFI\xfb', 'latin1'), true],
      ['qed', new Uint8Array(512), true],
      ['vmdk', new TextEncoder().encode('# Disk DescriptorFile'), true]
    ])('is read as %s only where its header names no other file (%#)', async (format, bytes, isStopped) => {
      const { path, vms } = await lying(bytes)
      const items = await look({ next: drive(path, format), vms })
      expect(emptied(items)).toBe(isStopped)
      const asked = items.flatMap(({ state, allow }) => (allow === undefined ? [] : [`${state} ${allow}`]))
      expect(asked).toEqual(isStopped ? [`warning read=${format}:${path}`] : [])
    })

    it('is not read as qcow2 because the VM has it as raw already: the guest writes its first bytes', async () => {
      const { path } = await lying(imageOver('/etc/shadow'))
      const own = { [VM]: { next: drive(path, 'raw').replace('cdrom', 'disk') } }
      const items = await look({ next: drive(path, 'qcow2').replace('cdrom', 'disk'), vms: own })
      expect(refusedIn(items)).toEqual([`write=qcow2:${path}`])
    })

    it('is no second look at the disk of the point itself', async () => {
      const path = '/var/lib/libvirt/images/a.qcow2'
      expect(emptied(await look({ next: drive(path, 'qcow2') }))).toBe(true)
    })
  })

  it('that is no medium of its own is not read out of the images of other VMs', async () => {
    const dir = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-images-')))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    const path = join(dir, 'other.qcow2')
    await writeFile(path, '')
    const next = definitionOf(PLAIN, OTHER_VM, 'other').replace('/nowhere/a.qcow2', path)
    const cd = definitionOf({
      what: '',
      devices: `<disk type='file' device='cdrom'><source file='${path}'/><target dev='sdz'/></disk>`
    })
    expect(emptied(await look({ next: cd, vms: { [OTHER_VM]: { next } } }))).toBe(true)
    const asMedium = { [OTHER_VM]: { next: next.replace("device='disk'", "device='cdrom'") } }
    // Somebody else's image makes the folder one of images; the medium is then one that VMs share.
    const third = '11111111-2222-4333-8444-555555555555'
    await writeFile(join(dir, 'third.qcow2'), '')
    const more = {
      [third]: { next: definitionOf(PLAIN, third, 'third').replace('/nowhere/a.qcow2', join(dir, 'third.qcow2')) }
    }
    expect(emptied(await look({ next: cd, vms: { ...asMedium, ...more } }))).toBe(false)
  })

  describe('that the operator says stays attached', () => {
    const vdb = (source: string, more = '', type = 'file', format = 'raw'): string =>
      `<disk type='${type}' device='disk'><driver name='qemu' type='${format}'/><source ${source}>${more}</source><target dev='vdb' bus='virtio'/></disk>`
    const attach = async (devices: string): Promise<string[]> =>
      refusedIn(await look({ next: definitionOf({ what: '', devices }), spec: { attachDisks: ['vdb'] } }))

    it('is the one that was shown, in its own place', async () => {
      expect(await attach(vdb("file='/etc/hostname'"))).toEqual([])
      expect(
        await attach(`${vdb("file='/etc/hostname'")}<serial type='file'><source path='/etc/hostname'/></serial>`)
      ).toEqual(['write=/etc/hostname'])
    })

    it.each([
      [
        'another attribute counts',
        vdb("file='/etc/hostname' dev='/dev/null'", '', 'block'),
        ['write=/dev/null', 'source-file=/etc/hostname']
      ],
      [
        'it brings a data file',
        vdb(
          "file='/etc/hostname'",
          "<dataStore type='file'><format type='raw'/><source file='/etc/shadow'/></dataStore>"
        ),
        ['write=/etc/shadow']
      ],
      [
        'it lists what is below it',
        vdb("file='/etc/hostname'").replace(
          '<target',
          "<backingStore type='file'><format type='raw'/><source file='/etc/shadow'/></backingStore><target"
        ),
        ['read=/etc/shadow']
      ],
      ['nobody knows its format', vdb("file='/etc/hostname'", '', 'file', 'vmdk'), ['write=vmdk:/etc/hostname']]
    ])('is not what comes with it, where %s', async (_why, devices, items) => {
      expect(await attach(devices)).toEqual(items)
    })

    it('is neither of two of one name', async () => {
      expect(await attach(vdb("file='/etc/hostname'") + vdb("file='/etc/passwd'"))).toEqual([
        'write=/etc/hostname',
        'write=/etc/passwd'
      ])
    })

    it('is not an image whose header names another file', async () => {
      const path = join(await temporaryFolder(), 'x')
      await writeFile(path, emptyImage())
      expect(await attach(vdb(`file='${path}'`, '', 'file', 'qcow2'))).toEqual([])
      await writeFile(path, imageOver('/etc/shadow'))
      expect(await attach(vdb(`file='${path}'`, '', 'file', 'qcow2'))).toEqual([`write=qcow2:${path}`])
    })
  })

  it('of firmware variables goes to a plain name in their own folder only', () => {
    for (const originalPath of [
      '/var/lib/libvirt/qemu/nvram/../../../../../root/.ssh/authorized_keys2',
      '/var/lib/libvirt/qemu/nvram/sub/x.fd',
      '/etc/shadow'
    ]) {
      const manifest = manifestOf(FILES, { nvram: { file: 'nvram.fd', originalPath } })
      expect(planNvram(manifest, POINT, [])?.path).toBe(`/var/lib/libvirt/qemu/nvram/${VM}-${POINT}.fd`)
    }
  })
})

describe('a network of a point', () => {
  const card = { what: '', devices: "<interface type='network'><source network='lan7'/></interface>" }
  const networks = (xml: string): string => JSON.stringify({ networks: [{ name: 'lan7', xml }] })
  const lan7 = (more: string, root = ''): string => networks(`<network ${root}><name>lan7</name>${more}</network>`)
  const DNSMASQ = "xmlns:d='http://libvirt.org/schemas/network/dnsmasq/1.0'"

  it.each([
    [
      'options of dnsmasq',
      lan7("<d:options><d:option value='conf-script=/tmp/x'/></d:options>", DNSMASQ),
      'foreign-options=#'
    ],
    ['files by TFTP', lan7("<ip address='10.0.0.1'><tftp root='/etc'/></ip>"), 'see=tftp:/etc'],
    ['devices of the host', lan7("<forward mode='hostdev'><pf dev='eth0'/></forward>"), 'device=net:eth0'],
    ['what nobody knows', lan7('<teleport/>'), 'teleport='],
    [
      'all of a device of the host',
      lan7("<forward mode='passthrough'><interface dev='lo'/></forward>"),
      'card=direct:passthrough:lo'
    ],
    [
      'a route of the host',
      lan7("<ip address='10.0.0.1' prefix='24'/><route address='198.51.100.0' prefix='24' gateway='10.0.0.2'/>"),
      'privilege=host-route-198.51.100.0/24-by-10.0.0.2'
    ],
    [
      'a route of the host, in IPv6',
      lan7("<route family='ipv6' address='2000::' prefix='3' gateway='fd00::2'/>"),
      'privilege=host-route-2000::/3-by-fd00::2'
    ],
    [
      'half of the internet as its subnet',
      lan7("<ip address='8.8.8.8' prefix='1'/>"),
      'privilege=host-address-8.8.8.8/1'
    ],
    [
      'a subnet that only begins among the private ones',
      lan7("<ip address='10.0.0.1' netmask='254.0.0.0'/>"),
      'privilege=host-address-10.0.0.1/254.0.0.0'
    ],
    [
      'where clouds tell hosts of themselves',
      lan7("<ip address='169.254.169.1' prefix='24'/>"),
      'privilege=host-address-169.254.169.1/24'
    ],
    [
      'addresses of a private network that spans sites',
      lan7("<ip address='100.100.100.1' prefix='24'/>"),
      'privilege=host-address-100.100.100.1/24'
    ],
    [
      'a subnet of its class, which reaches beyond the private ones',
      lan7("<ip address='172.16.0.1' prefix='0' netmask='255.240.0.0'/><ip address='11.0.0.1'/>"),
      'privilege=host-address-11.0.0.1'
    ],
    ['the bridge of another program', lan7("<bridge name='docker0'/>"), 'privilege=a-new-bridge-docker0'],
    [
      'trust in what guests say',
      lan7("<portgroup name='a' trustGuestRxFilters='yes'/>"),
      'privilege=trust-in-the-MAC-addresses'
    ],
    ['trust of the firewall', lan7("<bridge zone='trusted'/>"), 'privilege=firewall-zone-trusted'],
    [
      'names that the host asks it for',
      lan7("<domain name='example.org' register='yes'/>"),
      'privilege=name-resolution-of-example.org'
    ],
    ['a bridge that is a path', lan7("<bridge name='../x'/>"), 'bridge-name=../x'],
    ['the settings of all devices as a bridge', lan7("<bridge name='all'/>"), 'bridge-name=all'],
    ['an attribute that nobody knows', lan7("<dns shout='yes'/>"), 'dns-shout=yes'],
    ['an element that nobody knows in one that is known', lan7('<ip><teleport/></ip>'), 'teleport='],
    ['text where there is none', lan7('<dns>conf-script</dns>'), 'dns=conf-script']
  ])('with %s is asked about', async (_what, host, item) => {
    const items = await look({ next: definitionOf(card), host })
    expect(refusedIn(items).join()).toContain(item)
    expect(refusedIn(await look({ next: definitionOf(card), host, allow: refusedIn(items) }))).toEqual([])
  })

  it.each([
    ['a line of dnsmasq in a text record', "<dns><txt name='a' value='b&#10;conf-script=touch /root/x'/></dns>"],
    ['one in a domain', "<domain name='a&#xA;conf-script=/tmp/x'/>"],
    ['one in the file to boot', "<ip address='10.0.0.1'><dhcp><bootp file='a&#13;b'/></dhcp></ip>"],
    ['one in the name of a host', '<dns><host ip="10.0.0.2"><hostname>a&#10;b</hostname></host></dns>'],
    ['one in a CDATA section', '<dns><host ip="10.0.0.2"><hostname><![CDATA[a\nb]]></hostname></host></dns>'],
    ['one in the zone of a bridge', "<bridge zone='a&#10;b'/>"],
    ['one in a lease', "<ip address='10.0.0.1'><dhcp><host ip='10.0.0.2' name='a&#x9b;b'/></dhcp></ip>"],
    [
      'one in a port group',
      "<portgroup name='a'><virtualport><parameters profileid='a&#10;b'/></virtualport></portgroup>"
    ]
  ])('with %s is refused, whatever is allowed', async (_what, xml) => {
    const items = await look({ next: definitionOf(card), host: lan7(xml) })
    const again = await look({ next: definitionOf(card), host: lan7(xml), allow: refusedIn(items) })
    expect(again).toContainEqual(
      expect.objectContaining({
        check: 'networks',
        state: 'problem',
        text: expect.stringMatching(/^the definition of network lan7 in the point has line ends/) as string
      })
    )
  })

  it.each([
    ['a zone', "<bridge name='virbr7' xml:zone='trusted'/>"],
    ['a mode', "<forward xml:mode='passthrough' mode='nat'><interface dev='lo'/></forward>"],
    ['a folder', "<ip address='10.77.0.1' prefix='24'><tftp xml:root='/etc'/></ip>"],
    ['an address', "<ip xml:address='8.8.8.8' address='10.77.0.1' prefix='24'/>"],
    ['the names of the host', "<domain xml:register='yes' name='example.org'/>"],
    ['another prefix', "<domain xmlns:x='urn:x' x:register='yes' name='example.org'/>"],
    ['a prefixed element', "<ip address='10.77.0.1' prefix='24'><x:tftp xmlns:x='urn:x' root='/etc'/></ip>"],
    ['an element of a namespace', "<ip address='10.77.0.1' prefix='24'><tftp xmlns='urn:x' root='/etc'/></ip>"]
  ])('with %s by a name that libvirt reads as its own is refused, whatever is allowed', async (_what, xml) => {
    const items = await look({ next: definitionOf(card), host: lan7(xml) })
    const again = await look({ next: definitionOf(card), host: lan7(xml), allow: refusedIn(items) })
    expect(again).toContainEqual(
      expect.objectContaining({
        check: 'networks',
        state: 'problem',
        text: expect.stringMatching(/^the definition of network lan7 in the point has .* prefix/) as string
      })
    )
  })

  it('as people have them is not asked about', async () => {
    const items = await look({
      next: definitionOf(card),
      host: lan7(
        `<uuid>1f0e3dad-9990-4345-b743-6c2a1d5f0e11</uuid><title>Lab / 7</title><description>of
        two lines</description><metadata><x:y xmlns:x='urn:x'/></metadata><forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward>
        <bridge name='virbr7' stp='on' delay='0' zone='libvirt'/><mac address='52:54:00:0a:cd:21'/><mtu size='9000'/>
        <domain name='lab.example.org' localOnly='yes'/>
        <dns enable='yes'><forwarder addr='192.0.2.53'/><txt name='a' value='v=1; b'/><host ip='10.77.0.9'><hostname>db</hostname></host></dns>
        <bandwidth><inbound average='1000' peak='5000'/></bandwidth><portgroup name='a' default='yes'><vlan><tag id='42'/></vlan></portgroup>
        <ip address='10.77.0.1' netmask='255.255.255.0'><dhcp><range start='10.77.0.2' end='10.77.0.99'><lease expiry='1' unit='hours'/></range>
        <host mac='52:54:00:00:00:01' name='db' ip='10.77.0.9'/></dhcp></ip><ip family='ipv6' address='fd00:77::1' prefix='64'/>`,
        "connections='1'"
      )
    })
    expect(items.filter(({ state }) => state === 'problem')).toEqual([])
  })

  it('that is called otherwise inside is refused, whatever is allowed', async () => {
    const items = await look({ next: definitionOf(card), host: networks('<network><name>default</name></network>') })
    expect(items).toContainEqual(expect.objectContaining({ check: 'networks', state: 'problem' }))
  })

  it('is made with a word on what it does', async () => {
    const items = await look({
      next: definitionOf(card),
      host: lan7(
        "<forward mode='nat'/><bridge name='virbr7'/><ip address='192.168.77.1'><dhcp><range start='192.168.77.2' end='192.168.77.9'/></dhcp></ip>"
      )
    })
    expect(items.filter(({ check }) => check === 'networks')).toEqual([
      {
        check: 'networks',
        state: 'warning',
        text: "Network lan7 will be made as it was on the point's host: bridge virbr7, addresses of 192.168.77.1/24"
      }
    ])
    expect(refusedIn(items)).toEqual([])
  })
})

describe('an order', () => {
  it.each(['../../etc/x', '..', 'a/b', 'a&#10;b'])('for a VM called %s is refused: no VM is', async (name) => {
    const vm = { uuid: VM, name: name.replace('&#10;', '\n') }
    const tried = look({ next: definitionOf(PLAIN, VM, name), manifest: { vm } })
    await expect(tried).rejects.toThrow(/point-unsafe|point-format/)
  })

  it('for another VM than the point is of is refused', async () => {
    await expect(look({ spec: { vm: OTHER_VM } })).rejects.toThrow(/point-unsafe/)
  })
})
