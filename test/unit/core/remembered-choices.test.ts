import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rememberChoices, rememberedChoices } from '../../../src/main/core/hosts/remembered-choices.ts'
import { openSettings, type SettingsFile } from '../../../src/main/core/settings/settings-file.ts'
import type { RestoreChoice } from '../../../src/shared/model/restore-choice.ts'

function settingsOf(...hosts: string[]): SettingsFile {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-settings-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const settings = openSettings(folder)
  const records = hosts.map((name) => ({ name, address: name, addedAt: '2026-11-28T05:00:00.000Z' }))
  settings.update((before) => ({ ...before, hosts: records }))
  return settings
}

const toDefault: RestoreChoice = { kind: 'map-network', from: 'lan', to: 'default' }
const toBridge: RestoreChoice = { kind: 'map-network', from: 'lan', to: 'bridge:br0' }

describe('what was chosen at a restore', () => {
  it('is remembered for its host alone, the last choice of each thing', () => {
    const settings = settingsOf('alpha', 'beta')
    rememberChoices(settings, 'beta', [toDefault, { kind: 'auto-ports' }])
    rememberChoices(settings, 'beta', [toBridge])
    rememberChoices(settings, 'beta', [])
    const file = openSettings(join(settings.path, '..')).read()
    expect(rememberedChoices(file, 'beta')).toEqual([toBridge, { kind: 'auto-ports' }])
    expect(rememberedChoices(file, 'alpha')).toEqual([])
    expect(rememberedChoices(file, 'gamma')).toEqual([])
  })

  it('is passed over where it is not understood', () => {
    const settings = settingsOf('beta')
    settings.update((before) => ({
      ...before,
      hosts: before.hosts.map((host) => ({ ...host, restoreChoices: [{ kind: 'of-tomorrow' }, toDefault] }))
    }))
    expect(rememberedChoices(settings.read(), 'beta')).toEqual([toDefault])
  })

  it('has its room, the oldest goes first, and nothing longer than any name is kept', () => {
    const settings = settingsOf('beta')
    const long = (n: number): RestoreChoice => ({
      kind: 'map-network',
      from: `${n}`.padStart(299, '\u0001'),
      to: 'lan'
    })
    for (let n = 0; n < 300; n += 1) rememberChoices(settings, 'beta', [long(n)])
    const kept = rememberedChoices(settings.read(), 'beta')
    expect(kept.at(-1)).toEqual(long(299))
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThan(40_000)
    rememberChoices(settings, 'beta', [{ kind: 'map-network', from: 'x'.repeat(301), to: 'lan' }])
    expect(rememberedChoices(settings.read(), 'beta')).toEqual(kept)
    for (let n = 0; n < 300; n += 1)
      rememberChoices(settings, 'beta', [{ kind: 'map-network', from: `n${n}`, to: 'lan' }])
    expect(rememberedChoices(settings.read(), 'beta')).toHaveLength(200)
  })
})
