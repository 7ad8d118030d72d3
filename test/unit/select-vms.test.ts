import { describe, expect, it } from 'vitest'
import type { VmSelection } from '../../src/shared/model/policy.ts'
import { selectVms } from '../../src/shared/select-vms.ts'
import { uuidOf } from '../e2e/fake-data.ts'

const names = ['web1', 'web10', 'db', 'Web2', 'a*b', '💾', '']
const vms = names.map((name, n) => ({ uuid: uuidOf(n), name }))
const selected = (selection: VmSelection): readonly string[] => selectVms(selection, vms).map(({ name }) => name)
const pattern = (patterns: string[], exclude: string[] = []): VmSelection => ({ kind: 'pattern', patterns, exclude })

describe('the VMs that a policy means', () => {
  it.each<[string, VmSelection, readonly string[]]>([
    ['all', { kind: 'all', exclude: [] }, names],
    ['all but some', { kind: 'all', exclude: ['web*', 'd?'] }, ['Web2', 'a*b', '💾', '']],
    ['by a whole name', pattern(['db']), ['db']],
    ['never by a part of it', pattern(['web']), []],
    ['by `*`', pattern(['web*']), ['web1', 'web10']],
    ['by `?`', pattern(['web?']), ['web1']],
    ['by one of several', pattern(['db', '*2']), ['db', 'Web2']],
    ['but what is excluded', pattern(['*'], ['w*', 'a*', uuidOf(5)]), ['db', 'Web2', '']],
    ['by UUID', pattern([uuidOf(2)]), ['db']],
    ['never by a part of its UUID', pattern([`${uuidOf(2).slice(0, 3)}*`, `*${uuidOf(2).slice(-3)}`]), []],
    ['by UUID, whatever it is called', { kind: 'chosen', vms: [{ uuid: uuidOf(2), name: 'was db' }] }, ['db']]
  ])('%s', (_, selection, expected) => {
    expect(selected(selection)).toEqual(expected)
  })

  it('takes a name with a star as a name too', () => {
    expect(selected(pattern(['a*b']))).toEqual(['a*b'])
  })

  it('does not take for ever over a pattern made for that', () => {
    const long = [{ uuid: uuidOf(1), name: 'a'.repeat(4096) }]
    expect(selectVms(pattern([`${'*a'.repeat(140)}b`]), long)).toEqual([])
  })
})
