import type { HostView } from '../../../shared/views/host-view.ts'
import type { PreflightView, RestoreQuestion, RestoreViewMode } from '../../../shared/views/job-view.ts'
import { pointCalled, pointName } from '../../../shared/point-name.ts'
import { restoreLine } from '../../../shared/restore-line.ts'
import type { PlaceView, PointView } from '../../../shared/views/point-view.ts'
import { allowedIn, attachedIn, choicesIn, type Decision } from './decisions.ts'
import { isToBeHad } from './point-groups.ts'

/** What the person has said so far; what is undefined follows from the rest. */
export interface RestoreDraft {
  /** The route that it belongs to: another point on the way in begins anew. */
  readonly cameWith: string | undefined
  readonly isChoosing: boolean
  readonly search: string
  readonly vm: string | undefined
  readonly point: string | undefined
  readonly to: string | undefined
  readonly mode: RestoreViewMode | undefined
  readonly newName: string | undefined
  readonly start: boolean
  /** What was said to what the host found. It is for this point on this host. */
  readonly decisions: readonly Decision[]
}

/** One and the same each time: a draft that is made anew is compared field by field. */
const NOTHING: readonly never[] = []

export const draftFor = (cameWith: string | undefined): RestoreDraft => ({
  cameWith,
  isChoosing: cameWith === undefined,
  search: '',
  vm: undefined,
  point: cameWith,
  to: undefined,
  mode: undefined,
  newName: undefined,
  start: true,
  decisions: NOTHING
})

/** Everything that a restore needs, said or suggested. */
export interface Chosen {
  readonly point: PointView | undefined
  readonly host: HostView | undefined
  readonly mode: RestoreViewMode
  readonly newName: string
  readonly start: boolean
  readonly decisions: readonly Decision[]
}

export function chosenOf(draft: RestoreDraft, hosts: readonly HostView[], points: readonly PointView[]): Chosen {
  const point = draft.point === undefined ? undefined : pointCalled(points, draft.point)
  const host =
    draft.to === undefined ? point && suggestedHost(point, hosts) : hosts.find(({ name }) => name === draft.to)
  return {
    point,
    host,
    mode: modeOf(draft.mode, point),
    newName: draft.newName ?? freeName(point?.vm.name ?? '', host),
    start: draft.start,
    decisions: draft.decisions
  }
}

/** Its own host if it is up; else one that has the point already; else any that is up. */
function suggestedHost(point: PointView, hosts: readonly HostView[]): HostView | undefined {
  const up = hosts.filter(({ state }) => state === 'up')
  return up.find(({ name }) => name === point.host) ?? up.find(({ name }) => isOn(point, name)) ?? up[0]
}

function modeOf(wanted: RestoreViewMode | undefined, point: PointView | undefined): RestoreViewMode {
  const canResume = point?.hasMemory !== false
  if (wanted !== undefined && (wanted !== 'resume' || canResume)) return wanted
  return canResume ? 'resume' : 'boot'
}

/** `web1-copy`, `web1-copy-2`, ...: one that no VM there has. */
function freeName(name: string, host: HostView | undefined): string {
  const taken = new Set(host?.vms.map((vm) => vm.name))
  let free = `${name}-copy`
  for (let n = 2; taken.has(free); n++) free = `${name}-copy-${n}`
  return free
}

/** The store of this host that has the point, whether it answers or not. */
export const isOn = ({ places }: PointView, host: string): boolean => places.some((place) => place.host === host)

/** Where the point comes from if the host has not got it. */
export const sourceOf = ({ places }: PointView, host: string): PlaceView | undefined =>
  places.find((place) => place.reachable && place.host !== host)

export type NameProblem = 'empty' | 'too-long' | 'taken' | 'line'

/** What is wrong with the name of a copy. */
export function nameProblem(name: string, host: HostView | undefined): NameProblem | undefined {
  if (name.trim() === '') return 'empty'
  if (name.length > 200) return 'too-long'
  if (/[\n\r/]/.test(name)) return 'line'
  return host?.vms.some((vm) => vm.name === name) === true ? 'taken' : undefined
}

/** The draft with this change; what was decided was so for that point, on that host. */
export function editedDraft(draft: RestoreDraft, change: Partial<Omit<RestoreDraft, 'cameWith'>>): RestoreDraft {
  const isAnother = ['vm', 'point', 'to'].some((name) => name in change)
  return { ...draft, ...(isAnother && { decisions: NOTHING }), ...change }
}

/** What to ask of the core; undefined while something is missing or wrong. */
export function questionOf(chosen: Chosen): RestoreQuestion | undefined {
  const { point, host, mode, newName, start, decisions } = chosen
  if (point === undefined || host?.state !== 'up' || !isToBeHad(point)) return undefined
  const plain = { point: pointName(point), to: host.name, mode, replace: mode !== 'copy', ...asQuestion(decisions) }
  if (mode !== 'copy') return plain
  return nameProblem(newName, host) === undefined ? { ...plain, newName, start } : undefined
}

function asQuestion(
  decisions: readonly Decision[]
): Pick<RestoreQuestion, 'allow' | 'attachDisks' | 'choices' | 'remembered'> {
  const [allow, attachDisks, choices] = [allowedIn(decisions), attachedIn(decisions), choicesIn(decisions)]
  return {
    ...(allow.length > 0 && { allow }),
    ...(attachDisks.length > 0 && { attachDisks }),
    ...(choices.length > 0 && { choices }),
    ...(decisions.some(({ kind }) => kind === 'forget') && { remembered: false as const })
  }
}

/** The same in the terminal. */
export const lineFor = (question: RestoreQuestion, replaces: PreflightView['replaces']): string =>
  restoreLine({
    point: question.point,
    to: question.to,
    mode: question.mode,
    newName: question.newName,
    start: question.start,
    replace: replaces !== undefined,
    attachDisks: question.attachDisks ?? [],
    allow: question.allow ?? [],
    remembered: question.remembered !== false,
    choices: question.choices ?? []
  })

/** Same question, same text. */
export const keyOf = (question: RestoreQuestion | undefined): string => JSON.stringify(question ?? '')

/** The VM on the target that has to make way. */
export function replacedBy({ point, host, mode }: Chosen, view: PreflightView): PreflightView['replaces'] {
  if (mode === 'copy' || point === undefined) return undefined
  return view.replaces ?? host?.vms.find(({ uuid, name }) => uuid === point.vm.uuid || name === point.vm.name)
}

export type Verdict = 'ready' | 'warned' | 'blocked'

/** Whether it can be begun. */
export function verdictOf({ items }: PreflightView): Verdict {
  if (items.some(({ state }) => state === 'problem')) return 'blocked'
  return items.some(({ state }) => state === 'warning') ? 'warned' : 'ready'
}
