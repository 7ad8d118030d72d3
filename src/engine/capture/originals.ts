import { stat } from 'node:fs/promises'
import type { LeftOutDisk, PointDisk } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainXml } from '../../libvirt/domains.ts'
import { volumePath } from '../../libvirt/volumes.ts'
import { imageBelow, type CapturePlan } from './capture-plan.ts'

/** What a restore on this host should know of the files themselves, as they were before anything was touched. */
export interface Originals {
  accessOf(target: string): Pick<PointDisk, 'originalAccess'>
  readonly leftOut: readonly LeftOutDisk[]
}

/** Before the instant of the point: what is written to a left out disk after this look shows by its time. */
export async function lookAtOriginals(shell: Shell, plan: CapturePlan): Promise<Originals> {
  const access = new Map<string, Pick<PointDisk, 'originalAccess'>>()
  for (const disk of [...plan.disks, ...plan.still])
    if (disk.type === 'file') access.set(disk.target, await accessOf(imageBelow(disk).path))
  const { disks } = parseDomain(plan.stateBefore === 'shut off' ? plan.definition : await domainXml(shell, plan.vm))
  const leftOut: LeftOutDisk[] = []
  for (const { target, source, type, volume } of disks) {
    if (source === undefined || !plan.excluded.includes(target)) continue
    const file = volume === undefined ? type === 'file' && source : await volumePath(shell, volume)
    leftOut.push({ target, source, ...(file && (await lastWrite(file))) })
  }
  return { accessOf: (target) => access.get(target) ?? {}, leftOut }
}

async function accessOf(path: string): Promise<Pick<PointDisk, 'originalAccess'>> {
  const file = await stat(path).catch(() => undefined)
  return file === undefined ? {} : { originalAccess: { uid: file.uid, gid: file.gid, mode: file.mode & 0o777 } }
}

/** A file's time moves in ticks of the kernel: within one, a write more would not show. */
const SETTLED_AFTER_MS = 1000

async function lastWrite(path: string): Promise<Pick<LeftOutDisk, 'modifiedNs'>> {
  const file = await stat(path, { bigint: true }).catch(() => undefined)
  if (file?.isFile() !== true || Date.now() - Number(file.mtimeMs) < SETTLED_AFTER_MS) return {}
  return { modifiedNs: String(file.mtimeNs) }
}
