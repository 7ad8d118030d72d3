import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runHook } from '../../../src/engine/policy/hooks.ts'
import { localShell } from '../../../src/shell/local.ts'

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
    expect(await runHook(shell, { command, deadlineSeconds: 5 }, before)).toBeUndefined()
    expect(readFileSync(`${folder}/said`, 'utf8')).toBe('nightly\n$(touch x) "web"\nbefore\nnone\n')
  })

  it('that fails is told with the end of what it said, made harmless', async () => {
    const command = `yes long | head -c 100000; printf 'no \\033[31mroom' >&2; sleep 0.1; exit 7`
    const problem = await runHook(shell, { command, deadlineSeconds: 5 }, before)
    expect(problem).toMatch(/^the before hook ended with exit code 7: /)
    expect(problem).toMatch(/no \\u\{1b\}\[31mroom$/)
    expect(problem?.length).toBeLessThan(1200)
  })

  it('is ended at its deadline with all that it started', { timeout: 15_000 }, async () => {
    const command = `(sleep 3; echo late > ${folder}/late) & echo waiting; wait`
    const problem = await runHook(
      shell,
      { command, deadlineSeconds: 1 },
      { ...before, phase: 'after', outcome: 'done' }
    )
    expect(problem).toBe('the after hook was ended after 1.0 s: waiting')
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(() => readFileSync(`${folder}/late`)).toThrow()
  })
})
