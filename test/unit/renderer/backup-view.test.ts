import { describe, expect, it } from 'vitest'
import { backupProblems, firstDraft, methodChoices } from '../../../src/renderer/features/backup/backup-draft.ts'
import { estimateShown } from '../../../src/renderer/features/backup/estimate-view.ts'
import type { VmView } from '../../../src/shared/views/host-view.ts'
import type { Estimate } from '../../../src/shared/views/job-view.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'

const GIB = 1024 ** 3
const disk = (target: string, device = 'disk') => ({ target, device, type: 'file', format: 'qcow2' })
const vm = (state: string): VmView => ({
  uuid: '11111111-2222-4333-8444-555555555555',
  name: 'web1',
  state,
  ramBytes: GIB,
  vcpus: 1,
  autostart: true,
  agent: 'absent',
  disks: [disk('vda'), disk('vdb'), disk('sda', 'cdrom')]
})
const allowed = (state: string): readonly string[] =>
  methodChoices(vm(state))
    .filter(({ because }) => because === undefined)
    .map(({ value }) => value)

describe('the methods of a backup', () => {
  it.each([
    ['running', ['auto', 'live', 'disk', 'classic']],
    ['paused', ['auto', 'disk', 'classic']],
    ['shut off', ['auto', 'offline']],
    ['crashed', ['auto', 'disk']]
  ])('of a VM that is %s are %j', (state, methods) => expect(allowed(state)).toEqual(methods))

  it('say why they cannot be chosen', () => {
    const live = methodChoices(vm('shut off')).find(({ value }) => value === 'live')
    expect(live?.because).toBe('Not now: the VM is shut off. This needs one that is running.')
  })

  it('are all open for a VM whose state is not known', () => {
    expect(methodChoices(undefined).every(({ because }) => because === undefined)).toBe(true)
  })
})

describe('the choices of a backup', () => {
  const draft = firstDraft({
    ...DEFAULT_CHOICES,
    defaultStore: '/srv/points',
    defaultBudgetMs: 120,
    defaultOnBusy: 'fail'
  })

  it('begin as the settings have them', () => {
    expect(draft).toMatchObject({ store: '/srv/points', budgetMs: '120', onBusy: 'fail', method: undefined })
    expect(backupProblems(draft, vm('running'))).toEqual({})
  })

  it.each(['', ' ', '0', '-1', 'x', '3600001', 'NaN'])('take no budget of "%s"', (budgetMs) => {
    expect(backupProblems({ ...draft, budgetMs }, vm('running')).budgetMs).toBeDefined()
  })

  it('leave at least one disk; drives for CDs are none', () => {
    expect(backupProblems({ ...draft, excludeDisks: ['vda'] }, vm('running'))).toEqual({})
    expect(backupProblems({ ...draft, excludeDisks: ['vda', 'vdb'] }, vm('running')).excludeDisks).toBeDefined()
  })

  it('take no store that is not absolute', () => {
    expect(backupProblems({ ...draft, store: 'points' }, vm('running')).store).toBeDefined()
  })
})

describe('an estimate', () => {
  const estimate: Estimate = {
    method: 'live',
    methodReason: 'the VM is running',
    pauseMs: { low: 30, high: 60 },
    durationMs: { low: 20_000, high: 45_000 },
    sizeBytes: 9 * GIB,
    neededBytes: 11 * GIB,
    freeBytes: 400 * GIB,
    classicPauseMs: 6000,
    samples: 12,
    remarks: ['a\u202eb']
  }

  it('is said in words, with the reason for the method', () => {
    expect(estimateShown(estimate, 300)).toMatchObject({
      method: 'Live',
      reason: 'because the VM is running',
      pause: '30 ms to 60 ms',
      duration: '20 s to 45 s',
      room: 'needs 11 GiB, 400 GiB free',
      isOverBudget: false,
      isTooLittleRoom: false,
      remarks: ['a\\u{202e}b']
    })
  })

  it('shows the pause to the scale of what the classic method would cost', () => {
    expect(estimateShown(estimate, 300).bars).toEqual({ low: 0.5, high: 1, budget: 5, classic: 100 })
  })

  it('warns of a pause beyond the budget and of too little room', () => {
    expect(estimateShown({ ...estimate, freeBytes: GIB }, 50)).toMatchObject({
      isOverBudget: true,
      isTooLittleRoom: true
    })
  })

  it('of a VM that is off has no pause', () => {
    const off: Estimate = { ...estimate, method: 'offline', pauseMs: { low: 0, high: 0 } }
    expect(estimateShown(off, 300)).toMatchObject({ pause: undefined, isOverBudget: false })
  })

  it('says when it does not know the room, and what it was drawn from', () => {
    const { freeBytes: _, ...unknown } = estimate
    expect(estimateShown(unknown, 300)).toMatchObject({ room: 'needs 11 GiB', isTooLittleRoom: false })
    expect(estimateShown({ ...estimate, samples: 0 }, 300).from).toContain('sizes alone')
  })
})
