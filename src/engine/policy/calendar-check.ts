import { fail, isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { timerCalendar } from './timer-calendar.ts'

/**
 * Asks this host's own systemd, whose timer it will be.
 *
 * @throws `usage` with what systemd says of it, or because it never comes
 */
export async function checkCalendar(shell: Shell, calendar: string): Promise<void> {
  if (!/^[A-Za-z0-9 .,:*/~_+-]+$/.test(calendar)) refuse(calendar, 'it holds characters that no calendar has')
  const said = await analyse(shell, timerCalendar(calendar))
  if (said === undefined) return
  if (said.exitCode !== 0) refuse(calendar, said.stderr.trim().split('\n').at(-1) ?? '')
  if (/^\s*Next elapse: never$/m.test(said.stdout)) refuse(calendar, 'no such time comes any more')
}

const refuse = (calendar: string, why: string): never =>
  fail({ kind: 'usage', message: `«${calendar}» is no calendar for this host: ${why}` })

/** Undefined where systemd came without it: then the timer itself will say what is wrong. */
async function analyse(
  shell: Shell,
  calendar: string
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string } | undefined> {
  try {
    return await shell.run(['systemd-analyze', 'calendar', '--', calendar])
  } catch (error) {
    if (isFailure(error, 'missing-tool')) return undefined
    throw error
  }
}
