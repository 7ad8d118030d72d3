import { utimesSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import { takeHostFiles, type HostFiles } from '../../src/engine/capture/host-files.ts'
import { mediaOf } from '../../src/engine/capture/plan-backup.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { planBoot, planNvram } from '../../src/engine/restore/plan-firmware.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { FILES, POINT, VM, manifestOf, sha256 } from './store-points.ts'
import { paperPlan } from './paper-plan.ts'

let dir = ''
const warnings: string[] = []
beforeEach(async () => {
  warnings.length = 0
  dir = await realpath(await mkdtemp(join(tmpdir(), 'stillpoint-host-files-')))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await mkdir(join(dir, 'point'))
})

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text)
  return join(dir, name)
}

const withDrives = (...media: readonly string[]): string =>
  `<domain><name>web</name><uuid>${VM}</uuid><devices>${media
    .map((path) => `<disk type='file' device='cdrom'><source file='${path}'/><target dev='sda'/></disk>`)
    .join('')}</devices></domain>`

interface Meanwhile {
  /** What its drives have when the files are taken. */
  readonly now?: readonly string[]
  readonly memoryXml?: string
  readonly progress?: (name: string, done: number, total: number) => void
}

function take(plan: Partial<CapturePlan>, meanwhile: Meanwhile = {}): Promise<HostFiles> {
  const { progress = () => undefined, memoryXml } = meanwhile
  const now = meanwhile.now ?? (plan.boot ?? []).map(({ originalPath }) => originalPath)
  const job = {
    shell: paperLibvirt({ [VM]: { next: withDrives(), live: withDrives(...now) } }).shell,
    warn: (text: string) => warnings.push(text),
    note: () => undefined,
    progress
  } as unknown as JobContext
  return takeHostFiles(job, paperPlan(VM, '<domain/>', { pointDir: join(dir, 'point'), ...plan }), memoryXml)
}

const inPoint = (path: string): Promise<string> => readFile(join(dir, 'point', path), 'utf8')

