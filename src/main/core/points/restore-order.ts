import { randomUUID } from 'node:crypto'
import { fail } from '../../../shared/failure.ts'
import { DEFAULT_STORE } from '../../../shared/host-paths.ts'
import type { RestoreMode, RestoreSpec, VmCopy } from '../../../shared/model/job.ts'
import { forShell, type RestoreChoice } from '../../../shared/model/restore-choice.ts'
import type { RestoreQuestion } from '../../../shared/views/job-view.ts'
import { vmNameProblem } from '../../../shared/vm-name.ts'
import type { Place } from '../settings/settings-schema.ts'
import { listedIn, placeLabel, speaksBefore, type KnownPoint } from './point-places.ts'

export interface RestoreOrder {
  readonly point: KnownPoint
  readonly to: string
  /** Undefined: resume if the point has RAM, else boot. */
  readonly mode: RestoreMode | undefined
  readonly replace: boolean
  readonly diskDir: string | undefined
  /** Disks that the point does not hold, to stay attached on another host. */
  readonly attachDisks?: readonly string[] | undefined
  /** What the point may have of the host beyond the storage of VMs, by name. */
  readonly allow?: readonly string[]
  /** A second VM beside the first instead, booted or defined. */
  readonly copy?: VmCopy | undefined
  /** Where the host is not as the VM asks: what was chosen now. */
  readonly choices?: readonly RestoreChoice[] | undefined
  /** What was chosen for the host before. */
  readonly remembered?: readonly RestoreChoice[] | undefined
  readonly fault?: string
  /** Of the job, where somebody watches for it already. */
  readonly id?: string
}

const placeOn = ({ places }: KnownPoint, host: string): Place | undefined =>
  places.find((place) => place.kind === 'host' && place.host === host)

/** Where the point is once it is on the target: what it has, else where it will be fetched to. */
export function storeOnTarget(point: KnownPoint, host: string): { readonly store: string; readonly isThere: boolean } {
  const there = placeOn(point, host)
  return { store: there?.dir ?? DEFAULT_STORE, isThere: there !== undefined }
}

export function restoreSpec(order: RestoreOrder): RestoreSpec {
  const { manifest } = order.point
  return {
    kind: 'restore',
    vm: manifest.vm.uuid,
    vmName: manifest.vm.name,
    hostName: order.to,
    point: manifest.id,
    store: storeOnTarget(order.point, order.to).store,
    mode: order.mode ?? (manifest.memory === undefined ? 'boot' : 'resume'),
    replace: order.replace,
    ...(order.diskDir !== undefined && { diskDir: order.diskDir }),
    ...(order.attachDisks !== undefined && { attachDisks: [...order.attachDisks] }),
    ...(order.allow !== undefined && order.allow.length > 0 && { allow: [...order.allow] }),
    ...(order.copy !== undefined && { copy: order.copy }),
    ...(order.choices !== undefined && order.choices.length > 0 && { choices: [...order.choices] }),
    ...(order.remembered !== undefined && order.remembered.length > 0 && { remembered: [...order.remembered] })
  }
}

export const isResume = (order: RestoreOrder): boolean => restoreSpec(order).mode === 'resume'

/**
 * Why the VM cannot go on where it was, as far as is known here, and what helps. What lies on the target is restored, and not
 * fetched once more: without RAM there, it would be booted.
 */
export function resumeProblem(order: RestoreOrder): { readonly text: string; readonly fix: string } | undefined {
  const { point, to } = order
  const { manifest } = point
  if (!isResume(order)) return undefined
  if (manifest.memory === undefined)
    return {
      text: `Point ${manifest.id} holds no RAM (method ${manifest.method}), so the VM cannot go on where it was`,
      fix: `Use --mode boot or --mode define.${ramElsewhere(point)}`
    }
  const there = placeOn(point, to)
  if (there === undefined || listedIn(point, there).memory !== undefined) return undefined
  return {
    text: `${label(there)} has point ${manifest.id} without its RAM, so the VM cannot go on where it was there`,
    fix: withoutRamThere(point, there)
  }
}

function ramElsewhere({ manifest, otherwise, secondHand }: KnownPoint): string {
  const [place] = otherwise?.places ?? []
  if (place === undefined) return ''
  const has =
    secondHand?.includes(place) === true
      ? 'has it with RAM that another host than its own sent there'
      : 'says to have it with RAM'
  return ` ${label(place)} ${has}: if you trust that, name it: ${forShell([`${label(place)}/${manifest.id}`])}.`
}

/** A copy is only said to be one to delete for a better one: on the word of whoever is no nearer to the point the true one would go. */
function withoutRamThere(point: KnownPoint, there: Place): string {
  const { manifest, otherwise, places, verdicts } = point
  const [source] = places
  const isBetter =
    source !== undefined &&
    otherwise?.places.includes(source) !== true &&
    verdicts?.[0]?.good !== false &&
    speaksBefore(source, there, point)
  if (!isBetter) return 'Boot it there (--mode boot), or choose another host.'
  const line = forShell(['stillpoint', 'delete', manifest.id, '--in', label(there)])
  return `Boot it there (--mode boot), choose another host, or delete that copy first (${line}): then it comes from ${label(source)}, with its RAM.`
}

const label = (place: Place): string => placeLabel(place, DEFAULT_STORE)

/** What a window asked for. @throws `usage` for a copy that cannot have its name */
export function orderFor(point: KnownPoint, question: RestoreQuestion): RestoreOrder {
  const { to, mode, newName, start, replace, choices, allow, attachDisks, remembered } = question
  const order = {
    point,
    to,
    diskDir: undefined,
    choices,
    attachDisks,
    ...(allow !== undefined && { allow }),
    ...(remembered === false && { remembered: [] })
  }
  if (mode !== 'copy') return { ...order, mode, replace }
  return { ...order, mode: start === false ? 'define' : 'boot', replace: false, copy: newCopy(newName ?? '') }
}

/** A copy under this name, with a UUID that no VM has. @throws `usage` if no VM can have the name */
export function newCopy(name: string): VmCopy {
  const problem = vmNameProblem(name)
  if (problem !== undefined) fail({ kind: 'usage', message: `No VM can be called "${name}": the name ${problem}.` })
  return { name, uuid: randomUUID() }
}
