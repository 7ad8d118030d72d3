import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import * as z from 'zod'
import { answererOf } from '../../src/main/doors/answer.ts'
import { openPushes } from '../../src/main/doors/pushes.ts'
import { bridgeOver } from '../../src/shared/bridge.ts'
import { contract, type Bridge, type Handlers } from '../../src/shared/contract.ts'
import type { PointsView } from '../../src/shared/views/point-view.ts'
import { call, kindsOf, push, type HandlersOf } from '../../src/shared/contract-shape.ts'
import { StillpointError } from '../../src/shared/failure.ts'

const sample = {
  vms: {
    rename: call(z.object({ name: z.string().max(10) }), z.object({ name: z.string() })),
    count: call(z.void(), z.number()),
    changed: push(z.array(z.string()))
  }
} as const
type SampleHandlers = HandlersOf<typeof sample>

const handlers: SampleHandlers = {
  vms: {
    rename: ({ name }) => Promise.resolve({ name, secret: 'stays here' }),
    count: () => Promise.resolve(7),
    changed: () => () => undefined
  }
}
const answererWith = (changes: Partial<SampleHandlers['vms']> = {}, report = vi.fn()) =>
  answererOf(sample, { vms: { ...handlers.vms, ...changes } }, report)

describe('the contract', () => {
  it('makes a missing, a superfluous and a wrong handler fail to compile', () => {
    // @ts-expect-error -- `acknowledge` is missing
    const missing: Handlers['notices'] = { changed: () => () => undefined }
    const superfluous: Handlers['notices'] = {
      changed: () => () => undefined,
      acknowledge: () => Promise.resolve(),
      // @ts-expect-error -- `forget` is in no contract
      forget: 1
    }
    // @ts-expect-error -- a number is no list of hosts
    const wrong: Handlers['hosts']['sshEntries'] = () => Promise.resolve(1)
    expect([missing, superfluous, wrong]).toHaveLength(3)
  })

  it('gives the window functions of the same names, with results behind them', () => {
    expectTypeOf<Bridge['hosts']['sshEntries']>().parameters.toEqualTypeOf<[]>()
    expectTypeOf<Parameters<Parameters<Bridge['points']['changed']>[0]>[0]>().toEqualTypeOf<PointsView>()
    expect(kindsOf(contract)['notices']).toEqual({ changed: 'push', acknowledge: 'call' })
  })
})

describe('answering a question', () => {
  it('hands a valid question to its handler, and lets out only what the contract names', async () => {
    expect(await answererWith()('vms.rename', [{ name: 'web' }])).toEqual({ ok: true, value: { name: 'web' } })
    expect(await answererWith()('vms.count', [])).toEqual({ ok: true, value: 7 })
  })

  it.each([
    ['a question of the wrong shape', 'vms.rename', [{ name: 1 }]],
    ['a value over its limit', 'vms.rename', [{ name: 'x'.repeat(11) }]],
    ['no question where one is needed', 'vms.rename', []],
    ['extra arguments', 'vms.rename', [{ name: 'web' }, 'more']],
    ['a question where none is asked for', 'vms.count', ['more']],
    ['an unknown channel', 'vms.destroy', []],
    ['a push', 'vms.changed', []],
    ['an inherited name', 'vms.constructor', []],
    ['a prototype', '__proto__.toString', []],
    ['an empty name', '', []]
  ])('refuses %s, and asks no handler', async (_what, channel, question) => {
    const rename = vi.fn(handlers.vms.rename)
    const count = vi.fn(handlers.vms.count)
    const reply = await answererWith({ rename, count })(channel, question)
    expect(reply).toMatchObject({ ok: false, failure: { kind: 'usage' } })
    expect(rename).not.toHaveBeenCalled()
    expect(count).not.toHaveBeenCalled()
  })

  it('passes a failure on as data', async () => {
    const count = () => Promise.reject(new StillpointError({ kind: 'missing-tool', tool: 'virsh' }))
    const reply = await answererWith({ count })('vms.count', [])
    expect(reply).toEqual({ ok: false, failure: { kind: 'missing-tool', tool: 'virsh' } })
  })

  it.each([
    ['a handler that throws', () => Promise.reject(new Error('secret path /root'))],
    ['an answer that is not as the contract says', () => Promise.resolve('seven' as unknown as number)]
  ])('turns %s into a reference, and keeps the stack for the log', async (_what, count) => {
    const report = vi.fn()
    const reply = await answererWith({ count }, report)('vms.count', [])
    expect(reply).toMatchObject({ ok: false, failure: { kind: 'bug', message: '' } })
    const reference = reply.ok || reply.failure.kind !== 'bug' ? undefined : reply.failure.reference
    expect(report).toHaveBeenCalledWith(expect.objectContaining({ reference }))
  })
})

