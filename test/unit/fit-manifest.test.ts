import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pausesOf } from '../../src/engine/capture/stand-still.ts'
import { fitManifest } from '../../src/shared/model/fit-manifest.ts'
import { Manifest } from '../../src/shared/model/point.ts'
import { readManifest } from '../../src/store/manifest.ts'
import { beginPoint, commitPoint } from '../../src/store/point-store.ts'
import { manifestOf, POINT, temporaryStore, VM } from './store-points.ts'

const FILES = { 'domain.xml': new TextEncoder().encode('<domain/>\n') }
const pause = (ms: number) => ({
  phase: 'memory',
  startedAt: '2026-11-22T20:17:44.123Z',
  endedAt: '2026-11-22T20:17:44.223Z',
  ms,
  source: 'qemu-events' as const
})

// engine.md finding 44
describe('a finished point', () => {
  it('is committed whatever its job was told and its clock did', async () => {
    const store = await temporaryStore()
    const dir = await beginPoint(store, VM, POINT)
    for (const [path, bytes] of Object.entries(FILES)) {
      await mkdir(dir, { recursive: true })
      await writeFile(join(dir, path), bytes)
    }
    const manifest = manifestOf(FILES, {
      warnings: ['w'.repeat(10_000), ...Array<string>(400).fill('\u0007'.repeat(5000))],
      methodReason: 'r'.repeat(5000),
      pauses: [pause(-5), ...Array.from({ length: 200 }, (_, ms) => pause(ms))],
      pauseMs: -5,
      qemuDowntimeMs: Number.NaN,
      versions: { libvirt: '9.0.0', qemu: `7.2.22 ${'x'.repeat(100)}`, engine: '1' },
      host: { name: 'h'.repeat(300), machineId: 'f'.repeat(32) }
    })
    await commitPoint(dir, manifest)
    const kept = await readManifest(dir)
    expect(kept.warnings[0]).toHaveLength(4000)
    expect(kept.warnings.at(-1)).toMatch(/^\d+ more warnings are in the journal of the job$/)
    expect(kept.pauses).toHaveLength(64)
    expect(kept.pauses[0]?.ms).toBe(136)
    expect([kept.pauseMs, kept.qemuDowntimeMs]).toEqual([0, 0])
  })

  it('is as it was where all of it fits', () => {
    const manifest = manifestOf(FILES, { warnings: ['one', 'two'], pauses: [pause(44)], pauseMs: 44 })
    expect(fitManifest(manifest)).toEqual(manifest)
    expect(Manifest.parse(fitManifest(manifest))).toEqual(manifest)
  })
})

describe('a pause during which the host’s clock is set', () => {
  const second = 1_000_000
  const event = (event: 'STOP' | 'RESUME', atMicros: number, heardMs: number) => ({ event, atMicros, heardMs })

  it('is as long as it was heard to be', () => {
    const back = [event('STOP', 100 * second, 0), event('RESUME', 40 * second, 120)]
    expect(pausesOf(back, 'memory')).toMatchObject([{ ms: 120, source: 'clock' }])
    const ahead = [event('STOP', 100 * second, 0), event('RESUME', 4000 * second, 120)]
    expect(pausesOf(ahead, 'memory')).toMatchObject([{ ms: 120, source: 'clock' }])
  })

  it('else is as QEMU stamped it, however late we heard', () =>
    expect(pausesOf([event('STOP', second, 0), event('RESUME', second + 44_000, 900)], 'memory')).toMatchObject([
      { ms: 44, source: 'qemu-events' }
    ]))
})
