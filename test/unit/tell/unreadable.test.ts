import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TellFiles } from '../../../src/engine/tell/channels-file.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { done, policy, run, uuidOf, zone } from './told-things.ts'

const host = vi.hoisted(() => ({ dir: '' }))
vi.mock(import('../../../src/shared/host-paths.ts'), async (original) => {
  const paths = await original()
  const below = (name: string) => ({ get: () => `${host.dir}/${name}` })
  return Object.defineProperties(
    { ...paths, policyPath: (id: string) => `${host.dir}/policies/${id}.json` },
    { RUNS_DIR: below('runs'), POLICIES_DIR: below('policies'), STORES_FILE: below('stores.json') }
  )
})

const { lookForSilence } = await import('../../../src/engine/tell/look-for-silence.ts')
const { tellWhatIsDue } = await import('../../../src/engine/tell/tell.ts')
const { readOutbox } = await import('../../../src/engine/tell/outbox.ts')

const write = (name: string, value: object): void => {
  const path = join(host.dir, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(value)}\n`)
}
const noteRun = (report: ReturnType<typeof run>): void =>
  write(`runs/${report.id}/journal.jsonl`, { n: 0, at: report.endedAt, type: 'end', report })

beforeEach(() => {
  host.dir = mkdtempSync(join(tmpdir(), 'stillpoint-unreadable-'))
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(host.dir, { recursive: true })
})

describe('a store that is not mounted', () => {
  const web = fakeShell(() => ({ stdout: `${uuidOf(1)} web\n` }))
  const nightly = () => policy({ store: join(host.dir, 'points') })

  it('makes no VM silent whose last point the runs have noted', async () => {
    write('stores.json', { [nightly().store]: uuidOf(9) })
    noteRun(run([done(1, 'web')]))
    expect(await lookForSilence(web, [nightly()], new Date('2026-11-24T12:00:00Z'), zone)).toEqual([])
  })

  it('leaves true what is said of one that is silent', async () => {
    write('stores.json', { [nightly().store]: uuidOf(9) })
    noteRun(run([done(1, 'web')]))
    const [silent] = await lookForSilence(web, [nightly()], new Date('2026-12-24T12:00:00Z'), zone)
    expect(silent?.lastGoodAt).toBe('2026-11-24T01:01:00Z')
  })
})

describe('a point that a clock which was ahead has dated', () => {
  it('hides none that was taken since', async () => {
    const web = fakeShell(() => ({ stdout: `${uuidOf(1)} web\n` }))
    const nightly = policy({ store: join(host.dir, 'points') })
    write('stores.json', { [nightly.store]: uuidOf(9) })
    noteRun(run([done(1, 'web')]))
    noteRun(run([done(1, 'web', { point: '20270601T010000Z-7f3a21' })], {}, -1))
    expect(await lookForSilence(web, [nightly], new Date('2026-11-24T12:00:00Z'), zone)).toEqual([])
    const [silent] = await lookForSilence(web, [nightly], new Date('2026-12-24T12:00:00Z'), zone)
    expect(silent?.lastGoodAt).toBe('2026-11-24T01:01:00Z')
  })
})

describe('a libvirt that does not answer', () => {
  it('keeps no digest back', async () => {
    vi.useFakeTimers({ now: new Date('2026-11-25T12:00:00Z'), toFake: ['Date'] })
    const files: TellFiles = {
      channels: join(host.dir, 'channels.json'),
      outbox: join(host.dir, 'outbox'),
      state: join(host.dir, 'told.json'),
      units: join(host.dir, 'units')
    }
    const mail = { server: '127.0.0.1', port: 1, security: 'none', from: 'kvm-1@example.org', to: ['a@example.org'] }
    const daily = policy({ tell: { onSuccess: false, onFailure: true, digest: 'daily', mailTo: [] } })
    write(`policies/${daily.id}.json`, daily)
    write('channels.json', { mail })
    write('told.json', { version: 1, digests: { [daily.id]: '2026-11-24T12:00:00Z' }, silent: {} })
    const shell = fakeShell({ virsh: { exitCode: 1, stderr: 'error: failed to connect' }, systemctl: '' })
    vi.spyOn(console, 'error').mockReturnValue()
    await tellWhatIsDue(shell, files)
    expect(readOutbox(files).map(({ message }) => message.event)).toEqual(['digest'])
  })
})
