import type { Argv, Shell } from '../../../shared/shell.ts'

const WATCHER = 'org.kde.StatusNotifierWatcher'
const BUS = 'org.freedesktop.DBus'
const DEADLINE_MS = 2000

/** Each asks the session bus the same; whichever is installed. */
const QUESTIONS: readonly Argv[] = [
  ['busctl', '--user', 'call', BUS, '/org/freedesktop/DBus', BUS, 'NameHasOwner', 's', WATCHER],
  ['gdbus', 'call', '--session', '--dest', BUS, '--object-path', '/', '--method', `${BUS}.NameHasOwner`, WATCHER],
  ['dbus-send', '--session', '--print-reply', `--dest=${BUS}`, '/', `${BUS}.NameHasOwner`, `string:${WATCHER}`]
]

/**
 * True if this Linux session shows tray icons. Plain GNOME does not, and an icon there is lost without an error. Where
 * nobody can be asked it is false: a window must not be put away to where it cannot be fetched from.
 */
export async function sessionShowsTrays(shell: Shell): Promise<boolean> {
  for (const question of QUESTIONS) {
    const answer = await shell.run(question, { timeoutMs: DEADLINE_MS }).catch(() => undefined)
    if (answer?.exitCode === 0) return /\btrue\b/.test(answer.stdout)
  }
  return false
}
