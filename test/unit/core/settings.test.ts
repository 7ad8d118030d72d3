import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withHost, withoutHost, withPlace } from '../../../src/main/core/hosts/host-book.ts'
import { changeChoices } from '../../../src/main/core/settings/choices.ts'
import { cacheFolder, settingsFolder } from '../../../src/main/core/settings/folders.ts'
import { History } from '../../../src/main/core/settings/history.ts'
import { openSettings } from '../../../src/main/core/settings/settings-file.ts'
import type { JobReport } from '../../../src/shared/model/job.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-settings-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const alpha = { name: 'alpha', address: '192.0.2.1', addedAt: '2026-11-22T20:17:44.000Z' }
const file = (): string => join(folder, 'settings.json')

describe('the settings file', () => {
  it('starts empty and remembers hosts, readable by its owner only', () => {
    openSettings(folder).update((settings) => withHost(settings, alpha))
    expect(openSettings(folder).read().hosts).toEqual([alpha])
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['truncated', '{"version": 1, "hos'],
    ['empty', ''],
    ['of another shape', '{"version":1,"hosts":7,"places":[]}']
  ])('is kept aside with words when it is %s', (_, text) => {
    writeFileSync(file(), text)
    const settings = openSettings(folder)
    expect(settings.read().hosts).toEqual([])
    expect(settings.notices.join()).toContain('kept aside')
    const aside = readdirSync(folder).find((name) => name.includes('.broken-')) ?? ''
    expect(readFileSync(join(folder, aside), 'utf8')).toBe(text)
  })

  it('is refused and left as it is when a newer Stillpoint wrote it', () => {
    writeFileSync(file(), '{"version":2,"moons":[]}')
    expect(() => openSettings(folder)).toThrow(/newer Stillpoint/)
    expect(readFileSync(file(), 'utf8')).toBe('{"version":2,"moons":[]}')
  })

  it('carries along what others wrote into it', () => {
    writeFileSync(file(), JSON.stringify({ version: 1, hosts: [], places: [], theme: 'dark' }))
    openSettings(folder).update((settings) => withHost(settings, alpha))
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ theme: 'dark', hosts: [{ name: 'alpha' }] })
  })

  it('says which hosts it does not understand, and has all the others; one that is added anew takes their place', () => {
    const wrong = { ...alpha, name: 'beta', address: '-oProxyCommand=x' }
    writeFileSync(file(), JSON.stringify({ version: 1, hosts: [wrong, alpha], places: [] }))
    const settings = openSettings(folder)
    expect(settings.read().hosts).toEqual([alpha])
    expect(settings.notices.join()).toContain('does not understand 1 host (beta)')
    settings.update((before) => withHost(before, { ...alpha, name: 'gamma' }))
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ hosts: [alpha, { name: 'gamma' }, wrong] })
    settings.update((before) => withHost(before, { ...alpha, name: 'beta' }))
    expect(openSettings(folder).notices).toEqual([])
    expect(openSettings(folder).read().hosts).toHaveLength(3)
  })

  it('has what two windows have chosen, and what a newer one knows', () => {
    writeFileSync(file(), JSON.stringify({ version: 1, hosts: [], places: [], choices: { ofTomorrow: [1] } }))
    const [one, other] = [openSettings(folder), openSettings(folder)]
    changeChoices(one, { onClose: 'tray' })
    changeChoices(other, { notifySuccess: true })
    expect(openSettings(folder).read().choices).toMatchObject({
      ofTomorrow: [1],
      onClose: 'tray',
      notifySuccess: true
    })
  })

  it('says so when it cannot be written, and keeps what was there', () => {
    const settings = openSettings(folder)
    settings.update((before) => withHost(before, alpha))
    const text = readFileSync(file(), 'utf8')
    const wrong = { ...alpha, name: '../x' }
    expect(() => settings.update((before) => withHost(before, wrong))).toThrow()
    expect(readFileSync(file(), 'utf8')).toBe(text)
  })

  it('forgets the stores of a host together with it', () => {
    const settings = withPlace(withHost({ version: 1, hosts: [], places: [] }, alpha), {
      kind: 'host',
      host: 'alpha',
      dir: '/srv'
    })
    expect(settings.places).toHaveLength(1)
    expect(withoutHost(settings, 'alpha')).toMatchObject({ hosts: [], places: [] })
  })
})

describe('the folders', () => {
  it('follow STILLPOINT_HOME, then XDG, then the home directory', () => {
    expect(settingsFolder({ STILLPOINT_HOME: '/x' })).toBe('/x')
    expect(settingsFolder({ XDG_CONFIG_HOME: '/c' })).toBe('/c/stillpoint')
    expect(settingsFolder({ XDG_CONFIG_HOME: 'relative' })).toMatch(/\.config\/stillpoint$/)
    expect(cacheFolder({ XDG_CACHE_HOME: '/k' })).toBe('/k/stillpoint')
  })
})

describe('the history', () => {
  const report = (id: string, state: JobReport['state']): JobReport => ({
    id,
    kind: 'backup',
    host: 'alpha',
    vm: { uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0', name: 'web1' },
    state,
    startedAt: '2026-11-22T20:17:44.000Z',
    ...(state !== 'running' && { endedAt: '2026-11-22T20:17:48.000Z' }),
    pauses: [],
    pauseMs: 0,
    phases: [],
    warnings: []
  })

  it('holds each ended job once, whoever wrote it down, and none that still runs', async () => {
    const [a, b] = [new History(join(folder, 'h.jsonl')), new History(join(folder, 'h.jsonl'))]
    await a.addJobs([report('20261122T201744Z-000001', 'done'), report('20261122T201745Z-000002', 'running')])
    await b.addJobs([report('20261122T201744Z-000001', 'done'), report('20261122T201745Z-000002', 'cancelled')])
    expect((await a.jobs()).map(({ id }) => id)).toEqual(['20261122T201744Z-000001', '20261122T201745Z-000002'])
  })

  it('does not take a job for ended that has no end in its journal', async () => {
    const history = new History(join(folder, 'h.jsonl'))
    const unfinished = report('20261122T201744Z-000001', 'failed-needs-you')
    delete unfinished.endedAt
    expect(await history.addJobs([unfinished])).toEqual([])
    expect(await history.addJobs([report('20261122T201744Z-000001', 'done')])).toHaveLength(1)
  })

  it('passes over lines that do not parse, and goes on behind a torn one', async () => {
    const path = join(folder, 'h.jsonl')
    writeFileSync(path, 'garbage\n{"type":"job","rep')
    const history = new History(path)
    await history.addJobs([report('20261122T201744Z-000001', 'done')])
    expect(await history.jobs()).toHaveLength(1)
  })
})
