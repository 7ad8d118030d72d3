import type { Failure } from '../../../shared/failure.ts'
import { hasInOneLine } from '../../../shared/lines.ts'
import { oneLine, shorten } from '../../../shared/safe-text.ts'
import type { Through } from './quoting.ts'

/** A login that never came to run what it was told to. */
export interface DeadLogin {
  readonly host: string
  readonly user: string
  readonly through: Through
  readonly exitCode: number | undefined
  /** All that was printed, stdout and stderr. */
  readonly printed: string
}

/** The line for `/etc/sudoers.d/stillpoint`. */
export const sudoersLine = (user: string): string => `${user} ALL=(root) NOPASSWD: ALL`

/** The line for `/etc/doas.conf`. */
const doasLine = (user: string): string => `permit nopass ${user} as root`

/** By what was printed, in small letters. */
const signs: readonly (readonly [(printed: string) => boolean, string])[] = [
  [
    (printed) => printed.includes('restricted'),
    'the login shell is a restricted one (rbash) and runs no programs by path'
  ],
  [
    (printed) => /not (currently )?available|nologin|account is disabled/.test(printed),
    'the account has no login shell (nologin)'
  ],
  [
    (printed) => hasInOneLine(printed, 'base64', 'not found') || hasInOneLine(printed, 'not found', 'base64'),
    'the program base64 is missing (package coreutils)'
  ],
  [
    (printed) => printed.includes('permission denied'),
    'the login shell may not execute programs (noexec, or an access rule)'
  ],
  [
    (printed) => hasInOneLine(printed, '/bin/sh', 'not found') || hasInOneLine(printed, '/bin/sh', 'no such file'),
    'there is no /bin/sh'
  ]
]

export function loginFailure(login: DeadLogin): Failure {
  if (login.through !== 'login' && saysNo(login.through, login.printed)) return noRoot(login)
  const printed = login.printed.toLowerCase()
  const cause = signs.find(([isSaid]) => isSaid(printed))?.[1] ?? 'the login shell did not run what it was told to'
  const end =
    login.exitCode === undefined ? 'It ended without an exit code' : `It ended with exit code ${login.exitCode}`
  return { kind: 'login-shell', host: login.host, reason: `${cause}. ${end}${quote(login.printed)}` }
}

/** As opposed to a shell that says that there is no such program. */
const saysNo = (program: string, printed: string): boolean =>
  printed.split('\n').some((line) => line.includes(`${program}: `) && !/not found/i.test(line))

function noRoot({ host, user, through, printed }: DeadLogin): Failure {
  const failure = { kind: 'no-root', host, user, sudoersLine: sudoersLine(user) } as const
  if (through === 'doas') return { ...failure, doasLine: doasLine(user) }
  return /you must have a tty/i.test(printed) ? { ...failure, wantsTerminal: true } : failure
}

/** The end of what was printed: that is where the complaint is. */
function quote(printed: string): string {
  const text = printed.trim()
  if (text === '') return ' and printed nothing.'
  return ` and printed: ${shorten(oneLine(text.slice(-500)), 300)}`
}
