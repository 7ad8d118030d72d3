import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { dropStep, PLAN_STEP, type CaptureDisk, type CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import { commitOverlay, isCommitted, type OverlayCase } from '../../src/engine/capture/commit-overlay.ts'
import { sampledElse, sampleImage } from '../../src/engine/capture/image-samples.ts'
import { fillPlaced, isAsPlaced, MAKE_STEP, PLACE_STEP, PLACED_STEP } from '../../src/engine/capture/overlay-owner.ts'
import { prepareOverlays } from '../../src/engine/capture/take-snapshot.ts'
import type { Finding } from '../../src/engine/doctor/doctor.ts'
import { lostKeys } from '../../src/engine/doctor/lost-keys.ts'
import { removeStrayFile } from '../../src/engine/doctor/stray-file.ts'
import { identityOf } from '../../src/engine/evidence/file-identity.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'
import { journalPath, writeSpec } from '../../src/engine/jobs/job-directory.ts'
import { Journal } from '../../src/engine/journal/journal.ts'
import { BackupTrace } from '../../src/engine/recover/trace.ts'
import { lookAtDisk } from '../../src/engine/vm.ts'
import { createEncrypted, encryptedNode, imageInfo, showsAllOf } from '../../src/libvirt/qemu-img.ts'
import { localShell } from '../../src/shell/local.ts'
import { reportAtStart } from '../../src/shared/job-report.ts'
import type { Uuid } from '../../src/shared/model/ids.ts'
import type { Shell } from '../../src/shared/shell.ts'
import type { JournalEntry } from '../../src/shared/model/job.ts'
import { paperLibvirt, type PaperVm } from './paper-libvirt.ts'
import { paperOverlayCase } from './paper-overlay-case.ts'

const paths = vi.hoisted(() => ({ dir: '' }))
vi.mock('../../src/shared/host-paths.ts', async (original) => ({
  ...(await original<object>()),
  get JOBS_DIR() {
    return `${paths.dir}/jobs`
  },
  get RUN_DIR() {
    return `${paths.dir}/run`
  }
}))

vi.mock(import('../../src/engine/evidence/vm-history.ts'), async (original) => ({
  ...(await original()),
  historySince: () => Promise.resolve({ events: ['crashed'], startedAgain: false, ended: 'crashed' })
}))

/** Real images with real keys, and a libvirt on paper that keeps them. */
const UUID = '7a1d3c5e-0000-4000-8000-000000000001' as Uuid
const SECRET = '11111111-2222-4333-8444-555555555555' as Uuid
const OVERLAY_SECRET = '22222222-2222-4333-8444-555555555555' as Uuid
const JOB = '20261122T201744Z-3f9a1c'
const MIB = 1 << 20
const hasQemu = existsSync('/usr/bin/qemu-img')
const shell = localShell()

const KEY = Buffer.from('xyz').toString('base64')

let root = ''
let image = ''
let overlay = ''
let keyFile = ''
let vm: PaperVm
let entries: readonly JournalEntry[]
let overlayKey = ''

/** Image and overlay, made once: QEMU takes seconds to find out how fast this machine is. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'stillpoint-encrypted-'))
  paths.dir = join(root, 'now')
  mkdirSync(paths.dir)
  image = join(paths.dir, 'l.img')
  overlay = `${image}.stillpoint-${JOB}`
  keyFile = join(paths.dir, 'key')
  writeFileSync(keyFile, KEY)
  vm = ended()
  if (hasQemu) {
    const how = ['-o', 'key-secret=below,iter-time=10']
    const create = ['create', '-q', '-f', 'luks', ...below(), ...how, image, '4M']
    await createEncrypted(async () => Promise.resolve(qemu('qemu-img', ...create)))
    entries = await make()
    overlayKey = vm.secrets?.get(OVERLAY_SECRET) ?? ''
  }
  await rename(paths.dir, join(root, 'fresh'))
})
afterAll(() => rm(root, { recursive: true }))

beforeEach(async () => {
  await cp(join(root, 'fresh'), paths.dir, { recursive: true })
  vm = ended()
  vm.secrets?.set(OVERLAY_SECRET, overlayKey)
})
afterEach(() => rm(paths.dir, { recursive: true }))

/** By a fault, while it ran on its overlay. */
const ended = (): PaperVm => ({
  uuid: UUID,
  name: 'web',
  state: 'shut off',
  reason: 'crashed',
  live: [],
  defined: [{ target: 'vda', source: overlay }],
  secrets: new Map([[SECRET, KEY]])
})

const qemu = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' })
const below = (): string[] => ['--object', `secret,id=below,format=base64,file=${keyFile}`]

function disk(): CaptureDisk {
  const size = statSync(image).size
  return {
    target: 'vda',
    source: image,
    format: 'raw',
    type: 'file',
    virtualSizeBytes: size,
    allocatedBytes: size,
    sidecar: overlay,
    encryption: { secret: SECRET, overlaySecret: OVERLAY_SECRET, payloadAt: size - 4 * MIB, opensWithDisk: true }
  }
}

const definition = (): string =>
  `<domain type='kvm'><name>web</name><uuid>${UUID}</uuid><devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`

const overlayCase = (): OverlayCase =>
  paperOverlayCase({
    shell: paperLibvirt(vm),
    owner: { vm: UUID, vmName: 'web', definition: definition() },
    disk: disk()
  })

async function make(shell: Shell = paperLibvirt(vm)): Promise<JournalEntry[]> {
  const at = new Date().toISOString()
  const entries: JournalEntry[] = []
  const job: Pick<JobContext, 'shell' | 'step'> = {
    shell,
    async step(step, data, work) {
      entries.push({ type: 'step', n: entries.length, at, step, data })
      const result = await work()
      entries.push({ type: 'step-done', n: entries.length, at, step, ms: 0 })
      return result
    }
  }
  const seen = vm.live.map(({ target, source, node = '' }) => `disk ${target} ${source} ${node}`)
  await prepareOverlays(job as JobContext, { vm: UUID, seen, disks: [disk()] } as unknown as CapturePlan)
  return entries
}

/** As the guest would, through QEMU: 0x77 where it sees its second MiB. */
function write(): void {
  const key = join(paths.dir, 'overlay-key')
  writeFileSync(key, vm.secrets?.get(OVERLAY_SECRET) ?? '')
  const node = {
    driver: 'qcow2',
    file: { driver: 'file', filename: overlay },
    encrypt: { format: 'luks', 'key-secret': 'overlay' },
    backing: { driver: 'luks', 'key-secret': 'below', file: { driver: 'file', filename: image } }
  }
  const keys = [...below(), '--object', `secret,id=overlay,format=base64,file=${key}`]
  qemu('qemu-io', ...keys, '-c', 'write -P 0x77 1M 64k', `json:${JSON.stringify(node)}`)
}

const WRITTEN = Buffer.alloc(4096, 0x77)

function readsBack(): string {
  const node = { driver: 'luks', 'key-secret': 'below', file: { driver: 'file', filename: image } }
  return qemu('qemu-io', '-r', ...below(), '-c', 'read -P 0x77 1M 64k', `json:${JSON.stringify(node)}`)
}

describe.skipIf(!hasQemu)('the overlay of an encrypted disk', () => {
  it('is encrypted from its first byte on, root’s alone, with a key of its own that libvirt keeps', async () => {
    expect(await imageInfo(shell, overlay, { format: 'qcow2' })).toMatchObject({
      encrypted: true,
      virtualSizeBytes: 4 * MIB,
      backingFile: image,
      backingFormat: 'luks'
    })
    expect(statSync(overlay).mode & 0o777).toBe(0o600)
    expect(overlayKey).toHaveLength(88)
    write()
    expect(readFileSync(overlay).includes(WRITTEN)).toBe(false)
  })

  it('is written into its image by us where its VM is off, and goes, its key too', async () => {
    write()
    expect(await commitOverlay(overlayCase())).toBeUndefined()
    expect(readsBack()).not.toContain('Pattern verification failed')
    expect(readFileSync(image).includes(WRITTEN)).toBe(false)
    expect(existsSync(overlay)).toBe(false)
    expect([...(vm.secrets?.keys() ?? [])]).toEqual([SECRET])
    expect(vm.defined).toEqual([{ target: 'vda', source: image }])
  })

  it.each([
    ['nobody needs', []],
    ['its VM runs on by now', [{ target: 'vdb', source: '/srv/moved.qcow2', secret: OVERLAY_SECRET }]]
  ])('keeps its key where somebody has moved it to a name that %s, and says when that may go', async (_, moved) => {
    write()
    vm.defined = [{ target: 'vda', source: image }, ...moved]
    await rename(overlay, join(paths.dir, 'l.img.kept.qcow2'))
    expect(await commitOverlay(overlayCase())).toMatchObject({
      kind: 'keep',
      path: overlay,
      mend: [expect.stringContaining(`virsh secret-undefine ${OVERLAY_SECRET}   # once no VM needs it`)]
    })
    expect(vm.secrets?.get(OVERLAY_SECRET)).toBe(overlayKey)
    vm.secrets?.delete(OVERLAY_SECRET)
    expect(await commitOverlay(overlayCase())).toBeUndefined()
  })

  it('leaves its key where a VM has a copy of it', async () => {
    write()
    vm.defined = [
      { target: 'vda', source: image },
      { target: 'vdb', source: '/srv/copy.qcow2', secret: OVERLAY_SECRET }
    ]
    expect(await commitOverlay(overlayCase())).toMatchObject({
      kind: 'keep',
      because: expect.stringContaining('web (definition) needs the key') as string
    })
    expect(existsSync(overlay)).toBe(false)
    expect(vm.secrets?.has(OVERLAY_SECRET)).toBe(true)
  })

  it('has its key go on the next look where libvirt could not be asked when it went', async () => {
    await rm(overlay)
    vm.defined = [{ target: 'vda', source: image }]
    expect(await commitOverlay({ ...overlayCase(), dropped: true })).toBeUndefined()
    expect(vm.secrets?.has(OVERLAY_SECRET)).toBe(false)
  })

  it('stays where libvirt does not give out a key, which may be back later', async () => {
    write()
    vm.secrets?.delete(SECRET)
    await expect(commitOverlay(overlayCase())).rejects.toMatchObject({ failure: { kind: 'io', code: 'KEY' } })
    expect(existsSync(overlay)).toBe(true)
    vm.secrets?.set(SECRET, KEY)
    expect(await commitOverlay(overlayCase())).toBeUndefined()
    expect(readsBack()).not.toContain('Pattern verification failed')
  })

  it('opens with the key of its disk alone, where its own went with the host that had it', async () => {
    write()
    vm.secrets?.delete(OVERLAY_SECRET)
    expect(await commitOverlay(overlayCase())).toBeUndefined()
    expect(readsBack()).not.toContain('Pattern verification failed')
    expect([...(vm.secrets?.keys() ?? [])]).toEqual([SECRET])
  })

  it('says so where it was made by an engine that gave it no other key, and never tries that of its disk', async () => {
    vm.secrets?.delete(OVERLAY_SECRET)
    const work = overlayCase()
    const { encryption, ...plain } = work.disk
    const { opensWithDisk: _, ...before } = encryption ?? expect.fail('not encrypted')
    const detail = expect.stringMatching(/its key is random, and nobody has it but libvirt/) as string
    const asked = commitOverlay({ ...work, disk: { ...plain, encryption: before } })
    await expect(asked).rejects.toMatchObject({ failure: { kind: 'io', code: 'KEY', detail } })
  })

  it('says of the key of its disk that libvirt does not give out what can be done', async () => {
    write()
    vm.secrets?.delete(SECRET)
    const detail = expect.stringMatching(/virsh secret-set-value 1111/) as string
    await expect(commitOverlay(overlayCase())).rejects.toMatchObject({ failure: { kind: 'io', code: 'KEY', detail } })
  })

  it('says so also where that was made private meanwhile', async () => {
    const paper = paperLibvirt(vm)
    const privately: Shell = {
      ...paper,
      run: (argv, options) =>
        argv.includes('secret-dumpxml')
          ? Promise.resolve({ exitCode: 0, signal: undefined, stdout: "<secret private='yes'/>", stderr: '' })
          : paper.run(argv, options)
    }
    vm.secrets?.delete(SECRET)
    const detail = expect.stringMatching(/it is private now. With its passphrase at hand, and only then/) as string
    const asked = commitOverlay({ ...overlayCase(), shell: privately })
    await expect(asked).rejects.toMatchObject({ failure: { kind: 'io', code: 'KEY', detail } })
  })

  it('is put into the very file that was noted, and into no other that took its place', async () => {
    const [made, placed] = [join(paths.dir, 'made'), join(paths.dir, 'placed')]
    writeFileSync(made, 'an overlay')
    writeFileSync(placed, '')
    const file = (await identityOf(placed)) ?? expect.fail('nothing there')
    await fillPlaced({ path: placed, file }, made)
    expect(readFileSync(placed, 'utf8')).toBe('an overlay')
    await rename(placed, join(paths.dir, 'aside'))
    await symlink('aside', placed)
    await expect(fillPlaced({ path: placed, file }, made)).rejects.toMatchObject({ code: 'ELOOP' })
    await rm(placed)
    writeFileSync(placed, 'of somebody')
    await expect(fillPlaced({ path: placed, file }, made)).rejects.toMatchObject({ failure: { code: 'EEXIST' } })
    expect(readFileSync(placed, 'utf8')).toBe('of somebody')
  })

  it('is told from one that holds nothing', async () => {
    const work = overlayCase()
    const now = await lookAtDisk(work.shell, UUID, 'vda')
    expect(await isCommitted(work, now)).toMatchObject({ kind: 'remove' })
    write()
    expect(await isCommitted(work, now)).toMatchObject({ kind: 'keep' })
  })

  it('is compared with what its image shows behind the header, by us and by another host’s writes', async () => {
    const samples = await sampleImage(shell, disk())
    write()
    const access = {
      keyFiles: { overlay: join(paths.dir, 'overlay-key'), below: keyFile },
      below: encryptedNode(image, false)
    }
    expect(await showsAllOf(shell, overlay, { path: image, format: 'raw' }, access)).toBe(false)
    expect(await sampledElse(paperLibvirt(vm), disk(), samples)).toBe(false)
    const node = { driver: 'luks', 'key-secret': 'below', file: { driver: 'file', filename: image } }
    const write77 = (at: string): string =>
      qemu('qemu-io', ...below(), '-c', `write -P 0x77 ${at} 64k`, `json:${JSON.stringify(node)}`)
    write77('1M')
    expect(await showsAllOf(shell, overlay, { path: image, format: 'raw' }, access)).toBe(true)
    expect(await sampledElse(paperLibvirt(vm), disk(), samples)).toBe(false)
    write77('3M')
    expect(await sampledElse(paperLibvirt(vm), disk(), samples)).toBe(true)
  })

  it('holds nothing where its job was killed while it made it', async () => {
    truncateSync(overlay, 1000)
    const here = { path: overlay, file: await identityOf(overlay) }
    const noted = entries.map((entry) =>
      entry.type === 'step' && entry.step === PLACED_STEP ? { ...entry, data: { placed: [here] } } : entry
    )
    const announced = noted.filter(({ type }) => type === 'step')
    expect(announced).toMatchObject([{ step: PLACE_STEP }, { step: PLACED_STEP }, { step: MAKE_STEP }])
    expect(await isAsPlaced(overlay, new BackupTrace(announced).placed)).toBe(true)
    expect(await isAsPlaced(overlay, new BackupTrace(noted).placed)).toBe(false)
    // Of the one that was noted this is a copy.
    expect(await isAsPlaced(overlay, new BackupTrace(entries.filter(({ type }) => type === 'step')).placed)).toBe(false)
  })

  function endedJob(...steps: readonly string[]): void {
    const plan = {
      ...{ vm: UUID, vmName: 'web', method: 'live', methodReason: '', stateBefore: 'running', persistent: true },
      ...{ autostart: false, ramBytes: 1, disks: [disk()], excluded: [], agent: 'none', definition: '<domain/>' },
      pointDir: join(paths.dir, 'point')
    }
    const spec = {
      kind: 'backup',
      vm: UUID,
      vmName: 'web',
      hostName: 'a',
      store: '/s',
      budgetMs: 1,
      onBusy: 'pause'
    } as const
    writeSpec(JOB, spec)
    const journal = Journal.open(journalPath(JOB))
    journal.append({ type: 'begin', id: JOB, spec, bootId: 'b', engine: '1' })
    journal.append({ type: 'step', step: PLAN_STEP, data: { plan, before: {} } })
    for (const step of steps) journal.append({ type: 'step', step, data: {} })
    const report = reportAtStart(JOB, spec, '2026-11-22T20:17:44.000Z')
    journal.append({ type: 'end', report: { ...report, state: 'failed-clean' } })
    journal.close()
    vm.defined = [{ target: 'vda', source: image }]
  }

  it('goes by the doctor with its key, where it holds nothing and its job has ended', async () => {
    endedJob()
    const before = vm.secrets?.size
    write()
    expect(await removeStrayFile(paperLibvirt(vm), overlay)).toMatchObject({ kind: 'keep' })
    expect(vm.secrets?.size).toBe(before)
    await cp(join(root, 'fresh', 'l.img.stillpoint-' + JOB), overlay)
    expect(await removeStrayFile(paperLibvirt(vm), overlay)).toMatchObject({ kind: 'remove' })
    expect(existsSync(overlay)).toBe(false)
    expect([...(vm.secrets?.keys() ?? [])]).toEqual([SECRET])
  })

  describe('that is gone', () => {
    beforeEach(async () => {
      vm.usages = new Map([
        [SECRET, image],
        [OVERLAY_SECRET, overlay]
      ])
      await rm(overlay)
    })
    const found = (): Promise<Finding[]> => lostKeys(paperLibvirt(vm))

    it('has its key told of by the doctor, with what to type, where its job did not see to its end', async () => {
      endedJob()
      const what = expect.stringContaining(overlay) as string
      const remedy = expect.stringContaining(`virsh secret-undefine ${OVERLAY_SECRET}`) as string
      expect(await found()).toEqual([{ kind: 'key', what, remedy }])
      vm.defined = [{ target: 'vda', source: '/srv/moved.qcow2', secret: OVERLAY_SECRET }]
      expect(await found()).toEqual([])
    })

    it('has its key removed by the doctor where all was in the image when it went', async () => {
      endedJob(dropStep('vda'))
      const [finding] = await found()
      await finding?.repair?.()
      expect([...(vm.secrets?.keys() ?? [])]).toEqual([SECRET])
    })
  })

  it.each([
    ['error: this function is not supported by the connection driver: virConnectListAllSecrets', []],
    ["error: Failed to connect socket to '/run/libvirt/virtsecretd-sock': No such file or directory", []],
    [
      "error: Failed to connect socket to '/run/libvirt/virtsecretd-sock': Refused",
      [/^it could not be seen which keys/]
    ]
  ])(
    'has its key looked for where secrets are kept, and that is said where it could not be: %s',
    async (stderr, said) => {
      const paper = paperLibvirt(vm)
      const found = await lostKeys({
        ...paper,
        run: (argv, options) =>
          argv.includes('secret-list')
            ? Promise.resolve({ exitCode: 1, signal: undefined, stdout: '', stderr: `${stderr}\n` })
            : paper.run(argv, options)
      })
      expect(found.map(({ what }) => what)).toEqual(said.map((each) => expect.stringMatching(each) as string))
    }
  )

  it('has no key told of while it is there', async () => {
    endedJob()
    vm.usages = new Map([[OVERLAY_SECRET, overlay]])
    expect(await lostKeys(paperLibvirt(vm))).toEqual([])
  })

  it('lies in the file that was noted, as its owner’s, also where QEMU gave up and took its file away', async () => {
    await rm(overlay)
    let left = 2
    const paper = paperLibvirt(vm)
    const moody: Shell = {
      ...paper,
      async run(argv, options) {
        if (argv[1] !== 'create' || left === 0) return paper.run(argv, options)
        left -= 1
        await rm(argv.at(-2) ?? '', { force: true })
        const stderr = `qemu-img: ${argv.at(-2)}: Unable to get accurate CPU usage`
        return { exitCode: 1, signal: undefined, stdout: '', stderr }
      }
    }
    const steps = await make(moody)
    expect(left).toBe(0)
    expect(steps).toContainEqual(
      expect.objectContaining({
        step: PLACED_STEP,
        data: {
          placed: [
            { path: overlay, file: expect.objectContaining({ ino: (await identityOf(overlay))?.ino }) as unknown }
          ]
        }
      })
    )
    expect(await imageInfo(shell, overlay, { format: 'qcow2' })).toMatchObject({ encrypted: true, backingFile: image })
    expect(statSync(overlay).mode & 0o777).toBe(0o600)
  })

  it('is never put over what is there', async () => {
    writeFileSync(overlay, 'of somebody')
    await expect(make()).rejects.toMatchObject({ code: 'EEXIST' })
    expect(readFileSync(overlay, 'utf8')).toBe('of somebody')
  })
})
