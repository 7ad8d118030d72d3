import { describe, expect, it, vi } from 'vitest'
import { fakeShell, type FakeCall } from '../../src/shell/fake.ts'

/** Sleeps take no time, and are summed up. */
const slept = vi.hoisted(() => ({ ms: 0 }))
vi.mock(import('node:timers/promises'), async (original) => ({
  ...(await original()),
  setTimeout: ((ms: number) => Promise.resolve((slept.ms += ms))) as never
}))
const { blockJobReady } = await import('../../src/libvirt/block-jobs.ts')

const VM = '11111111-2222-4333-8444-555555555555'
const HOURS_MS = 2 * 3_600_000

/** What virsh prints for a batch: the job on vda, and the domain, each with its mark. */
function answering(isReady: () => boolean, type = 'Active Block Commit'): (call: FakeCall) => string {
  return ({ argv }) => {
    const mark = /mark-\S+?(?=;|$)/.exec(argv.at(-1) ?? '')?.[0] ?? ''
    const mirror = isReady() ? "<mirror ready='yes'/>" : '<mirror/>'
    const xml = `<domain><devices><disk><target dev='vda'/>${mirror}</disk></devices></domain>`
    return ` type=${type}\n bandwidth=0\n cur=1\n end=2\n${mark}\n${xml}\n${mark}\n`
  }
}

describe('waiting for a block job', () => {
  // engine.md finding 43: each look starts a virsh, which takes a processor for a while.
  it('of hours looks twice a second at most, and of moments at once', async () => {
    const hours = fakeShell(answering(() => slept.ms >= HOURS_MS))
    expect(await blockJobReady(hours, VM, 'vda', 'active-commit')).toBe('ready')
    expect(hours.calls.length).toBeLessThan(HOURS_MS / 500 + 10)
    slept.ms = 0
    const moments = fakeShell(answering(() => slept.ms >= 10))
    expect(await blockJobReady(moments, VM, 'vda', 'active-commit')).toBe('ready')
    expect(slept.ms).toBe(10)
  })

  it('that somebody has begun since, of another kind, finds that its own is gone', async () => {
    const copying = fakeShell(answering(() => true, 'Block Copy'))
    expect(await blockJobReady(copying, VM, 'vda', 'active-commit')).toBe('gone')
    expect(await blockJobReady(copying, VM, 'vda', 'copy')).toBe('ready')
  })
})
