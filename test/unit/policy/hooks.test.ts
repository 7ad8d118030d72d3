import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runHook } from '../../../src/engine/policy/hooks.ts'
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
