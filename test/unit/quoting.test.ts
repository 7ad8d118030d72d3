import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commandLine, endSession, firstLine } from '../../src/main/core/ssh/quoting.ts'
import type { Argv } from '../../src/shared/shell.ts'

const MARKER = 'c0ffee'

/** What sshd does: the login shell gets the line, the rest comes on stdin. */
function runBy(
  shell: string,
  argv: Argv,
  stdin = '',
  env = {}
): { head: string[]; stdout: string; stderr: string; status: number | null } {
  const input = Buffer.concat([Buffer.from(firstLine(argv, env, MARKER)), Buffer.from(stdin)])
  const { stdout, stderr, status } = spawnSync(shell, ['-c', commandLine('login')], {
    input,
    env: { ...process.env, SHLVL: '2' } // else bash takes us for sshd and runs this account's .bashrc
  })
  const [, head = '', ...rest] = stdout.toString().split('\n')
  return { head: head.split(' '), stdout: rest.join('\n'), stderr: stderr.toString(), status }
}

const shells = ['sh', 'bash', 'dash', 'zsh', 'ksh', 'fish', 'tcsh', 'csh'].filter((shell) =>
  existsSync(`/usr/bin/${shell}`)
)

describe.each(shells)('a command sent to %s', (shell) => {
  it('prints the marker on both streams and becomes the program', () => {
    const { head, stdout, stderr, status } = runBy(shell, ['sh', '-c', 'cat; echo err >&2; exit 3'], 'the rest\n\\n')
    expect(head).toEqual([MARKER, expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/), 'found'])
    expect({ stdout, stderr, status }).toEqual({ stdout: 'the rest\n\\n', stderr: `\n${MARKER}\nerr\n`, status: 3 })
  })

  it('tells whether there is such a program', () => {
    expect(runBy(shell, ['stillpoint-none']).head.at(-1)).toBe('missing')
    expect(runBy(shell, ['-v']).head.at(-1)).toBe('missing')
  })

  it('carries any argument and any variable', () => {
    const word = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '').toWellFormed())
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), word, (words, value) => {
        const { stdout } = runBy(shell, ['sh', '-c', 'printf "%s\\0" "$V" "$@"', 'sh', ...words], '', { V: value })
        expect(stdout.split('\0')).toEqual([value, ...words, ''])
      }),
      { numRuns: 15 }
    )
  })
})

describe('what is sent', () => {
  it('is the same line for every program', () => {
    expect(commandLine('login')).toBe(`exec /bin/sh -c 'IFS= read -r s; eval "$(printf %s "$s" | base64 -d)"'`)
    expect(commandLine('sudo')).toBe(
      `exec sudo -n -- /bin/sh -c 'IFS= read -r s; eval "$(printf %s "$s" | base64 -d)"'`
    )
  })

  it('is one line of base64 besides', () => {
    expect(firstLine(['a', 'b\nc'], { X: '\n' }, MARKER)).toMatch(/^[A-Za-z0-9+/=]+\n$/)
  })

  it.each([
    ['a NUL', ['x', 'a\0b']],
    ['an argument that is too long', ['x', 'a'.repeat(131_072)]],
    ['too much altogether', ['x', ...Array.from({ length: 20 }, () => 'a'.repeat(100_000))]]
  ] as const)('is refused with %s', (_, argv) => {
    expect(() => firstLine(argv as unknown as Argv, {}, MARKER)).toThrow(/usage/)
  })

  it.each(['', 'A B', 'A=', '1A', 'A;id', 'Ä'])('is refused with a variable called %j', (name) => {
    expect(() => firstLine(['x'], { [name]: '' }, MARKER)).toThrow(/usage/)
  })
})

describe('ending a session', () => {
  it('is done when there is none', () => {
    const [program, ...args] = endSession('999999999')
    expect(execFileSync(program, args).toString()).toBe('')
  })
})
