import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { ProbeItem, ProbeView } from '../../../shared/views/host-view.ts'
import type { Tone } from '../../ui/state-mark.tsx'
import { words } from './words.ts'

export interface CheckShown {
  readonly tone: Tone
  readonly text: string
  /** What to do, in words and as a command, where there is one. */
  readonly fix: { readonly text?: string; readonly command?: string } | undefined
}

const TONES: Readonly<Record<ProbeItem['state'], Tone>> = { ok: 'good', warning: 'attention', problem: 'danger' }

/** Programs that a fix may begin with: then the whole of it is a command. */
const COMMANDS = /^(apt|apt-get|dnf|zypper|systemctl|virsh|modprobe|usermod|ssh-keygen|ssh-copy-id|sudo|echo) /
/** After one of these words and a colon there may be a command. */
const RUN = /\b(?:run|install it|dnf|apt)\b/i

export function checkShown({ state, text, fix }: ProbeItem): CheckShown {
  return { tone: TONES[state], text: safeText(text), fix: fixShown(safeText(fix)) }
}

function fixShown(fix: string): CheckShown['fix'] {
  if (fix === '') return undefined
  if (COMMANDS.test(fix)) return { command: fix }
  const word = fix.search(RUN)
  const colon = word < 0 ? -1 : fix.indexOf(': ', word)
  const command = fix.slice(colon + 2)
  return colon >= 0 && COMMANDS.test(command) ? { text: fix.slice(0, colon), command } : { text: fix }
}

/** How many names are shown before the rest is counted. */
const NAMES_SHOWN = 12
const LONGEST_NAME = 48

/** `web1, db1, …` and how many more. */
export function vmNamesShown({ vmNames }: Pick<ProbeView, 'vmNames'>): string {
  if (vmNames.length === 0) return words.add.noVms
  const names = vmNames
    .slice(0, NAMES_SHOWN)
    .map((name) => shorten(safeText(name), LONGEST_NAME))
    .join(', ')
  const more = vmNames.length - NAMES_SHOWN
  return more > 0 ? `${names} ${words.add.moreVms(more)}` : names
}
