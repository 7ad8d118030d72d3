import { describe, expect, it } from 'vitest'
import { editorOf, takenNames } from '../../../src/renderer/features/schedules/editor-view.ts'
import { keepFormOf, keepRulesOf, withPreset } from '../../../src/renderer/features/schedules/keep-form.ts'
import {
  draftOf,
  firstForm,
  formOfPolicy,
  type PolicyForm
} from '../../../src/renderer/features/schedules/policy-form.ts'
import { policyProblems } from '../../../src/renderer/features/schedules/policy-problems.ts'
import { withKind } from '../../../src/renderer/features/schedules/when-form.ts'
import { PolicyDraft, type HostPolicies } from '../../../src/shared/views/policy-view.ts'
import type { Policy } from '../../../src/shared/model/policy.ts'
import { DEFAULT_KEEP, simplePreset } from '../../../src/shared/retention/presets.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { aPolicy } from './a-policy.ts'

const asDraft = ({ version: _v, hostName: _h, changedAt: _c, ...draft }: Policy): PolicyDraft => draft
const uuid = '11111111-2222-4333-8444-555555555555'
const first = firstForm('alpha', DEFAULT_CHOICES)
const named: PolicyForm = { ...first, name: 'Nightly' }
const problemsOf = (change: Partial<PolicyForm>, taken: readonly string[] = []) =>
  policyProblems({ ...named, ...change }, taken)

describe('the form of a schedule', () => {
  it.each<[string, Partial<Policy>]>([
    ['every night', {}],
    ['by name', { vms: { kind: 'pattern', patterns: ['db*', '*,odd'], exclude: ['db-test'] } }],
    ['chosen ones', { vms: { kind: 'chosen', vms: [{ uuid, name: 'web1' }] } }],
    [
      'every 4 hours in a window',
      { schedule: { calendar: '*-*-* 00/4:15:00', jitterSeconds: 0, window: { from: '22:00', to: '06:00' } } }
    ],
    ['weekly', { schedule: { calendar: 'Mon,Fri *-*-* 18:00:00', jitterSeconds: 90 } }],
    ['a jitter that is no round part of a minute', { schedule: { calendar: '*-*-* 02:30:00', jitterSeconds: 100 } }],
    ['the last of the month', { schedule: { calendar: '*-*~01 03:30:00', jitterSeconds: 0 } }],
    [
      'an expression of its own',
      { schedule: { calendar: 'Mon..Fri *-*-1..7 18:00,19:30 Europe/Rome', jitterSeconds: 0 } }
    ],
    [
      'a method, disks and a store',
      { method: 'disk', budgetMs: 40.5, onBusy: 'fail', excludeDisks: ['vdb'], store: '/srv/points' }
    ],
    ['media of drives', { media: true }],
    ['simple', { keep: simplePreset(2) }],
    ['for ever', { keep: { floor: 3, graceHours: 24 } }],
    ['rules of its own', { keep: { last: 0, hourly: 24, yearly: 2, memory: 0, floor: 1, graceHours: 0.5 } }],
    ['told', { tell: { onSuccess: true, onFailure: false, digest: 'weekly', mailTo: ['a@example.org'] } }],
    ['hooks', { hooks: { before: { command: 'true', deadlineSeconds: 9 }, beforeMustSucceed: true } }],
    ['alarm and pause', { expectEveryHours: 30, pausedUntil: '2027-01-01T00:00:00.000Z' }]
  ])('gives back what it was made of: %s', (_, change) => {
    const policy = aPolicy(change)
    expect(draftOf(formOfPolicy(policy, 'alpha'), policy.id)).toEqual(asDraft(policy))
  })

  it('begins with something that only lacks a name', () => {
    expect(Object.keys(policyProblems(first, []))).toEqual(['name'])
    const draft = draftOf(named, undefined)
    expect(PolicyDraft.parse(draft)).toEqual(draft)
    expect(draft).toMatchObject({ vms: { kind: 'all' }, keep: DEFAULT_KEEP, tell: { onFailure: true } })
    expect(draft).not.toHaveProperty('id')
  })

  it('loses nothing while one compares kinds of times', () => {
    const weekly = withKind({ ...first.when, days: [0, 2], time: '18:00' }, 'weekly')
    const text = withKind(weekly, 'calendar')
    expect(text.text).toBe('Mon,Wed *-*-* 18:00:00')
    expect(withKind(text, 'weekly')).toMatchObject({ kind: 'weekly', days: [0, 2], time: '18:00' })
  })

  it('goes on from a preset', () => {
    const custom = withPreset(withPreset(first.keep, 'simple', 1), 'custom')
    expect(custom).toMatchObject({ last: '1', daily: '', floor: '1' })
    expect(keepRulesOf(custom)).toEqual(simplePreset(1))
    expect(keepFormOf({ ...DEFAULT_KEEP, daily: 8 }).preset).toBe('custom')
  })
})

