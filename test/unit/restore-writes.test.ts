import {
  chmod,
  link,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { accessOfFormer, giveAccess } from '../../src/engine/restore/image-access.ts'
import { Checklist } from '../../src/engine/restore/checklist.ts'
import { checkRoom } from '../../src/engine/restore/check-room.ts'
import type { PlanSource } from '../../src/engine/restore/plan-source.ts'
import { foldersOf, stageDisk, stageFile } from '../../src/engine/restore/restore.ts'
import type { DisplacedVm, RestoreDisk } from '../../src/engine/restore/restore-plan.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { FILES, manifestOf, VM } from './store-points.ts'

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'stillpoint-writes-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777
const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

describe('an image that is given to its owner', () => {
  it('is the file that was written', async () => {
    const path = join(await folder(), 'a')
    await writeFile(path, '')
    await giveAccess(path, { ...self, mode: 0o755 })
    expect(await modeOf(path)).toBe(0o644)
  })

  it.each(['a link', 'another name of a file', 'a folder'])('is not %s in its place', async (what) => {
    const dir = await folder()
    const [path, secret] = [join(dir, 'a'), join(dir, 'secret')]
    await writeFile(secret, '')
    await chmod(secret, 0o600)
    if (what === 'a link') await symlink(secret, path)
    else if (what === 'a folder') await symlink(dir, path)
    else await link(secret, path)
    await expect(giveAccess(path, { ...self, mode: 0o666 })).rejects.toThrow()
    expect(await modeOf(secret)).toBe(0o600)
  })

  it('does not get what a link in the place of the former one leads to', async () => {
    const dir = await folder()
    const [to, open] = [join(dir, 'a.kept'), join(dir, 'open')]
    await writeFile(open, '')
    await chmod(open, 0o666)
    await symlink(open, to)
    const displaced = [{ uuid: VM, renames: [{ target: 'vda', to }] }] as unknown as DisplacedVm[]
    expect(await accessOfFormer(displaced, VM, 'vda')).toBeUndefined()
    await rm(to)
    await rename(open, to)
    expect(await accessOfFormer(displaced, VM, 'vda')).toMatchObject({ mode: 0o666 })
  })
})

describe('a disk that is written', () => {
  const stage = async (meanwhile: (staged: string) => Promise<unknown>): Promise<string> => {
    const staged = join(await folder(), 'a.qcow2.staged')
    const shell = fakeShell(async ({ argv }) => {
      if (argv.includes('convert')) await meanwhile(staged)
      return ''
    })
    const disk: RestoreDisk = {
      target: 'vda',
      file: 'disks/vda.qcow2',
      virtualSizeBytes: 1,
      format: 'raw',
      path: staged,
      staged
    }
    const job = { shell, signal: new AbortController().signal, progress: () => undefined }
    await stageDisk(job, { pointDir: '/point', vmName: 'web' }, disk)
    return staged
  }

  it('is root’s alone', async () => {
    const staged = await stage((path) => writeFile(path, 'x'))
    expect(await readFile(staged, 'utf8')).toBe('x')
    expect(await modeOf(staged)).toBe(0o600)
  })

  it('is not used where another file has taken its place meanwhile', async () => {
    await expect(
      stage(async (path) => {
        await writeFile(`${path}.other`, '')
        await rename(`${path}.other`, path)
      })
    ).rejects.toThrow(/foreign-work/)
  })
})

describe('what is written beside the disks', () => {
  const medium = (dir: string) => ({ file: 'm', path: join(dir, 'm.iso'), staged: join(dir, 'at/m.staged') })

  it('is root’s alone, and says how far it is: a medium may be large', async () => {
    const dir = await folder()
    await writeFile(join(dir, 'm'), 'disc')
    const told: unknown[] = []
    const job = { signal: new AbortController().signal, progress: (...said: unknown[]) => void told.push(said) }
    await stageFile(job, { pointDir: dir }, { ...medium(dir), forWhat: 'the media' })
    expect(await readFile(join(dir, 'at/m.staged'), 'utf8')).toBe('disc')
    expect(await modeOf(join(dir, 'at/m.staged'))).toBe(0o600)
    expect(told).toEqual([[`writing ${join(dir, 'm.iso')}`, 4, 4]])
  })

  it('ends with a restore that is cancelled, and leaves nothing', async () => {
    const dir = await folder()
    await writeFile(join(dir, 'm'), '')
    await truncate(join(dir, 'm'), 64 * 1024 ** 2)
    const stop = new AbortController()
    const job = { signal: stop.signal, progress: () => stop.abort(new Error('cancelled')) }
    await expect(stageFile(job, { pointDir: dir }, { ...medium(dir), forWhat: 'the media' })).rejects.toThrow(
      /cancelled/
    )
    expect(await readdir(join(dir, 'at'))).toEqual([])
  })

  const MIB = 1024 ** 2
  const SMALL = { path: 'm', sizeBytes: 4 * MIB, sha256: '' }
  const LARGE = { ...SMALL, sizeBytes: 4 * MIB + 1 }

  it('is watched for room as the disks are, each file system by what goes there', async () => {
    const dir = await folder()
    const boot = [{ ...medium(dir), role: 'medium' as const, formerPath: '/a.iso' }]
    const disk = { target: 'vda', file: 'd', virtualSizeBytes: 1, format: 'raw', path: 'd', staged: join(dir, 'at/d') }
    expect(await foldersOf({ disks: [disk], boot }, { files: [LARGE] })).toEqual([
      { path: dir, name: join(dir, 'at'), forWhat: 'the disks and the media' }
    ])
  })

  it.each(['kernel', 'initrd', 'dtb', 'medium'] as const)('does not end a restore for a small %s', async (role) => {
    const boot = [{ ...medium(await folder()), role, formerPath: '/boot/a' }]
    expect(await foldersOf({ disks: [], boot }, { files: [SMALL] })).toEqual([])
    expect(await foldersOf({ disks: [], boot }, { files: [LARGE] })).toHaveLength(1)
  })

  it('is counted by the check and watched by the restore alike, whatever it is', async () => {
    const dir = await folder()
    const nvram = { ...medium(dir), file: 'nvram.fd' }
    const tpm = { files: ['tpm/tpm2/a'], path: join(dir, 'tpm'), staged: join(dir, 'tpm.staged') }
    const written = { disks: [], nvram, boot: [{ ...medium(dir), role: 'dtb' as const, formerPath: '/boot/a' }], tpm }
    for (const each of [SMALL, LARGE]) {
      const files = ['m', 'nvram.fd', 'tpm/tpm2/a'].map((path) => ({ ...each, path }))
      const point = { dir, isHere: false, manifest: { ...manifestOf(FILES), files } } as unknown as PlanSource
      const list = new Checklist()
      await checkRoom(fakeShell({}), point, written, list, undefined)
      const isCounted = list.items.some(({ text }) => text.includes('what the VM starts with'))
      expect(isCounted).toBe((await foldersOf(written, { files })).length > 0)
      expect(isCounted).toBe(each === LARGE)
    }
  })
})
