import { fail } from '../../../shared/failure.ts'
import type { Argv } from '../../../shared/shell.ts'

/**
 * The one place where anything is quoted.
 *
 * What is sent to sshd is run by the user's login shell, and who knows which that is. So it gets a constant line
 * of which sh, bash, zsh, fish and csh make the same, with nothing of ours in it. The program and its arguments come as
 * one line of base64 on stdin, decoded and run by /bin/sh. `read` takes that line byte by byte, as POSIX demands of it,
 * so all behind it is left for the program's own stdin. Neither the login shell's limits on a line nor the kernel's
 * limit on one argument apply to it, and `exec` makes exit codes and signals those of the program.
 */
const bootstrap = `/bin/sh -c 'IFS= read -r s; eval "$(printf %s "$s" | base64 -d)"'`

/** As whom a program runs: the login's user, or root through a program that gives his rights. */
export type Through = 'login' | 'sudo' | 'doas'

/** Neither sudo nor doas ever asks here. */
export const commandLine = (through: Through): string =>
  through === 'login' ? `exec ${bootstrap}` : `exec ${through} -n -- ${bootstrap}`

/** The kernel's limits: one argument (32 pages), and all of them with the environment (a quarter of an 8 MiB stack). */
const MAX_ARGUMENT_BYTES = 131_071
const MAX_ARGUMENTS_BYTES = 1_900_000

/** A word that any sh reads back as exactly this text. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/**
 * The first line of stdin. The script it holds prints `marker` on both streams, on stdout with the process's id, its
 * session and whether there is such a program, and then becomes the program. Everything before is noise of the login.
 */
export function firstLine(argv: Argv, env: Readonly<Record<string, string>>, marker: string): string {
  refuseImpossible([...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)])
  const script = [
    'read -r s < "/proc/$$/stat"',
    'set -- ${s##*) }', // state, parent, process group, session
    's=$4',
    'PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
    `export PATH ${exports({ LC_ALL: 'C', ...env })}`,
    `set -- ${argv.map(quoted).join(' ')}`,
    'if command -v -- "$1" >/dev/null 2>&1; then f=found; else f=missing; fi',
    `printf '\\n%s %s %s %s\\n' ${marker} "$$" "$s" "$f"`,
    `printf '\\n%s\\n' ${marker} >&2`,
    '[ "$f" = found ] || exit 127',
    'exec "$@"'
  ]
  return `${Buffer.from(script.join('\n')).toString('base64')}\n`
}

function exports(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) fail({ kind: 'usage', message: `no name for a variable: ${name}` })
      return `${name}=${quoted(value)}`
    })
    .join(' ')
}

function refuseImpossible(words: readonly string[]): void {
  const sizes = words.map((word) => Buffer.byteLength(word) + 1)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (words.some((word) => word.includes('\0'))) fail({ kind: 'usage', message: 'an argument holds a NUL character' })
  if (Math.max(...sizes) > MAX_ARGUMENT_BYTES || total > MAX_ARGUMENTS_BYTES)
    fail({ kind: 'usage', message: `the arguments of ${words[0] ?? ''} are longer (${total} bytes) than a host takes` })
}

/**
 * Ends all processes of a session: TERM, KILL after two seconds, until none is left. Exit code 1: some would not go.
 * Only what /bin/sh itself can do; hosts need not have procps.
 */
export const endSession = (session: string): Argv => ['/bin/sh', '-c', endSessionScript, 'sh', session]

const endSessionScript = `
session=$1
find_left() {
  left=
  for f in /proc/[0-9]*/stat; do
    { read -r s < "$f"; } 2>/dev/null || continue
    set -- \${s##*) }
    if [ "$4" = "$session" ] && [ "$1" != Z ]; then f=\${f#/proc/}; left="$left \${f%/stat}"; fi
  done
  [ -n "$left" ]
}
n=0
while find_left; do
  [ $n -eq 0 ] && kill -TERM $left 2>/dev/null
  [ $n -ge 10 ] && kill -KILL $left 2>/dev/null
  [ $n -gt 25 ] && exit 1
  n=$((n + 1))
  sleep 0.2 2>/dev/null || sleep 1
done
exit 0`
