import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Manifest } from '../../shared/model/point.ts'
import { tpmFolder } from '../../libvirt/host.ts'
import { SIDECAR_MARK } from '../capture/capture-plan.ts'
import { IMAGES, isPlainPath } from './image-folders.ts'

import type { RestorePlan } from './restore-plan.ts'

export const NVRAM_FOLDER = '/var/lib/libvirt/qemu/nvram'

/** Firmware variables of a copy, whether the point has some or libvirt makes new ones. */
export const nvramOfCopy = (uuid: string): string => `${NVRAM_FOLDER}/${uuid}_VARS.fd`

/** At the path given, or where it was, unless something lies there that does not make way. */
export function planNvram(
  manifest: Manifest,
  jobId: string,
  freed: readonly string[],
  own?: string
): RestorePlan['nvram'] {
  if (manifest.nvram === undefined) return undefined
  const { file, originalPath } = manifest.nvram
  const isFree = freed.includes(originalPath) || (!existsSync(originalPath) && isVariablesFile(originalPath))
  // Elsewhere only where the VM that makes way has it.
  const former = isFree ? originalPath : undefined
  const path = own ?? former ?? `${NVRAM_FOLDER}/${manifest.vm.uuid}-${manifest.id}.fd`
  return { file, path, staged: `${path}${SIDECAR_MARK}${jobId}` }
}

/** A plain name in libvirt's own folder. */
const isVariablesFile = (path: string): boolean =>
  isPlainPath(path) && dirname(path) === NVRAM_FOLDER && !basename(path).startsWith('.')

/** Kernels, media and the like that this host has not, or not any more, go beside the images; those that are here are left alone. */
export function planBoot({ boot = [], id }: Manifest, uuid: string, jobId: string): RestorePlan['boot'] {
  return boot
    .filter(({ originalPath }) => !existsSync(originalPath))
    .map(({ role, file, originalPath }) => {
      const name = `${IMAGES}/${uuid}-${id}-${file.replace('boot/', '')}`
      const path = existsSync(name) ? `${name}-${jobId}` : name
      return { role, file, formerPath: originalPath, path, staged: `${path}${SIDECAR_MARK}${jobId}` }
    })
}

/** libvirt looks for it below the VM's UUID. */
export function planTpm(manifest: Manifest, uuid: string, jobId: string): RestorePlan['tpm'] {
  const path = tpmFolder(uuid)
  return manifest.tpm && { files: manifest.tpm.files, path, staged: `${path}${SIDECAR_MARK}${jobId}` }
}