describe('small files of the host that a VM starts with', () => {
  it('are media too, where they are wanted: each by itself, however large', async () => {
    const kernel = await write('vmlinuz', 'kernel')
    const iso = await write('a.iso', '')
    await truncate(iso, 60 * 1024 ** 2)
    const { files, boot } = await take({
      boot: [
        { role: 'kernel', originalPath: kernel },
        { role: 'medium', originalPath: join(dir, 'gone.iso') },
        { role: 'medium', originalPath: iso }
      ]
    })
    expect(boot).toEqual([
      { role: 'kernel', file: 'boot/kernel-0', originalPath: kernel },
      { role: 'medium', file: 'boot/medium-1', originalPath: iso }
    ])
    expect(files).toMatchObject([{ path: 'boot/kernel-0' }, { path: 'boot/medium-1', sizeBytes: 60 * 1024 ** 2 }])
    expect(warnings).toEqual([expect.stringContaining(`The medium ${join(dir, 'gone.iso')} is not in the point`)])
  })

  it('are in the point, from wherever they lie, behind links too, each with its hash', async () => {
    await symlink(await write('vars-1.fd', 'variables'), join(dir, 'vars.fd'))
    const kernel = await write('vmlinuz', 'kernel')
    const initrd = await write('initrd.img', 'initrd')
    const { files, ...named } = await take({
      nvram: join(dir, 'vars.fd'),
      boot: [
        { role: 'kernel', originalPath: kernel },
        { role: 'initrd', originalPath: initrd }
      ]
    })
    expect(named).toEqual({
      nvram: { file: 'nvram.fd', originalPath: join(dir, 'vars.fd') },
      boot: [
        { role: 'kernel', file: 'boot/kernel-0', originalPath: kernel },
        { role: 'initrd', file: 'boot/initrd-1', originalPath: initrd }
      ]
    })
    expect(files.map(({ path }) => path)).toEqual(['nvram.fd', 'boot/kernel-0', 'boot/initrd-1'])
    expect(files[1]).toMatchObject({ sizeBytes: 6, sha256: sha256(Buffer.from('kernel')) })
    expect([await inPoint('nvram.fd'), await inPoint('boot/initrd-1')]).toEqual(['variables', 'initrd'])
    expect(warnings).toEqual([])
  })

  it('come with the TPM state as libvirt would have it, where the definition has a folder of its own for it', async () => {
    await mkdir(join(dir, 'tpm'))
    await write('tpm/tpm2-00.permall', 'state')
    await write('tpm/.lock', '')
    const { files, tpm } = await take({ tpmDir: join(dir, 'tpm'), tpmInto: 'tpm2' })
    expect(files.map(({ path }) => path)).toEqual(['tpm/tpm2/tpm2-00.permall'])
    expect(tpm).toEqual({ files: ['tpm/tpm2/tpm2-00.permall'] })
    expect(warnings).toEqual([])
  })

  it('are left out, with a word, where a point with them could not be kept everywhere', async () => {
    await mkdir(join(dir, 'tpm'))
    for (const name of ['nul', 'state', 'STATE']) await write(`tpm/${name}`, name)
    const { files } = await take({ tpmDir: join(dir, 'tpm') })
    expect(files.map(({ path }) => path.toLowerCase())).toEqual(['tpm/state'])
    expect(warnings).toHaveLength(2)
    expect(warnings.join('\n')).toContain('differ in capitals alone')
    expect(warnings.join('\n')).toContain('nul means something else there')
  })

  it('are warned of where they cannot be read', async () => {
    const kernel = await write('vmlinuz', 'kernel')
    const found = await take({
      nvram: join(dir, 'gone.fd'),
      boot: [
        { role: 'kernel', originalPath: kernel },
        { role: 'initrd', originalPath: join(dir, 'gone') }
      ]
    })
    expect(found).toEqual({ files: [] })
    expect(warnings).toEqual([
      expect.stringMatching(/NVRAM.*gone\.fd/) as string,
      expect.stringMatching(/^What the VM is started with is not in the point.*gone/) as string
    ])
  })

  it('are left where they are if they are no small ones, all of them: a kernel alone starts nothing', async () => {
    const kernel = await write('vmlinuz', 'kernel')
    const large = await write('initrd.img', '')
    await truncate(large, 128 * 1024 ** 2)
    const boot = [
      { role: 'kernel' as const, originalPath: kernel },
      { role: 'initrd' as const, originalPath: large }
    ]
    expect(await take({ boot })).toEqual({ files: [] })
    expect(warnings).toEqual([
      expect.stringMatching(/has 128 MiB and is not in the point: it starts only on a host that has \//) as string
    ])
  })
})

describe('a medium that a point takes', () => {
  const medium = (originalPath: string) => ({ role: 'medium' as const, originalPath })

  it('is a plain image: no restore gives a drive what lies in another format, or below it', async () => {
    const [raw, other] = [await write('a.iso', ''), await write('a.qcow2', '')]
    const drive = (target: string, path: string, format = ''): string =>
      `<disk type='file' device='cdrom'>${format}<source file='${path}'/><target dev='${target}'/></disk>`
    const drives = drive('sda', raw) + drive('sdb', other, "<driver name='qemu' type='qcow2'/>")
    const domain = parseDomain(withDrives().replace('</devices>', `${drives}</devices>`))
    expect(await mediaOf({ warn: (text) => warnings.push(text) }, domain)).toEqual([medium(raw)])
    expect(warnings).toEqual([
      expect.stringContaining(`The medium in sdb (${other}) is not in the point: its format is qcow2`)
    ])
  })

  it('is copied again where its guest wrote to it meanwhile', async () => {
    const floppy = await write('a.img', 'old')
    await utimes(floppy, 1, 1)
    let writes = 0
    const progress = (): void => {
      if (writes++ > 0) return
      writeFileSync(floppy, 'new')
      utimesSync(floppy, 2, 2)
    }
    const { files } = await take({ boot: [medium(floppy)] }, { progress })
    expect(await inPoint('boot/medium-0')).toBe('new')
    expect(files).toMatchObject([{ sha256: sha256(Buffer.from('new')) }])
    expect(warnings).toEqual([])
  })

  it.each([
    ['', 1, 21],
    [', and copied less often where it is large', 129 * 1024 ** 2, 3]
  ])('is warned of where its guest does not stop writing to it%s', async (_what, bytes, copies) => {
    const floppy = await write('a.img', '')
    await truncate(floppy, bytes)
    await utimes(floppy, 1, 1000)
    let writes = 0
    const progress = (_name: string, done: number, total: number): void => {
      if (done === total) utimesSync(floppy, 1, ++writes)
    }
    expect((await take({ boot: [medium(floppy)] }, { progress })).boot).toHaveLength(1)
    expect(writes).toBe(copies)
    expect(warnings).toEqual([expect.stringContaining(`The medium ${floppy} was written to while it was copied`)])
  })

  it('is the one that is in its drive then, and in that of the RAM where the point has some', async () => {
    const [before, after] = [await write('a.iso', ''), await write('b.iso', '')]
    const taken = async (meanwhile: Meanwhile): Promise<unknown> =>
      (await take({ boot: [medium(before)] }, meanwhile)).boot
    expect(await taken({ now: [after] })).toBeUndefined()
    expect(await taken({ now: [before], memoryXml: withDrives(after) })).toBeUndefined()
    expect(warnings).toEqual(
      Array(2).fill(`The medium ${before} is not in the point: it was taken out of its drive meanwhile`)
    )
    expect(await taken({ now: [after], memoryXml: withDrives(before) })).toHaveLength(1)
  })
})

describe('at a restore', () => {
  it('a kernel that is here is left alone, and one that is not comes from the point', async () => {
    const here = await write('vmlinuz', 'another')
    const boot = [
      { role: 'kernel' as const, file: 'boot/kernel-0', originalPath: here },
      { role: 'initrd' as const, file: 'boot/initrd-1', originalPath: join(dir, 'gone') }
    ]
    const path = `/var/lib/libvirt/images/${VM}-${POINT}-initrd-1`
    expect(planBoot(manifestOf(FILES, { boot }), VM, 'job')).toEqual([
      { role: 'initrd', file: 'boot/initrd-1', formerPath: join(dir, 'gone'), path, staged: `${path}.stillpoint-job` }
    ])
  })

  it('firmware variables go back to a place of their own only where the VM that makes way has them there', () => {
    const nvram = { file: 'nvram.fd', originalPath: '/srv/vm/vars.fd' }
    const manifest = manifestOf(FILES, { nvram })
    expect(planNvram(manifest, 'job', ['/srv/vm/vars.fd'])?.path).toBe('/srv/vm/vars.fd')
    expect(planNvram(manifest, 'job', [])?.path).toBe(`/var/lib/libvirt/qemu/nvram/${VM}-${POINT}.fd`)
  })
})
