import { describe, expect, it } from 'vitest'
import type { StateAndReason } from '../../../src/libvirt/domains.ts'
import { stateToKeep, stateToStart } from '../../../src/engine/evidence/owners-state.ts'

describe('how a VM is to stand behind a job', () => {
  it.each<[StateAndReason['state'], string, string, string]>([
    ['running', 'booted', 'running', 'running'],
    ['paused', 'user', 'paused', 'paused'],
    // RAM that was loaded and left paused, where libvirt has no job on it.
    ['paused', 'migrating', 'paused', 'paused'],
    ['paused', 'I/O error', 'running', 'running'],
    ['paused', 'creating snapshot', 'running', 'running'],
    // It may need a reset before it can go on, and would lose its RAM by that.
    ['paused', 'unknown', 'paused', 'running'],
    ['shut off', 'crashed', 'shut off', 'shut off']
  ])('%s (%s): %s with the RAM that it has, %s where it is started anew', (state, reason, keep, start) => {
    expect([stateToKeep({ state, reason }), stateToStart({ state, reason })]).toEqual([keep, start])
  })
})
