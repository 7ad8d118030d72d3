import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { rememberedChoices } from '../../../src/main/core/hosts/remembered-choices.ts'
import { submitJob, watchJob } from '../../../src/main/core/jobs/jobs.ts'
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
async function settingsAfter(state: JobReport['state'], submitted: RestoreSpec | undefined): Promise<SettingsFile> {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-settings-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const settings = openSettings(folder)
  settings.update((before) => ({ ...before, hosts: [{ name: 'beta', address: 'beta', addedAt: AT }] }))
  const report: JobReport = { ...reportAtStart(POINT, SPEC, AT), state }
  const call = (
    _verb: string,
    _question: object,
    options?: { onEvent(entry: JournalEntry): void }
  ): Promise<JobReport> => {
    options?.onEvent(BEGIN)
    return Promise.resolve(report)
  }
  const core = {
    settings,
    history: { addJobs: () => undefined },
    connections: { engine: () => Promise.resolve({ call }) }
  }
  if (submitted !== undefined) await submitJob(core as unknown as Core, 'beta', submitted, { id: POINT })
  await watchJob(core as unknown as Core, 'beta', POINT, { onWatched: () => undefined })
  return settings
}

describe('what was chosen for a restore', () => {
  it.each(['done', 'done-with-warnings'] as const)(
    'is remembered for its host once it is %s, but for what is of the one VM',
    async (state) => {
      const settings = await settingsAfter(state, SPEC)
      expect(rememberedChoices(settings.read(), 'beta')).toEqual([
        { kind: 'map-network', from: 'lan', to: 'default' },
        { kind: 'auto-ports' }
      ])
    }
  )

  it.each(['failed-clean', 'failed-needs-you', 'cancelled'] as const)(
    'is forgotten where that is %s',
    async (state) => {
      expect(rememberedChoices((await settingsAfter(state, SPEC)).read(), 'beta')).toEqual([])
    }
  )

  it('is what was submitted from here, and not what the host says it was told', async () => {
    const nobody = await settingsAfter('done', undefined)
    expect(rememberedChoices(nobody.read(), 'beta')).toEqual([])
    const { choices: _, ...without } = SPEC
    const nothing = await settingsAfter('done', without)
    expect(rememberedChoices(nothing.read(), 'beta')).toEqual([])
    const ports = await settingsAfter('done', { ...SPEC, choices: [{ kind: 'auto-ports' }] })
    expect(rememberedChoices(ports.read(), 'beta')).toEqual([{ kind: 'auto-ports' }])
  })
})
