import { flagOf, forShell, type RestoreChoice } from './model/restore-choice.ts'
import type { RestoreViewMode } from './views/job-view.ts'

/** A restore, as the command line asks for it. */
export interface RestoreLine {
  readonly point: string
  readonly to: string
  /** Undefined: with RAM, if the point has it. */
  readonly mode: RestoreViewMode | undefined
  /** Of a copy. */
  readonly newName?: string | undefined
  readonly start?: boolean | undefined
  readonly replace: boolean
  readonly diskDir?: string | undefined
  readonly attachDisks: readonly string[]
  readonly allow: readonly string[]
  /** What was chosen for the host before holds here too. */
  readonly remembered: boolean
  readonly choices: readonly RestoreChoice[]
}

/** `stillpoint restore 20261122T201744Z-7f3a21 --to beta --auto-ports`, to paste. */
export function restoreLine(line: RestoreLine): string {
  const { point, to, mode, newName, start, replace, diskDir, attachDisks, allow, remembered, choices } = line
  return forShell([
    ...['stillpoint', 'restore', point, '--to', to],
    ...(mode === undefined ? [] : ['--mode', mode]),
    ...(newName === undefined ? [] : ['--name', newName]),
    ...(start === false ? ['--no-start'] : []),
    ...(replace ? ['--replace'] : []),
    ...(diskDir === undefined ? [] : ['--disk-dir', diskDir]),
    ...(attachDisks.length === 0 ? [] : ['--attach', attachDisks.join(',')]),
    ...allow.flatMap((item) => ['--allow', item]),
    ...(remembered ? [] : ['--no-remembered']),
    ...choices.flatMap(flagOf)
  ])
}
