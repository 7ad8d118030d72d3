import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, describe, onTestFinished } from 'vitest'
import { imageUsers } from '../../src/engine/evidence/image-users.ts'
import { ImageFolders } from '../../src/engine/restore/image-folders.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { OTHER_VM, POINT, VM } from './store-points.ts'

const definition = (uuid: string, disks: string): string =>
  `<domain type='kvm'><name>${uuid}</name><uuid>${uuid}</uuid><memory>1024</memory><devices>${disks}</devices></domain>`
const disk = (path: string, target: string, device = 'disk'): string =>
  `<disk type='file' device='${device}'><source file='${path}'/><target dev='${target}'/></disk>`

async function pool(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-pool-')))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function file(path: string, bytes: Uint8Array | string = 'an image'): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
  return path
}

const disc = (mark: string): Uint8Array => Buffer.concat([Buffer.alloc(32_769), Buffer.from(mark)])

/** Of a host with one pool, and VMs with these disks. */
function foldersOf(dir: string, disksByVm: Readonly<Record<string, string>> = {}): ImageFolders {
  const vms = Object.entries(disksByVm).map(([uuid, disks]) => [uuid, { next: definition(uuid, disks) }] as const)
  const paper = paperLibvirt(Object.fromEntries(vms))
  const shell = fakeShell(async ({ argv }) => {
    if (argv[1] === 'pool-list') return 'p\n'
    if (argv[1] === 'pool-dumpxml') return `<pool type='dir'><target><path>${dir}</path></target></pool>`
    const { exitCode, stdout, stderr } = await paper.shell.run(argv)
    return { stdout, stderr, ...(exitCode !== undefined && { exitCode }) }
  })
  return new ImageFolders(shell, () => imageUsers(shell))
}

describe('a file in an image folder', () => {
  it.each(['CD001', 'BEA01', 'NSR03'])(
    'that nobody has may be read as a disc (%s), and never be written to',
    async (mark) => {
      const dir = await pool()
      const path = await file(join(dir, 'a.iso'), disc(mark))
      expect(await foldersOf(dir).offers(path, 'read')).toBe(true)
      expect(await foldersOf(dir).offers(path, 'write')).toBe(false)
    }
  )

  it.each(['cidata', 'CONFIG-2', 'unattend'])(
    'that sets up one VM (%s) is no other VM’s to read, in a drive or not',
    async (label) => {
      const dir = await pool()
      const bytes = Buffer.alloc(40_000)
      bytes.write('CD001', 32_769)
      bytes.write(label.padEnd(32), 32_808)
      const [free, taken] = [await file(join(dir, 'free.iso'), bytes), await file(join(dir, 'taken.iso'), bytes)]
      const folders = foldersOf(dir, { [OTHER_VM]: disk(taken, 'sda', 'cdrom') })
      expect(await folders.offers(free, 'read')).toBe(false)
      expect(await folders.offers(taken, 'read')).toBe(false)
    }
  )

  it('that nobody has and that is no disc may be the disk of a VM that is not defined by now', async () => {
    const dir = await pool()
    const path = await file(join(dir, 'retired.qcow2'))
    for (const access of ['read', 'write'] as const) {
      expect(await foldersOf(dir).offers(path, access)).toBe(false)
      expect(await foldersOf(dir).offers(path, access, true)).toBe(true)
    }
  })

  it('that VMs have in their drives may be read; a disk of any may not, whatever a point knows of it', async () => {
    const dir = await pool()
    const [medium, image] = [await file(join(dir, 'm')), await file(join(dir, 'i'))]
    const folders = foldersOf(dir, { [VM]: disk(image, 'vda'), [OTHER_VM]: disk(medium, 'sda', 'cdrom') })
    expect(await folders.offers(medium, 'read')).toBe(true)
    expect(await folders.offers(medium, 'write', true)).toBe(false)
    expect(await folders.offers(image, 'read', true)).toBe(false)
    expect(await folders.offers(image, 'write', true)).toBe(false)
  })

  it.each([
    `store/${VM}/${POINT}/disks/vda.qcow2`,
    `store/.incoming/${POINT}/disks/vda.qcow2`,
    `a.qcow2.kept-${POINT}`,
    `a.qcow2.stillpoint-${POINT}`
  ])('is none that is somebody else’s to use: %s', async (name) => {
    const dir = await pool()
    const path = await file(join(dir, name), disc('CD001'))
    const folders = foldersOf(dir)
    expect(await folders.offers(path, 'read', true)).toBe(false)
    expect(await folders.offers(path, 'write', true)).toBe(false)
    // The folder of the pool itself is one all the same.
    expect(await folders.isOne(dir)).toBe(true)
    if (name.startsWith('store')) expect(await folders.isOne(dirname(path))).toBe(false)
  })
})

describe('a folder of images', () => {
  it.each([
    ['everybody may write to', 0o777],
    ['everybody may write to, each his own,', 0o1777]
  ])('that %s is none to put files in, and that is said', async (_what, mode) => {
    const dir = await pool()
    const path = await file(join(dir, 'a.iso'), disc('CD001'))
    const folders = foldersOf(dir)
    expect(await folders.whyNot(dir)).toBeUndefined()
    await chmod(dir, mode)
    expect(await folders.isOne(dir)).toBe(false)
    expect(await folders.whyNot(dir)).toBe(`everybody may write to ${dir}`)
    expect(await folders.offers(path, 'read')).toBe(false)
  })

  it('below one that everybody may write to is none either, unless each can rename his own only', async () => {
    const above = await pool()
    const dir = join(above, 'images')
    await mkdir(dir)
    await chmod(above, 0o777)
    expect(await foldersOf(dir).whyNot(dir)).toBe(`everybody may write to ${above}`)
    await chmod(above, 0o1777)
    expect(await foldersOf(dir).whyNot(dir)).toBeUndefined()
  })

  it('that holds no images is said to be so', async () => {
    expect(await foldersOf(await pool()).whyNot('/opt')).toBe('no images are kept in /opt on this host')
  })
})
