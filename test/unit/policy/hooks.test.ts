import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runHook } from '../../../src/engine/policy/hooks.ts'
import type { Shell } from '../../../src/shared/shell.ts'
import { localShell } from '../../../src/shell/local.ts'
import { pidsOf, uniqueSeconds } from '../../processes-with.ts'
import { eventually } from '../../patience.ts'

const shell = localShell()
const vm = { uuid: '11111111-1111-4111-8111-111111111111', name: '$(touch x) "web"' }
const before = { policy: 'nightly', vm, phase: 'before' } as const
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-hooks-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a hook', () => {
  it('goes well with exit code 0 and learns of the VM as plain text', async () => {
    const command = `printf '%s\\n' "$STILLPOINT_POLICY" "$STILLPOINT_VM" "$STILLPOINT_PHASE" "\${STILLPOINT_OUTCOME-none}" > ${folder}/said`
    expect(await runHook(shell, { command, deadlineSeconds: 600 }, before)).toBeUndefined()
    expect(readFileSync(`${folder}/said`, 'utf8')).toBe('nightly\n$(touch x) "web"\nbefore\nnone\n')
  })

  it('that fails is told with the end of what it said, made harmless', async () => {
    const command = `yes long | head -c 100000; printf 'no \\033[31mroom' >&2; sleep 0.1; exit 7`
    const problem = await runHook(shell, { command, deadlineSeconds: 600 }, before)
    expect(problem).toMatch(/^the before hook ended with exit code 7: /)
    expect(problem).toMatch(/no \\u\{1b\}\[31mroom$/)
    expect(problem?.length).toBeLessThan(1200)
  })

  it('is in the arguments and the environment of no program, its own children included', async () => {
    const secret = `hunter2-${uniqueSeconds()}`
    const look = `for p in self $$; do tr '\\0' '\\n' < /proc/$p/cmdline; tr '\\0' '\\n' < /proc/$p/environ; done`
    const command = `PGPASSWORD='${secret}'\n(${look}; env; set) > ${folder}/seen; ps -eo args > ${folder}/all`
    expect(await runHook(shell, { command, deadlineSeconds: 600 }, before)).toBeUndefined()
    const seen = readFileSync(`${folder}/seen`, 'utf8')
    expect(seen).toContain('STILLPOINT_PHASE=before')
    expect(seen.split('\n').filter((line) => line.includes(secret))).toEqual([`PGPASSWORD='${secret}'`]) // its own `set`
    expect(readFileSync(`${folder}/all`, 'utf8')).not.toContain(secret)
  })

  it.each([
    ['of several lines, with a document in it', 'a=$(cat <<EOF\nx $((1 + 2))\nEOF\n)\n[ "$a" = "x 3" ]'],
    ['that ends in a comment', 'true # well'],
    ['that reads its input: there is none', '[ -z "$(cat)" ]'],
    ['without arguments', '[ $# = 0 ]'],
    ['that asks for its own text', '[ -z "${STILLPOINT_HOOK+set}" ]'],
    ['with quotes, signs and an end like ours', `[ 'a"b\\$x' = "a\\"b\\\\\\$x" ] # all of the hook`],
    ['as long as they may be', `${': '.repeat(2040)}; true`]
  ])('runs as it would by itself: one %s', async (_, command) => {
    expect(await runHook(shell, { command, deadlineSeconds: 600 }, before)).toBeUndefined()
  })

  it('does not begin unless it came whole', async () => {
    const cut: Shell = {
      label: 'cut',
      run: (argv, options) => shell.run(argv, { ...options, stdin: (options?.stdin as string).slice(0, -30) })
    }
    const command = `: > ${folder}/begun\n: > ${folder}/begun-too`
    expect(await runHook(cut, { command, deadlineSeconds: 600 }, before)).toMatch(/exit code 125/)
    expect(existsSync(`${folder}/begun`)).toBe(false)
  })

  it('is ended at its deadline with all that it started', async () => {
    const token = uniqueSeconds()
    const command = `sleep ${token} & echo waiting; : > ${folder}/begun; wait`
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const after = { ...before, phase: 'after', outcome: 'done' } as const
    const ended = runHook(shell, { command, deadlineSeconds: 60 }, after)
    while (!existsSync(`${folder}/begun`) || pidsOf(token).length === 0) await turn()
    await turn() // what it has said comes in
    vi.advanceTimersByTime(60_000)
    vi.useRealTimers()
    expect(await ended).toBe('the after hook was ended after 1 min: waiting')
    await eventually(() => expect(pidsOf(token)).toEqual([]))
  })
})
