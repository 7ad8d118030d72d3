import { formatBytes, formatTime } from '../../../shared/format.ts'
import { capital } from '../../../shared/capital.ts'
import { safeLines, safeText, shorten } from '../../../shared/safe-text.ts'
import { forShell } from '../../../shared/model/restore-choice.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import type { PreflightView } from '../../../shared/views/job-view.ts'
import type { Decision } from './decisions.ts'
import { isToBeHad } from './point-groups.ts'
import { nameProblem, replacedBy, sourceOf, type Chosen } from './restore-view.ts'
import { words } from './words.ts'

const shown = (name: string): string => shorten(safeText(name), 60)

/** `web1 as it was at 20:17, goes on where it was, on beta.` Empty until both are chosen. */
export function sentenceOf({ point, host, mode, newName }: Chosen): string {
  if (point === undefined || host === undefined) return ''
  const time = formatTime(point.takenAt)
  const name = safeText(host.name)
  const what = mode === 'copy' ? words.copySentence(time, name, shown(newName)) : words.sentence(time, name, mode)
  return `${shown(point.vm.name)} ${what}`
}

/** Why the host was not even asked. */
export function notAskedText(chosen: Chosen): string {
  const { point, host, mode, newName } = chosen
  if (point === undefined || host === undefined) return words.check.missing
  if (!isToBeHad(point)) return words.check.notToBeHad
  if (host.state !== 'up') return words.check.hostDown(safeText(host.name))
  return mode === 'copy' && nameProblem(newName, host) !== undefined ? words.check.fixName : ''
}

/** Why it cannot go on where it was; who says to have its RAM all the same is named, as is the way to believe that. */
export function noRamText({ id, places }: PointView): string {
  const [first, ...others] = places.filter(({ hasMemory }) => hasMemory === true).map(({ label }) => label)
  if (first === undefined) return words.noRam
  const line = forShell(['stillpoint', 'restore', `${first}/${id}`, '--mode', 'resume', '--to', 'HOST'])
  return words.ramElsewhere([first, ...others].map(safeText).join(', '), line)
}

/** What moves, and what makes way. */
export function remarksOf(chosen: Chosen, view: PreflightView): readonly string[] {
  const { point, host } = chosen
  if (point === undefined || host === undefined) return []
  const replaces = replacedBy(chosen, view)
  const from = sourceOf(point, host.name)
  return [
    view.bytesToMove > 0
      ? words.check.moves(
          formatBytes(view.bytesToMove),
          from === undefined ? words.check.elsewhere : safeText(from.label)
        )
      : '',
    replaces === undefined ? '' : words.check.replaces(shown(replaces.name), safeText(host.name))
  ].filter((text) => text !== '')
}

/** A decision as its button says it. */
export function decisionText(decision: Decision): string {
  switch (decision.kind) {
    case 'choose':
      return capital(safeText(decision.offer.label))
    case 'allow':
      return words.check.allow
    case 'attach':
      return words.check.attach(safeText(decision.disk))
    case 'forget':
      return words.check.forget
  }
}

/** The words that findings begin with. Anything else may be a name, which stays as it is. */
const PLAIN =
  /^(a|an|and|its?|the|this|there|they|no|in|what|port|network|bridge|device|disk|volume|firmware|screens?|cards?|enough) /

/** The engine's words as a sentence. */
export function findingText(text: string): string {
  const said = safeLines(text)
  return `${PLAIN.test(said) ? capital(said) : said}${/[.:!?]$/.test(said) ? '' : '.'}`
}
