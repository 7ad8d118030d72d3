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
function answering(isReady: () => boolean): (call: FakeCall) => string {
  return ({ argv }) => {
    const mark = /mark-\S+?(?=;|$)/.exec(argv.at(-1) ?? '')?.[0] ?? ''
    const mirror = isReady() ? "<mirror ready='yes'/>" : '<mirror/>'
    const xml = `<domain><devices><disk><target dev='vda'/>${mirror}</disk></devices></domain>`
    return ` type=Active Block Commit\n bandwidth=0\n cur=1\n end=2\n${mark}\n${xml}\n${mark}\n`
  }
}

describe('waiting for a block job', () => {
  // engine.md finding 43: each look starts a virsh, which takes a processor for a while.
  it('of hours looks twice a second at most, and of moments at once', async () => {
    const hours = fakeShell(answering(() => slept.ms >= HOURS_MS))
    expect(await blockJobReady(hours, VM, 'vda')).toBe('ready')
    expect(hours.calls.length).toBeLessThan(HOURS_MS / 500 + 10)
    slept.ms = 0
    expect(await blockJobReady(fakeShell(answering(() => slept.ms >= 10)), VM, 'vda')).toBe('ready')
    expect(slept.ms).toBe(10)
  })
})
