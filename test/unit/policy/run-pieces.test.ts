import { describe, expect, it } from 'vitest'
import { fitToVm } from '../../../src/engine/policy/fit-to-vm.ts'
import { runReportOf, stateOf } from '../../../src/engine/policy/run-report.ts'
import { select } from '../../../src/engine/policy/select.ts'
import { workThrough } from '../../../src/engine/policy/work-through.ts'
import type { RunEntry, RunReport, RunVm } from '../../../src/shared/model/policy.ts'

const WEB = { uuid: '11111111-1111-4111-8111-111111111111', name: 'web' }
const DB = { uuid: '22222222-2222-4222-8222-222222222222', name: 'db' }

describe('which VMs a run finds', () => {
  it('knows a chosen one by its UUID under whatever name, and says which are gone', () => {
    const renamed = { ...WEB, name: 'web anew' }
    expect(select({ kind: 'chosen', vms: [WEB, DB] }, [renamed])).toEqual({ vms: [renamed], gone: [DB] })
  })

  it('misses nobody of a pattern that nothing fits', () => {
    expect(select({ kind: 'pattern', patterns: ['mail*'], exclude: [] }, [WEB, DB])).toEqual({ vms: [], gone: [] })
  })

  it('takes what is new on the host, but for what is excluded', () => {
    expect(select({ kind: 'all', exclude: ['d?'] }, [WEB, DB]).vms).toEqual([WEB])
  })
})

describe('what of a policy fits a VM', () => {
  const domain = { disks: [{ target: 'vda' }], devicesWithoutSavableState: [] } as unknown as Parameters<
    typeof fitToVm
  >[2]

  it('keeps the method where the VM allows it, and leaves out only disks that are there', () => {
    const policy = { method: 'live' as const, excludeDisks: ['vda', 'vdz'] }
    expect(fitToVm(policy, 'running', domain)).toEqual({ method: 'live', excludeDisks: ['vda'] })
  })

  it.each([
    ['shut off', [], 'the VM is shut off'],
    ['running', ['hostdev'], 'hostdev']
  ])('gives up live for one that is %s with devices %j, and says why', (state, devicesWithoutSavableState, why) => {
    const fitted = fitToVm({ method: 'live' }, state, { ...domain, devicesWithoutSavableState })
    expect(fitted.method).toBeUndefined()
    expect(fitted.reason).toContain(why)
  })
})

describe('the queue of a run', () => {
  it('keeps the order, puts off who is busy, and never has more at work than it may', async () => {
    const order: string[] = []
    let busy = 2
    let atWork = 0
    let most = 0
    await workThrough(
      ['a', 'b', 'c', 'd'],
      async (item) => {
        most = Math.max(most, ++atWork)
        await Promise.resolve()
        atWork -= 1
        if (item === 'b' && busy-- > 0) return 'later'
        order.push(item)
        return 'done'
      },
      { workers: 2, againAfterMs: 20 }
    )
    expect(order).toEqual(['a', 'c', 'd', 'b'])
    expect(most).toBe(2)
  })

  it('ends at once without anything to do', async () => {
    await expect(
      workThrough([], () => Promise.resolve('done'), { workers: 1, againAfterMs: 20 })
    ).resolves.toBeUndefined()
  })
})

describe('what a journal says of its run', () => {
  const report: RunReport = {
    id: '20261125T020000Z-000001',
    policy: { id: '0123456789ab', name: 'nightly' },
    host: 'kvm-1',
    trigger: 'timer',
    startedAt: '2026-11-25T02:00:00.000Z',
    state: 'running',
    missed: [],
    missedCount: 0,
    vms: [],
    told: [],
    warnings: []
  }
  const stamped = (events: readonly object[]): RunEntry[] =>
    events.map((event, n) => ({ n, at: report.startedAt, ...event }) as RunEntry)
  const vm = (named: RunVm['vm'], outcome: RunVm['outcome']): RunVm => ({ vm: named, outcome })

  it('is the last word on each VM, in the order in which they were first named', () => {
    const entries = stamped([
      { type: 'begin', report, bootId: 'b' },
      { type: 'vm', vm: vm(WEB, 'waiting') },
      { type: 'vm', vm: vm(DB, 'waiting') },
      { type: 'vm', vm: vm(WEB, 'done') },
      { type: 'warning', text: 'hm' }
    ])
    expect(runReportOf(entries)).toMatchObject({
      state: 'running',
      vms: [vm(WEB, 'done'), vm(DB, 'waiting')],
      warnings: ['hm']
    })
  })

  it('is nothing before it has begun, and its own end once it has one', () => {
    expect(runReportOf([])).toBeUndefined()
    const ended: RunReport = { ...report, state: 'skipped', endedAt: report.startedAt }
    const entries = stamped([
      { type: 'begin', report, bootId: 'b' },
      { type: 'end', report: ended }
    ])
    expect(runReportOf(entries)).toEqual(ended)
  })

  it.each<[RunVm['outcome'][], RunReport['state']]>([
    [['done', 'done'], 'done'],
    [['done', 'skipped'], 'done-with-warnings'],
    [['done', 'failed'], 'failed'],
    [['skipped', 'skipped'], 'skipped'],
    [[], 'done']
  ])('calls a run whose VMs are %j %s', (outcomes, state) => {
    expect(stateOf({ ...report, vms: outcomes.map((outcome) => vm(WEB, outcome)) })).toBe(state)
  })
})
