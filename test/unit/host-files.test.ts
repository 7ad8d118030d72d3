import { appendFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import { copyAtRest, lookAtFile, type CopiedAtRest, type RestOptions } from '../../src/engine/capture/copy-at-rest.ts'
import { takeHostFiles, type HostFiles } from '../../src/engine/capture/host-files.ts'
import { lookAtMedia, mediaOf, type MediaSeen } from '../../src/engine/capture/media.ts'
import { hostFilesOf } from '../../src/engine/capture/plan-backup.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { planBoot, planNvram } from '../../src/engine/restore/plan-firmware.ts'
import { parseDomain } from '../../src/libvirt/domain-xml.ts'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { localShell } from '../../src/shell/local.ts'
import { paperLibvirt } from './paper-libvirt.ts'
import { FILES, POINT, VM, manifestOf, sha256 } from './store-points.ts'
import { paperPlan } from './paper-plan.ts'

let dir = ''
const warnings: string[] = []
const warn = (text: string): number => warnings.push(text)
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

const withDrives = (media: readonly string[], drive = 'cdrom'): string =>
  `<domain><name>web</name><uuid>${VM}</uuid><devices>${media
    .map((path) => `<disk type='file' device='${drive}'><source file='${path}'/><target dev='sda'/></disk>`)
    .join('')}</devices></domain>`

interface Meanwhile {
  /** What its drives have when the files are taken. */
  readonly now?: readonly string[]
  readonly drive?: string
  readonly memoryXml?: string
  /** How media stood behind the instant, where they could be looked at. */
  readonly seen?: MediaSeen
  readonly progress?: (name: string, done: number, total: number) => void
  readonly signal?: AbortSignal
  /** Programs that look at files and read them; else those of this machine. */
  readonly programs?: Shell
}

/** Where servers are away. */
const timedOut = fakeShell(() => ({ failure: { kind: 'timeout', what: 'it', afterMs: 20_000 } }))

const isReader = (program: string): boolean => ['stat', 'dd', 'find'].includes(program)

function take(plan: Partial<CapturePlan>, meanwhile: Meanwhile = {}): Promise<HostFiles> {
  const { progress = () => undefined, memoryXml, seen = new Map(), programs = localShell() } = meanwhile
  const now = meanwhile.now ?? (plan.media ?? []).map(({ originalPath }) => originalPath)
  const live = withDrives(now, meanwhile.drive)
  const libvirt = paperLibvirt({ [VM]: { next: withDrives([]), live } }).shell
  const shell: Shell = {
    label: 'paper',
    run: (argv, options) => (isReader(argv[0]) ? programs : libvirt).run(argv, options)
  }
  const job = {
    shell,
    spec: { store: dir },
    signal: meanwhile.signal ?? new AbortController().signal,
    warn,
    note: () => undefined,
    progress
  } as unknown as JobContext<BackupSpec>
  const whole = paperPlan(VM, '<domain/>', { pointDir: join(dir, 'point'), ...plan })
  return takeHostFiles(job, whole, { media: seen, memoryXml })
}

type Planned = CapturePlan['media'][number]
const planned = async (originalPath: string): Promise<Planned> => ({
  originalPath,
  stamp: (await lookAtFile(localShell(), originalPath)).stamp
})

const inPoint = (path: string): Promise<string> => readFile(join(dir, 'point', path), 'utf8')

describe('small files of the host that a VM starts with', () => {
  it('are media too, where they are wanted: each by itself, however large', async () => {
    const kernel = await write('vmlinuz', 'kernel')
    const [gone, iso] = [await write('gone.iso', ''), await write('a.iso', '')]
    await truncate(iso, 60 * 1024 ** 2)
    const media = [await planned(gone), await planned(iso)]
    await rm(gone)
    const { files, boot } = await take({ boot: [{ role: 'kernel', originalPath: kernel }], media })
    expect(boot).toEqual([
      { role: 'kernel', file: 'boot/kernel-0', originalPath: kernel },
      { role: 'medium', file: 'boot/medium-1', originalPath: iso }
    ])
    expect(files).toMatchObject([{ path: 'boot/kernel-0' }, { path: 'boot/medium-1', sizeBytes: 60 * 1024 ** 2 }])
    expect(warnings).toEqual([expect.stringMatching(/^The medium .*gone\.iso is not in the point: .*No such file/)])
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

  it('have the state of an emulated TPM where there is a folder of it, or nobody says that there is none', async () => {
    const signal = new AbortController().signal
    const dirOf = async (path: string, shell = localShell()): Promise<unknown> => {
      const tpm = `<devices><tpm><backend type='emulator'><source type='dir' path='${path}'/></backend></tpm></devices>`
      const domain = parseDomain(withDrives([]).replace('<devices></devices>', tpm))
      return (await hostFilesOf({ shell, signal }, domain)).tpmDir
    }
    expect(await dirOf(dir)).toBe(dir)
    expect(await dirOf(join(dir, 'gone'))).toBeUndefined()
    expect(await dirOf('/nas/tpm', timedOut)).toBe('/nas/tpm')
  })

  it('are warned of, and no more, where their server does not answer', async () => {
    const boot = [{ role: 'kernel' as const, originalPath: '/nas/vmlinuz' }]
    const found = await take({ nvram: '/nas/vars.fd', tpmDir: '/nas/tpm', boot }, { programs: timedOut })
    expect(found).toEqual({ files: [], tpm: { files: [] } })
    expect(warnings).toEqual([
      expect.stringMatching(/NVRAM.*is its server away/) as string,
      expect.stringMatching(/TPM.*is its server away/) as string,
      expect.stringMatching(/started with.*is its server away/) as string
    ])
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
  it('is a plain image: no restore gives a drive what lies in another format, or below it', async () => {
    const [raw, other] = [await write('a.iso', ''), await write('a.qcow2', '')]
    const drive = (target: string, path: string, format = ''): string =>
      `<disk type='file' device='cdrom'>${format}<source file='${path}'/><target dev='${target}'/></disk>`
    const drives = [
      drive('sda', raw),
      drive('sdb', other, "<driver name='qemu' type='qcow2'/>"),
      drive('sdc', join(dir, 'gone.iso')),
      drive('sdd', dir)
    ].join('')
    const domain = parseDomain(withDrives([]).replace('</devices>', `${drives}</devices>`))
    const job = { shell: localShell(), signal: new AbortController().signal, warn }
    expect(await mediaOf(job, domain)).toEqual([await planned(raw)])
    expect(warnings).toEqual([
      expect.stringContaining(`The medium in sdb (${other}) is not in the point: its format is qcow2`),
      `The medium in sdc (${dir}/gone.iso) is not in the point: it is no file of this host`,
      `The medium in sdd (${dir}) is not in the point: it is no file of this host`
    ])
  })

  it('is copied again where its guest wrote to it meanwhile', async () => {
    const floppy = await write('a.img', 'old')
    await utimes(floppy, 1, 1)
    const media = [await planned(floppy)]
    let writes = 0
    const progress = (): void => {
      if (writes++ > 0) return
      writeFileSync(floppy, 'new')
      utimesSync(floppy, 2, 2)
    }
    const { files } = await take({ media }, { progress, drive: 'floppy' })
    expect(await inPoint('boot/medium-0')).toBe('new')
    expect(files).toMatchObject([{ sha256: sha256(Buffer.from('new')) }])
    expect(warnings).toEqual([expect.stringMatching(NEWER)])
  })

  const NEWER = /was written to after the instant of the point.*newer than the disks/

  it.each([
    ['', 1, 21],
    [', and copied less often where it is large', 129 * 1024 ** 2, 3]
  ])('is warned of where its guest does not stop writing to it%s', async (_what, bytes, copies) => {
    const floppy = await write('a.img', '')
    await truncate(floppy, bytes)
    await utimes(floppy, 1, 1000)
    const media = [await planned(floppy)]
    let writes = 0
    const progress = (_name: string, done: number, total: number): void => {
      if (done === total) utimesSync(floppy, 1, ++writes)
    }
    expect((await take({ media }, { progress, drive: 'floppy' })).boot).toHaveLength(1)
    expect(writes).toBe(copies)
    expect(warnings).toEqual([expect.stringContaining(`The medium ${floppy} was written to while it was copied`)])
  })

  it('is the one that is in its drive then, and in that of the RAM where the point has some', async () => {
    const [before, after] = [await write('a.iso', ''), await write('b.iso', '')]
    const media = [await planned(before)]
    const taken = async (meanwhile: Meanwhile): Promise<unknown> => (await take({ media }, meanwhile)).boot
    expect(await taken({ now: [after] })).toBeUndefined()
    expect(await taken({ now: [before], memoryXml: withDrives([after]) })).toBeUndefined()
    expect(warnings).toEqual(
      Array(2).fill(`The medium ${before} is not in the point: it was taken out of its drive meanwhile`)
    )
    expect(await taken({ now: [after], memoryXml: withDrives([before]) })).toHaveLength(1)
  })

  describe('as it was at the instant of the point', () => {
    const rebuilt: [what: string, how: (path: string) => void][] = [
      ['rebuilt in place', (path) => writeFileSync(path, 'disc 2')],
      ['longer by now', (path) => appendFileSync(path, '!')],
      ['written to, with as many bytes', (path) => utimesSync(path, 5, 5)],
      ['another file, moved into its place', (path) => moveInto(path, 'disc 2', 2)]
    ]

    function moveInto(path: string, text: string, writtenAt = 1): void {
      writeFileSync(`${path}.new`, text)
      utimesSync(`${path}.new`, writtenAt, writtenAt)
      renameSync(`${path}.new`, path)
    }

    async function disc(): Promise<Planned> {
      const path = await write('a.iso', 'disc 1')
      await utimes(path, 1, 1)
      return planned(path)
    }

    it.each(rebuilt)('is left out where the disc is %s, before it is copied and while it is', async (_what, change) => {
      const changed = async (meanwhile: Meanwhile, medium: Planned): Promise<void> => {
        expect(await take({ media: [medium] }, meanwhile)).toEqual({ files: [] })
        expect(await readdir(join(dir, 'point/boot'))).toEqual([])
        expect(warnings.splice(0)).toEqual([
          `The medium ${medium.originalPath} is not in the point: it was written to, or another took its place, after the backup had begun`
        ])
      }
      const before = await disc()
      change(before.originalPath)
      await changed({}, before)
      const meanwhile = await disc()
      let isFirst = true
      const progress = (): void => {
        if (isFirst) change(meanwhile.originalPath)
        isFirst = false
      }
      await changed({ progress }, meanwhile)
    })

    it('is that of a disc whose file system numbers a file anew that nobody has had open for a while', async () => {
      const medium = await disc()
      moveInto(medium.originalPath, 'disc 1')
      expect(await take({ media: [medium] })).toMatchObject({ files: [{ sizeBytes: 6 }] })
      expect(warnings).toEqual([])
    })

    it('is taken from a floppy that its guest wrote to before that, and newer where it did so later, which is said', async () => {
      const medium = await disc()
      utimesSync(medium.originalPath, 2, 2)
      const seen = new Map([[medium.originalPath, (await planned(medium.originalPath)).stamp]])
      const drive = 'floppy'
      expect((await take({ media: [medium] }, { drive, seen })).boot).toHaveLength(1)
      expect(warnings).toEqual([])
      utimesSync(medium.originalPath, 3, 3)
      expect((await take({ media: [medium] }, { drive, seen })).boot).toHaveLength(1)
      expect(warnings).toEqual([expect.stringMatching(NEWER)])
    })

    it('is not that of a floppy whose file is another one by now, which its guest does not have', async () => {
      const medium = await disc()
      moveInto(medium.originalPath, 'disc 1')
      expect(await take({ media: [medium] }, { drive: 'floppy' })).toEqual({ files: [] })
      expect(warnings).toEqual([expect.stringContaining('another took its place')])
    })
  })

  describe('whose server does not answer', () => {
    const silent = (): Promise<never> => new Promise(() => undefined)
    const WHY = 'it has not answered for 20 s: is its server away?'

    it('is not planned, and said', async () => {
      const domain = parseDomain(withDrives(['/nas/a.iso']))
      const job = { shell: timedOut, signal: new AbortController().signal, warn }
      expect(await mediaOf(job, domain)).toEqual([])
      expect(warnings).toEqual([`The medium in sda (/nas/a.iso) is not in the point: ${WHY}`])
    })

    it('is left out where it falls silent later, and the others are taken', async () => {
      const media = [await planned(await write('a.iso', 'a')), await planned(await write('b.iso', 'b'))]
      const programs: Shell = {
        label: 'with a server that is away',
        run: (argv, options) =>
          (argv.some((word) => word.endsWith('a.iso')) ? timedOut : localShell()).run(argv, options)
      }
      const { boot } = await take({ media }, { programs })
      expect(boot).toMatchObject([{ file: 'boot/medium-1' }])
      expect(warnings).toEqual([expect.stringMatching(/a\.iso is not in the point: .*is its server away/)])
    })

    it('does not keep a cancel back', async () => {
      const stop = new AbortController()
      const medium = await planned(await write('a.iso', 'a'))
      const taken = take({ media: [medium] }, { programs: fakeShell(silent), signal: stop.signal })
      stop.abort()
      await expect(taken).rejects.toThrow(/cancelled/)
    })

    it('keeps nobody from looking at the others right behind the instant', async () => {
      const media = [await planned(await write('a.iso', 'a')), await planned(await write('b.iso', 'b'))]
      const shell: Shell = {
        label: 'one is away',
        run: (argv, options) =>
          (argv.includes(media[0]?.originalPath ?? '') ? timedOut : localShell()).run(argv, options)
      }
      const job = { shell, signal: new AbortController().signal } as unknown as JobContext
      expect([...(await lookAtMedia(job, paperPlan(VM, '', { media })))]).toEqual([
        [media[1]?.originalPath, media[1]?.stamp]
      ])
    })
  })
})

describe('a file of the host that is copied', () => {
  const size = 3 * 1024 ** 2 + 5
  const looks = { stat: `81a4 1 ${size} 2026-11-29 05:00:00.000000000 +0000` }
  const copy = (shell: Shell, more: RestOptions = {}): Promise<CopiedAtRest> =>
    copyAtRest(shell, '/nas/a.iso', join(dir, 'copy'), more)

  it('is the same in whatever pieces it comes', async () => {
    const text = Buffer.alloc(size, 'abc')
    const pieces = [1, 65_536, 70_000, 2 * 1024 ** 2 + 1].reduce<Buffer[]>(
      (all, end) => [
        ...all,
        text.subarray(
          all.reduce((sum, { length }) => sum + length, 0),
          end
        )
      ],
      []
    )
    const stdout = [...pieces, text.subarray(2 * 1024 ** 2 + 1)]
    const { file } = await copy(fakeShell({ ...looks, dd: { stdout } }))
    expect(file).toEqual({ sizeBytes: size, sha256: sha256(text) })
    expect((await readFile(join(dir, 'copy'))).equals(text)).toBe(true)
  })

  it('is given up where its server falls silent in the middle', async () => {
    const stdout = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(10)
      await new Promise(() => undefined)
    }
    const failed = copy(fakeShell({ ...looks, dd: () => ({ stdout: stdout() }) }), { withinMs: 100 })
    await expect(failed).rejects.toThrow(/is its server away/)
    expect(await readdir(dir)).toEqual(['point'])
  })

  it.each([
    ['ends early', { ...looks, dd: 'short' }, /it ends early, at 5 bytes/],
    [
      'cannot be read',
      { ...looks, dd: { exitCode: 1, stderr: 'dd: error reading: Input/output error' } },
      /Input\/out/
    ],
    ['is a folder', { stat: '41ed 1 4096 2026' }, /not a regular file/],
    ['is a FIFO', { stat: '11a4 1 0 2026' }, /not a regular file/]
  ])('is refused where it %s', async (_what, programs, why) => {
    await expect(copy(fakeShell(programs))).rejects.toThrow(why)
    expect(await readdir(dir)).toEqual(['point'])
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
