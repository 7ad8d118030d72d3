import { dirname } from 'node:path'
import { formatBytes } from '../../shared/format.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import { PointPath, type Manifest, type PointFile } from '../../shared/model/point.ts'
import { LARGEST_BOOT_BYTES } from '../../libvirt/backup-limits.ts'
import { makeFoldersIn } from '../../store/durable.ts'
import { whyNotPortable } from '../../store/portable-paths.ts'
import { orWarn, type JobContext } from '../jobs/job-context.ts'
import type { CapturePlan } from './capture-plan.ts'
import { copyAtRest, filesBelow, lookAtFile } from './copy-at-rest.ts'
import { takeMedia, type AtInstant } from './media.ts'

/** Files of the host that a VM starts with, beside its disks: firmware variables, state of its TPM, kernels, media. */
export type HostFiles = Pick<Manifest, 'nvram' | 'tpm' | 'boot'> & { readonly files: readonly PointFile[] }

/** What cannot be read is warned of: the point is one of the disks all the same. */
export async function takeHostFiles(
  job: JobContext<BackupSpec>,
  plan: CapturePlan,
  atInstant: AtInstant
): Promise<HostFiles> {
  const nvram = await takeNvram(job, plan)
  const tpm = await takeTpm(job, plan)
  const boot = await takeBootFiles(job, plan)
  const media = await takeMedia(job, plan, atInstant)
  const taken = [...(boot.boot ?? []), ...media.taken]
  return {
    ...nvram,
    ...tpm,
    ...(taken.length > 0 && { boot: taken }),
    files: [...nvram.files, ...tpm.files, ...boot.files, ...media.files]
  }
}

async function takeNvram(job: JobContext, { nvram, pointDir }: CapturePlan): Promise<HostFiles> {
  if (nvram === undefined) return { files: [] }
  let taken: HostFiles = { files: [] }
  await orWarn(job, 'Firmware state (NVRAM) could not be copied', async () => {
    const { file } = await copyAtRest(job.shell, nvram, `${pointDir}/nvram.fd`, { signal: job.signal })
    taken = { files: [{ path: 'nvram.fd', ...file }], nvram: { file: 'nvram.fd', originalPath: nvram } }
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
    for (const name of await filesBelow(job.shell, tpmDir, { signal: job.signal })) {
      const path = ['tpm', tpmInto, name].filter((part) => part !== '').join('/')
      if (!PointPath.safeParse(path).success) continue
      const why = whyNotPortable([...files.map((file) => file.path), path])
      if (why !== undefined) {
        job.warn(`${name} of the TPM's state is not in the point: ${why}`)
        continue
      }
      await makeFoldersIn(pointDir, dirname(path))
      const { file } = await copyAtRest(job.shell, `${tpmDir}/${name}`, `${pointDir}/${path}`, { signal: job.signal })
      files.push({ path, ...file })
    }
  })
  return { files, tpm: { files: files.map(({ path }) => path) } }
}

/** A VM that is started with a kernel of its host does not start without it, nor resume. All of them, or none. */
async function takeBootFiles(job: JobContext, { boot, pointDir }: CapturePlan): Promise<HostFiles> {
  const files: PointFile[] = []
  const taken: NonNullable<Manifest['boot']> = []
  await orWarn(job, 'What the VM is started with is not in the point', async () => {
    const looks = await Promise.all(
      boot.map(({ originalPath }) => lookAtFile(job.shell, originalPath, { signal: job.signal }))
    )
    const bytes = looks.reduce((sum, { stamp }) => sum + stamp.sizeBytes, 0)
    if (bytes > LARGEST_BOOT_BYTES) {
      job.warn(
        `What the VM is started with has ${formatBytes(bytes)} and is not in the point: it starts only on a host that has ${boot.map(({ originalPath }) => originalPath).join(', ')}`
      )
      return
    }
    if (boot.length > 0) await makeFoldersIn(pointDir, 'boot')
    for (const [n, { role, originalPath }] of boot.entries()) {
      const path = `boot/${role}-${n}`
      const { file } = await copyAtRest(job.shell, originalPath, `${pointDir}/${path}`, { signal: job.signal })
      files.push({ path, ...file })
      taken.push({ role, file: path, originalPath })
    }
  })
  return taken.length === boot.length && taken.length > 0 ? { files, boot: taken } : { files }
}
