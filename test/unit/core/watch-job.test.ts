import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { rememberedChoices } from '../../../src/main/core/hosts/remembered-choices.ts'
import { watchJob } from '../../../src/main/core/jobs/jobs.ts'
import { openSettings, type SettingsFile } from '../../../src/main/core/settings/settings-file.ts'
import { reportAtStart } from '../../../src/shared/job-report.ts'
import type { JobReport, JournalEntry, RestoreSpec } from '../../../src/shared/model/job.ts'
import type { RestoreChoice } from '../../../src/shared/model/restore-choice.ts'
import { POINT, VM } from '../store-points.ts'

const CHOSEN: readonly RestoreChoice[] = [
  { kind: 'map-network', from: 'lan', to: 'default' },
  { kind: 'map-network', from: 'dmz', to: 'none' },
  { kind: 'auto-ports' },
  { kind: 'drop', device: 'usb:1:2' },
  { kind: 'memory', mib: 512 },
  { kind: 'disk-dir', disk: 'vda', dir: '/ssd' }
]
const SPEC: RestoreSpec = {
  kind: 'restore',
  vm: VM,
  vmName: 'web',
  hostName: 'beta',
  point: POINT,
  store: '/s',
  mode: 'boot',
  replace: false,
  choices: [...CHOSEN]
}
const AT = '2026-11-28T05:00:00.000Z'
const BEGIN: JournalEntry = { n: 0, at: AT, type: 'begin', id: POINT, spec: SPEC, bootId: 'a boot', engine: '1' }

/** As this computer has them when a job of the host has ended so. */
async function settingsAfter(state: JobReport['state']): Promise<SettingsFile> {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-settings-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const settings = openSettings(folder)
  settings.update((before) => ({ ...before, hosts: [{ name: 'beta', address: 'beta', addedAt: AT }] }))
  const report: JobReport = { ...reportAtStart(POINT, SPEC, AT), state }
  const call = (
    _verb: string,
    _question: object,
    options: { onEvent(entry: JournalEntry): void }
  ): Promise<JobReport> => {
    options.onEvent(BEGIN)
    return Promise.resolve(report)
  }
  const core = {
    settings,
    history: { addJobs: () => undefined },
    connections: { engine: () => Promise.resolve({ call }) }
  }
  await watchJob(core as unknown as Core, 'beta', POINT, { onWatched: () => undefined })
  return settings
}

describe('what was chosen for a restore', () => {
  it.each(['done', 'done-with-warnings'] as const)(
    'is remembered for its host once it is %s, but for what is of the one VM',
    async (state) => {
      const settings = await settingsAfter(state)
      expect(rememberedChoices(settings.read(), 'beta')).toEqual([
        { kind: 'map-network', from: 'lan', to: 'default' },
        { kind: 'auto-ports' }
      ])
    }
  )

  it.each(['failed-clean', 'failed-needs-you', 'cancelled'] as const)(
    'is forgotten where that is %s',
    async (state) => {
      expect(rememberedChoices((await settingsAfter(state)).read(), 'beta')).toEqual([])
    }
  )
})
