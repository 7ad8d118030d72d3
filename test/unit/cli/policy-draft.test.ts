import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { draftOf, withCommandsRead, type PolicyOptions } from '../../../src/main/doors/cli/policy-draft.ts'
import { withPolicyFlags } from '../../../src/main/doors/cli/policy-flags.ts'
import type { Policy } from '../../../src/shared/model/policy.ts'
import { StillpointError } from '../../../src/shared/failure.ts'

const asked = (options: PolicyOptions, was?: Policy) =>
  draftOf('nightly', { calendar: 'daily', vms: ['*'], ...options }, was)

const there: Policy = {
  version: 1,
  id: '00000000000a',
  name: 'nightly',
  hostName: 'alpha',
  store: '/srv/points',
  budgetMs: 100,
  onBusy: 'fail',
  excludeDisks: ['vdb'],
  vms: { kind: 'pattern', patterns: ['db*'], exclude: ['db-test'] },
  schedule: { calendar: '02:00', jitterSeconds: 60, window: { from: '22:00', to: '06:00' } },
  keep: { last: 4, floor: 2, graceHours: 48 },
  tell: { onSuccess: true, onFailure: true, digest: 'weekly', mailTo: ['a@example.org'] },
  hooks: { before: { command: 'sync', deadlineSeconds: 10 }, beforeMustSucceed: true },
  expectEveryHours: 30,
  pausedUntil: '2026-12-24T00:00:00.000Z',
  changedAt: '2026-11-25T00:00:00.000Z'
}

describe('a policy from the command line', () => {
  it('is by default as a backup by hand is, keeps everything, and tells of failures', () => {
    expect(asked({})).toEqual({
      name: 'nightly',
      store: '/var/lib/stillpoint/points',
      budgetMs: 300,
      onBusy: 'pause',
      vms: { kind: 'all', exclude: [] },
      schedule: { calendar: 'daily', jitterSeconds: 0 },
      keep: { floor: 3, graceHours: 24 },
      tell: { onSuccess: false, onFailure: true, digest: 'none', mailTo: [] }
    })
  })

  it('takes a star alone for all, and anything else for patterns', () => {
    expect(asked({ vms: ['*'], exclude: ['x'] }).vms).toEqual({ kind: 'all', exclude: ['x'] })
    expect(asked({ vms: ['a*', 'b'] }).vms).toEqual({ kind: 'pattern', patterns: ['a*', 'b'], exclude: [] })
  })

  it('gives commands a deadline', () => {
    expect(asked({ before: 'sync', hookDeadline: 5 }).hooks).toEqual({
      before: { command: 'sync', deadlineSeconds: 5 },
      beforeMustSucceed: false
    })
  })

  it('says what does not fit', () => {
    expect(() => asked({ mailTo: ['nobody'] })).toThrow(StillpointError)
    expect(() => draftOf('', { calendar: 'daily', vms: ['*'] })).toThrow(StillpointError)
  })
})

const optionsOf = (...flags: readonly string[]): PolicyOptions => {
  let given: PolicyOptions = {}
  const command = withPolicyFlags(new Command()).action((options: PolicyOptions) => void (given = options))
  command.parse(flags, { from: 'user' })
  return given
}

describe('media of drives', () => {
  it('are taken by a policy that says so, and by no other', () => {
    expect(asked(optionsOf('--media')).media).toBe(true)
    expect(asked(optionsOf()).media).toBeUndefined()
  })

  it('are as they were where an edit does not say', () => {
    const withMedia: Policy = { ...there, media: true }
    expect(draftOf('nightly', optionsOf('--media'), there).media).toBe(true)
    expect(draftOf('nightly', optionsOf('--no-media'), withMedia).media).toBe(false)
    expect(draftOf('nightly', optionsOf(), withMedia).media).toBe(true)
  })
})

describe('a policy that is edited', () => {
  it('does not take an exclusion for VMs that were chosen one by one, for it would change nothing', () => {
    const uuid = '00000000-0000-4000-8000-000000000001'
    const chosen: Policy = { ...there, vms: { kind: 'chosen', vms: [{ uuid, name: 'db' }] } }
    expect(draftOf('nightly', {}, chosen).vms).toEqual(chosen.vms)
    expect(() => draftOf('nightly', { exclude: ['db'] }, chosen)).toThrow(StillpointError)
    expect(draftOf('nightly', { vms: ['d*'], exclude: ['db'] }, chosen).vms).toMatchObject({ kind: 'pattern' })
  })

  it('loses what is given empty', () => {
    const given = optionsOf('--exclude', '', '--exclude-disk', '', '--mail-to', '')
    const draft = draftOf('nightly', given, there)
    expect([draft.vms, draft.excludeDisks, draft.tell.mailTo]).toEqual([{ ...there.vms, exclude: [] }, [], []])
  })

  const { version: _, hostName: __, changedAt: ___, ...same } = there

  it('stays as it was in everything that is not given', () => {
    expect(draftOf('nightly', {}, there)).toEqual(same)
  })

  it('changes what is given', () => {
    const changed = draftOf(
      'nights',
      { calendar: '03:00', window: 'always', keepDaily: 7, before: '', exclude: [] },
      there
    )
    expect(changed).toEqual({
      ...same,
      name: 'nights',
      vms: { kind: 'pattern', patterns: ['db*'], exclude: [] },
      schedule: { calendar: '03:00', jitterSeconds: 60 },
      keep: { last: 4, daily: 7, floor: 2, graceHours: 48 },
      hooks: { beforeMustSucceed: true }
    })
  })
})

describe('the commands of a policy', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-hooks-'))))
  afterEach(() => rmSync(folder, { recursive: true }))
  const file = (text: string): string => {
    const path = join(folder, 'hook.sh')
    writeFileSync(path, text)
    return path
  }
  const read = (options: PolicyOptions) => asked(withCommandsRead(options), there).hooks

  it('come from files, where nobody on this computer reads them in a list of processes', () => {
    const secret = "mysqldump -p'secret' >/srv/dump\nsync"
    expect(read({ afterFile: file(`${secret}\n`) })?.after?.command).toBe(secret)
    expect(read({ beforeFile: file(secret) })?.before).toEqual({ command: secret, deadlineSeconds: 10 })
    expect(read({ beforeFile: file('a'), after: 'b' })).toMatchObject({
      before: { command: 'a' },
      after: { command: 'b' }
    })
    expect(read({})?.before?.command).toBe('sync')
  })

  it('are refused where it is not clear which, or whether one', () => {
    const path = file('x')
    const refused = (options: PolicyOptions, words: string): void =>
      expect(() => withCommandsRead(options)).toThrow(
        expect.objectContaining({ failure: { kind: 'usage', message: expect.stringContaining(words) as string } })
      )
    refused({ before: 'y', beforeFile: path }, 'not with both')
    refused({ after: '', afterFile: path }, 'not with both')
    refused({ beforeFile: '-', afterFile: '-' }, 'Only one of the two')
    refused({ beforeFile: join(folder, 'none') }, 'cannot be read')
    refused({ afterFile: file('\n') }, 'holds no command')
  })
})
