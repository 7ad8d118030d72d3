import { dirname } from 'node:path'
import type { PointTexts } from '../../shared/engine-protocol.ts'
import { fail, isFailure } from '../../shared/failure.ts'
import { formatBytes } from '../../shared/format.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import { sizeBytesOf, type Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { saveImageXml } from '../../libvirt/save-image.ts'
import { lacksLabel, SELINUX } from '../../libvirt/selinux.ts'
import { pointDir } from '../../store/layout.ts'
import { MAX_TEXT_BYTES, parseManifest } from '../../store/manifest.ts'
import { findPoint, requireGood } from '../../store/point-store.ts'
import { textOf } from '../../store/point-texts.ts'
import type { Checklist } from './checklist.ts'

/** What a plan is made from. */
export interface PlanSource {
  readonly manifest: Manifest
  /** `domain.xml` */
  readonly definition: string
  /** The definition that the RAM goes by: out of its image, or `memory.xml` while that is elsewhere. Undefined: no RAM. */
  readonly memoryDefinition?: string
  /** `host.json` */
  readonly host: string
  /** Where the point is, or will be. */
  readonly dir: string
  /** False: only its small files are known; its images are still elsewhere. */
  readonly isHere: boolean
}

export async function sourceAt(shell: Shell, dir: string, manifest: Manifest): Promise<PlanSource> {
  const text = (name: string): Promise<string> => textOf(dir, name, manifest.id, MAX_TEXT_BYTES)
  const [definition, host] = await Promise.all([text('domain.xml'), text('host.json')])
  const memory = manifest.memory && (await ramDefinition(shell, `${dir}/${manifest.memory.file}`))
  return { manifest, definition, ...(memory !== undefined && { memoryDefinition: memory }), host, dir, isHere: true }
}

/** Undefined: this libvirt cannot read it, so it will not resume it either. */
async function ramDefinition(shell: Shell, path: string): Promise<string | undefined> {
  return saveImageXml(shell, path).catch((error: unknown) => {
    if (isFailure(error, 'command-failed')) return undefined
    throw error
  })
}

/** The point of the store, good; without one, what its small files say. @throws `not-found` with neither */
export async function sourceFor(
  shell: Shell,
  spec: RestoreSpec,
  texts: PointTexts | undefined,
  list: Checklist,
  selinux = SELINUX
): Promise<PlanSource> {
  try {
    const { dir } = await findPoint([spec.store], spec.point, spec.vm)
    const source = await asLabelled(shell, await sourceAt(shell, dir, await requireGood(dir)), selinux)
    list.ok('point', 'it is on this host; its hashes are checked before anything is touched')
    return source
  } catch (error) {
    if (texts === undefined || !isFailure(error, 'not-found')) throw error
    return sourceFrom(spec, texts, list)
  }
}

/**
 * What a confined libvirt cannot read only for want of a label the restore will give it; a check changes nothing, and goes by
 * what the point says of its RAM.
 */
async function asLabelled(shell: Shell, source: PlanSource, selinux: string): Promise<PlanSource> {
  const { manifest, dir, memoryDefinition } = source
  if (manifest.memory === undefined || memoryDefinition !== undefined) return source
  const path = `${dir}/${manifest.memory.file}`
  if (!(await lacksLabel(shell, [dirname(path), path], selinux))) return source
  const told = await textOf(dir, 'memory.xml', manifest.id, MAX_TEXT_BYTES).catch(() => undefined)
  return told === undefined ? source : { ...source, memoryDefinition: told }
}

function sourceFrom({ point, store }: RestoreSpec, texts: PointTexts, list: Checklist): PlanSource {
  const manifest = parseManifest(new TextEncoder().encode(texts.manifest), point)
  if (manifest.id !== point)
    fail({ kind: 'point-format', point, detail: `its manifest is that of point ${manifest.id}` })
  const size = formatBytes(sizeBytesOf(manifest))
  list.ok('point', `it is not on this host yet: its ${size} come here first, and are checked on arrival`)
  const dir = pointDir(store, manifest.vm.uuid, point)
  const memory = manifest.memory && texts.memory
  return {
    manifest,
    definition: texts.domain,
    ...(memory !== undefined && { memoryDefinition: memory }),
    host: texts.host,
    dir,
    isHere: false
  }
}