describe('pushing', () => {
  function pushing() {
    const heard: { listener?: (value: string[]) => void } = {}
    const changed: SampleHandlers['vms']['changed'] = (listener) => {
      heard.listener = listener
      return () => delete heard.listener
    }
    const send = vi.fn()
    const report = vi.fn()
    const pushes = openPushes(sample, { vms: { ...handlers.vms, changed } }, report)
    pushes.listen(send)
    return { heard, send, report, pushes }
  }

  it('passes values on under their name until it is stopped', () => {
    const { heard, send, pushes } = pushing()
    heard.listener?.(['web'])
    expect(send).toHaveBeenCalledExactlyOnceWith('vms.changed', '["web"]')
    pushes.stop()
    expect(heard.listener).toBeUndefined()
  })

  it('keeps the last value for whoever comes late', () => {
    const { heard, pushes } = pushing()
    expect(pushes.latest('vms.changed')).toBeUndefined()
    heard.listener?.(['web'])
    heard.listener?.(['web', 'db'])
    expect(pushes.latest('vms.changed')).toEqual({ json: '["web","db"]' })
  })

  it('keeps back and reports a value that is not as the contract says', () => {
    const { heard, send, report } = pushing()
    heard.listener?.('web' as unknown as string[])
    expect(send).not.toHaveBeenCalled()
    expect(report).toHaveBeenCalledOnce()
  })

  it('leaves out an entry that is not as the contract says, and no other', () => {
    const { heard, send, report } = pushing()
    heard.listener?.(['web', 1, 'db'] as unknown as string[])
    expect(send).toHaveBeenCalledExactlyOnceWith('vms.changed', '["web","db"]')
    expect(report).toHaveBeenCalledOnce()
  })

  it('writes down once what is wrong again and again', () => {
    const { heard, report } = pushing()
    for (const _ of 'again and again') heard.listener?.(['web', 1] as unknown as string[])
    heard.listener?.([1, 'db'] as unknown as string[])
    expect(report).toHaveBeenCalledOnce()
  })
})

describe('the bridge', () => {
  const transport = () => ({
    ask: vi.fn(() => Promise.resolve('answer')),
    listen: vi.fn(() => () => undefined)
  })

  it('is frozen, and has the functions of the contract and no others', () => {
    const bridge = bridgeOver(kindsOf(contract), transport()) as Bridge
    expect(Object.isFrozen(bridge) && Object.isFrozen(bridge.hosts)).toBe(true)
    expect(Object.keys(bridge)).toEqual(Object.keys(contract))
    expect(Object.keys(bridge.notices)).toEqual(['changed', 'acknowledge'])
  })

  it('asks and listens by the names on the wire', async () => {
    const way = transport()
    const bridge = bridgeOver(kindsOf(contract), way) as Bridge
    expect(await bridge.hosts.sshEntries()).toBe('answer')
    bridge.hosts.changed(() => undefined)
    expect(way.ask).toHaveBeenCalledWith('hosts.sshEntries', [])
    expect(way.listen).toHaveBeenCalledWith('hosts.changed', expect.any(Function))
  })
})