describe('what is wrong with a form', () => {
  it('is told at its field', () => {
    expect(problemsOf({})).toEqual({})
    expect(problemsOf({ name: ' ' })).toHaveProperty('name')
    expect(problemsOf({ name: 'Nightly ' }, ['Nightly'])).toHaveProperty('name')
    expect(problemsOf({ name: 'a\u0007b' })).toHaveProperty('name')
    expect(problemsOf({ budgetMs: '0' })).toHaveProperty('budgetMs')
    expect(problemsOf({ store: 'points' })).toHaveProperty('store')
    expect(problemsOf({ expectHours: 'often' })).toHaveProperty('expectHours')
    expect(problemsOf({ tell: { ...first.tell, mailTo: ['a@example.org', 'nobody'] } })).toHaveProperty('mailTo')
    expect(problemsOf({ vms: { ...first.vms, kind: 'pattern' } })).toHaveProperty('patterns')
    expect(problemsOf({ vms: { ...first.vms, kind: 'chosen' } })).toHaveProperty('chosen')
    expect(problemsOf({ hooks: { ...first.hooks, before: 'true', beforeSeconds: '0' } })).toHaveProperty(
      'beforeSeconds'
    )
  })

  it('is told of times', () => {
    const when = (change: Partial<PolicyForm['when']>) => problemsOf({ when: { ...first.when, ...change } })
    expect(when({ kind: 'calendar', text: '25:00' }).calendar).toBeTypeOf('string')
    expect(when({ kind: 'calendar', text: '' })).toHaveProperty('calendar')
    expect(when({ kind: 'hours', minute: '60' })).toHaveProperty('minute')
    expect(when({ kind: 'weekly', days: [] })).toHaveProperty('days')
    expect(when({ time: '' })).toHaveProperty('time')
    expect(when({ jitterMinutes: '-1' })).toHaveProperty('jitterMinutes')
    expect(when({ isWindowed: true, to: '' })).toHaveProperty('window')
    expect(when({ isWindowed: true, from: '06:00', to: '06:00' })).toHaveProperty('window')
  })

  it('counts only in the fields that are in use', () => {
    const keep = { ...first.keep, daily: 'many', floor: '0' }
    expect(problemsOf({ keep })).toEqual({})
    expect(Object.keys(problemsOf({ keep: { ...keep, preset: 'custom' } }))).toEqual(['daily', 'floor'])
    expect(problemsOf({ hooks: { ...first.hooks, beforeSeconds: 'x' } })).toEqual({})
  })
})

describe('the form that is opened', () => {
  const at = {
    host: 'alpha',
    policies: [{ policy: aPolicy({ pausedUntil: '2030-01-01T00:00:00.000Z' }) }]
  } as unknown as HostPolicies
  const known = { policies: { hosts: [at], known: true }, hosts: [], choices: DEFAULT_CHOICES }
  const { id } = aPolicy()

  it('is that of a policy, or one like it that is not paused and has another name', () => {
    expect(editorOf({ edit: 'change', host: 'alpha', policy: id }, known)).toMatchObject({
      id,
      form: { name: 'Every night' }
    })
    const copy = editorOf({ edit: 'copy', host: 'alpha', policy: id }, known)
    expect(copy).toMatchObject({ id: undefined, form: { name: 'Every night (copy)', pausedUntil: undefined } })
  })

  it('is none while the policy is not known', () => {
    expect(editorOf({ edit: 'change', host: 'beta', policy: id }, known)).toBeUndefined()
    expect(
      editorOf({ edit: 'new', host: undefined, policy: undefined }, { ...known, hosts: undefined })
    ).toBeUndefined()
  })

  it('may keep its own name', () => {
    expect(takenNames('alpha', id, known.policies)).toEqual([])
    expect(takenNames('alpha', undefined, known.policies)).toEqual(['Every night'])
  })
})
