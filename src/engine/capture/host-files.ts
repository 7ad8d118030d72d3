import { open, readdir, realpath, stat } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { dirname, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import { formatBytes } from '../../shared/format.ts'
import { isMedium, PointPath, type Manifest, type PointFile } from '../../shared/model/point.ts'
import { LARGEST_BOOT_BYTES } from '../../libvirt/backup-limits.ts'
import { domainXml } from '../../libvirt/domains.ts'
import { mediaIn, parseDomain } from '../../libvirt/domain-xml.ts'
import { copyFile, type FileOptions, type HashedFile } from '../../store/copy-file.ts'
import { makeFoldersIn, removeFile } from '../../store/durable.ts'
import { makeFile, writeExactly } from '../../store/file-io.ts'
import { whyNotPortable } from '../../store/portable-paths.ts'
import { isThere } from '../evidence/presence.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import type { CapturePlan } from './capture-plan.ts'

/** Small files of the host that a VM starts with, beside its disks: firmware variables, state of its TPM, kernels. */
export type HostFiles = Pick<Manifest, 'nvram' | 'tpm' | 'boot'> & { readonly files: readonly PointFile[] }

/**
 * What cannot be read is warned of: the point is one of the disks all the same. `memoryXml` is what the RAM of the point knows.
 */
export async function takeHostFiles(job: JobContext, plan: CapturePlan, memoryXml?: string): Promise<HostFiles> {
  const nvram = await takeNvram(job, plan)
  const tpm = await takeTpm(job, plan)
  const boot = await takeBootFiles(job, plan)
  const media = await takeMedia(job, plan, memoryXml)
  const taken = [...(boot.boot ?? []), ...media.taken]
  return {
    ...nvram,
    ...tpm,
    ...(taken.length > 0 && { boot: taken }),
    files: [...nvram.files, ...tpm.files, ...boot.files, ...media.files]
  }
}

/** Each by itself: a VM does without a medium. One that was changed since the plan was made is not the RAM's. */
async function takeMedia(
  job: JobContext,
  { vm, boot, pointDir }: CapturePlan,
  memoryXml: string | undefined
): Promise<{ taken: NonNullable<Manifest['boot']>; files: PointFile[] }> {
  const taken: NonNullable<Manifest['boot']> = []
  const files: PointFile[] = []
  const media = boot.filter(isMedium)
  const inDrives = async (): Promise<string[]> =>
    mediaIn(parseDomain(memoryXml ?? (await domainXml(job.shell, vm)))).map(({ source }) => source)
  for (const [n, { originalPath }] of media.entries())
    await orWarn(job, `The medium ${originalPath} is not in the point`, async () => {
      if (!(await inDrives()).includes(originalPath)) {
        job.warn(`The medium ${originalPath} is not in the point: it was taken out of its drive meanwhile`)
        return
      }
      const file = `boot/medium-${n}`
      await makeFoldersIn(pointDir, 'boot')
      const copied = await copyAtRest(originalPath, `${pointDir}/${file}`, {
        signal: job.signal,
        onProgress: (done, total) => job.progress(`copying ${originalPath}`, done, total),
        onUnrest: () =>
          job.warn(
            `The medium ${originalPath} was written to while it was copied: what the point has of it may not fit together`
          )
      })
      files.push({ path: file, ...copied })
      taken.push({ role: 'medium', file, originalPath })
    })
  return { taken, files }
}

async function takeNvram(job: JobContext, { nvram, pointDir }: CapturePlan): Promise<HostFiles> {
  if (nvram === undefined) return { files: [] }
  let taken: HostFiles = { files: [] }
  await orWarn(job, 'Firmware state (NVRAM) could not be copied', async () => {
    const copied = await copyAtRest(nvram, `${pointDir}/nvram.fd`)
    taken = { files: [{ path: 'nvram.fd', ...copied }], nvram: { file: 'nvram.fd', originalPath: nvram } }
  })
  return taken
}

/**
 * State of the TPM lies in a folder by version, `tpm2/tpm2-00.permall`; locks beside it are no state. A folder that the
 * definition names has no such folder in it: a restored VM finds its state where libvirt keeps that of others.
 */
async function takeTpm(job: JobContext, { tpmDir, tpmInto = '', pointDir }: CapturePlan): Promise<HostFiles> {
  if (tpmDir === undefined) return { files: [] }
  const files: PointFile[] = []
  await orWarn(job, 'State of the TPM could not be copied', async () => {
    for (const name of await filesBelow(tpmDir)) {
      const path = ['tpm', tpmInto, name].filter((part) => part !== '').join('/')
      if (!PointPath.safeParse(path).success) continue
      const why = whyNotPortable([...files.map((file) => file.path), path])
      if (why !== undefined) {
        job.warn(`${name} of the TPM's state is not in the point: ${why}`)
        continue
      }
      await makeFoldersIn(pointDir, dirname(path))
      files.push({ path, ...(await copyAtRest(`${tpmDir}/${name}`, `${pointDir}/${path}`)) })
    }
  })
  return { files, tpm: { files: files.map(({ path }) => path) } }
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.flatMap((entry) => (entry.isFile() ? [relative(dir, `${entry.parentPath}/${entry.name}`)] : []))
}

/** A VM that is started with a kernel of its host does not start without it, nor resume. All of them, or none. */
async function takeBootFiles(job: JobContext, { boot: all, pointDir }: CapturePlan): Promise<HostFiles> {
  const boot = all.filter((file) => !isMedium(file))
  const files: PointFile[] = []
  const taken: NonNullable<Manifest['boot']> = []
  await orWarn(job, 'What the VM is started with is not in the point', async () => {
    const sizes = await Promise.all(boot.map(async ({ originalPath }) => (await stat(originalPath)).size))
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    if (bytes > LARGEST_BOOT_BYTES) {
      job.warn(
        `What the VM is started with has ${formatBytes(bytes)} and is not in the point: it starts only on a host that has ${boot.map(({ originalPath }) => originalPath).join(', ')}`
      )
      return
    }
    if (boot.length > 0) await makeFoldersIn(pointDir, 'boot')
    for (const [n, { role, originalPath }] of boot.entries()) {
      const file = `boot/${role}-${n}`
      files.push({ path: file, ...(await copyAtRest(originalPath, `${pointDir}/${file}`)) })
      taken.push({ role, file, originalPath })
    }
  })
  return taken.length === boot.length && taken.length > 0 ? { files, boot: taken } : { files }
}

const TRIES = 20
/** Of what takes its time each time. */
const TRIES_IF_LARGE = 2

interface RestOptions extends FileOptions {
  /** None of the copies went through without a change. */
  readonly onUnrest?: () => void
}

/** Copies a file that its owner may be writing, until a copy went through without a change. Follows links. */
async function copyAtRest(
  path: string,
  target: string,
  { onUnrest, ...options }: RestOptions = {}
): Promise<HashedFile> {
  const source = await realpath(path)
  for (let tries = 0; ; tries++) {
    const before = await stat(source, { bigint: true })
    if (await isThere(target)) await removeFile(target)
    const copied = await (before.isBlockDevice() ? copyDevice(source, target) : copyFile(source, target, options))
    const after = await stat(source, { bigint: true })
    if (before.mtimeNs === after.mtimeNs) return copied
    if (tries === (before.size > LARGEST_BOOT_BYTES ? TRIES_IF_LARGE : TRIES)) {
      onUnrest?.()
      return copied
    }
    await sleep(50)
  }
}

/** As much as firmware variables ever are; a device has no length of its own to ask for. */
const LARGEST_DEVICE = 64 * 1024 ** 2

async function copyDevice(source: string, target: string): Promise<HashedFile> {
  const bytes = new Uint8Array(LARGEST_DEVICE + 1)
  const device = await open(source, 'r')
  let length = 0
  try {
    for (let read = -1; read !== 0 && length < bytes.byteLength; length += read)
      read = (await device.read(bytes, length, bytes.byteLength - length, length)).bytesRead
  } finally {
    await device.close()
  }
  if (length > LARGEST_DEVICE) fail({ kind: 'bad-output', what: source, detail: 'it is larger than 64 MiB' })
  const whole = bytes.subarray(0, length)
  await makeFile(target, (file) => writeExactly(file, whole, 0))
  return { sizeBytes: length, sha256: createHash('sha256').update(whole).digest('hex') }
}
