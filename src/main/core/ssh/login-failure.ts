import type { Failure } from '../../../shared/failure.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'

/** A login that never came to run what it was told to. */
export interface DeadLogin {
  readonly host: string
  readonly user: string
  readonly through: 'login' | 'sudo'
  readonly exitCode: number | undefined
  /** All that was printed, stdout and stderr. */
  readonly printed: string
}

/** The line for `/etc/sudoers.d/stillpoint`. */
export const sudoersLine = (user: string): string => `${user} ALL=(root) NOPASSWD: ALL`

const signs: readonly (readonly [RegExp, string])[] = [
  [/restricted/i, 'the login shell is a restricted one (rbash) and runs no programs by path'],
  [/not (currently )?available|nologin|account is disabled/i, 'the account has no login shell (nologin)'],
  [/base64.*not found|not found.*base64/i, 'the program base64 is missing (package coreutils)'],
  [/permission denied/i, 'the login shell may not execute programs (noexec, or an access rule)'],
  [/\/bin\/sh.*(not found|no such file)/i, 'there is no /bin/sh']
]

export function loginFailure(login: DeadLogin): Failure {
  if (login.through === 'sudo' && /^sudo:|sudo:.*\n?$/m.test(login.printed))
    return { kind: 'no-root', host: login.host, user: login.user, sudoersLine: sudoersLine(login.user) }
  const cause =
    signs.find(([sign]) => sign.test(login.printed))?.[1] ?? 'the login shell did not run what it was told to'
  const end =
    login.exitCode === undefined ? 'It ended without an exit code' : `It ended with exit code ${login.exitCode}`
  return { kind: 'login-shell', host: login.host, reason: `${cause}. ${end}${quote(login.printed)}` }
}

/** The end of what was printed: that is where the complaint is. */
function quote(printed: string): string {
  const text = printed.trim()
  if (text === '') return ' and printed nothing.'
  return ` and printed: ${shorten(safeText(text.slice(-500).replaceAll(/\s+/g, ' ')), 300)}`
}
