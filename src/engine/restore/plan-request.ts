import { fail } from '../../shared/failure.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { parseDomain, type DomainXml } from '../../libvirt/domain-xml.ts'
import type { Answers, Asking } from './answers.ts'
import type { Checklist } from './checklist.ts'
import type { PlanSource } from './plan-source.ts'

/** What a restore is planned by, from its first look to its last. */
export interface PlanRequest {
  readonly shell: Shell
  readonly spec: RestoreSpec
  /** `PREFLIGHT` for one that nobody has begun. */
  readonly jobId: string
  readonly source: PlanSource
  readonly guest: PointGuest
  readonly list: Checklist
  readonly answers: Answers
}

/** @throws `point-unsafe` for the point of another VM than the one that was asked for, or one that is not of one VM alone */
export function requestFor(request: Omit<PlanRequest, 'guest'>): PlanRequest {
  requireAsked(request.spec, request.source.manifest)
  return { ...request, guest: guestOf(request.source) }
}

/** The lock, the report and what is called replaced go by the order's VM. */
function requireAsked({ vm, point }: RestoreSpec, manifest: Manifest): void {
  if (manifest.vm.uuid !== vm)
    fail({ kind: 'point-unsafe', point, file: 'manifest.json', detail: 'it is of another VM than the one asked for' })
}

/** What the VM would start with, and what its RAM goes by. Both are of the manifest's VM. */
export interface PointGuest {
  readonly next: DomainXml
  readonly ram: DomainXml | undefined
  readonly all: readonly DomainXml[]
}

function guestOf({ manifest, definition, memoryDefinition }: PlanSource): PointGuest {
  const next = sameVm(manifest, parseDomain(definition), 'domain.xml')
  const ram =
    memoryDefinition === undefined ? undefined : sameVm(manifest, parseDomain(memoryDefinition), 'memory.save')
  return { next, ram, all: ram === undefined ? [next] : [next, ram] }
}

/** A definition or RAM image of another VM in a point is never followed. @throws `point-unsafe` */
function sameVm(manifest: Manifest, domain: DomainXml, file: string): DomainXml {
  const isName = !/[/\p{Cc}]|^\.{0,2}$/u.test(domain.name)
  if (!isName)
    return fail({
      kind: 'point-unsafe',
      point: manifest.id,
      file,
      detail: 'the name of its VM is a path, and none of a VM'
    })
  if (domain.uuid === manifest.vm.uuid && domain.name === manifest.vm.name) return domain
  return fail({ kind: 'point-unsafe', point: manifest.id, file, detail: 'it is of another VM than the manifest' })
}

/** What the VM is started with: its next definition, and that of its RAM where it is to go on from there. */
export const askingOf = ({ spec: { mode }, source, guest: { next, ram } }: PlanRequest): Asking[] => [
  { xml: source.definition, domain: next },
  ...(mode === 'resume' && ram !== undefined && source.memoryDefinition !== undefined
    ? [{ xml: source.memoryDefinition, domain: ram }]
    : [])
]
