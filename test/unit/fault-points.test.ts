import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../patience.ts'

const lab = vi.hoisted(() => ({ dir: '' }))
vi.mock(import('../../src/shared/host-paths.ts'), async (original) =>
  Object.defineProperties(
    { ...(await original()) },
    {
      LAB_MARKER: { get: () => `${lab.dir}/marker` },
      LAB_HELD_DIR: { get: () => `${lab.dir}/held` }
    }
  )
)
const { faultPoint, heldPath, parseFaults } = await import('../../src/engine/journal/fault.ts')

const nobody = new AbortController().signal
const pass = (point: string, signal = nobody): Promise<void> => faultPoint(point, signal)

beforeEach(() => {
  lab.dir = mkdtempSync(join(tmpdir(), 'stillpoint-fault-'))
  writeFileSync(join(lab.dir, 'marker'), '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(lab.dir, { recursive: true })
})

describe('a fault point', () => {
  it('is passed where no fault is asked for, or where this is no lab', async () => {
    await pass('copy')
    vi.stubEnv('STILLPOINT_FAULT', 'lonely:1:throw')
    rmSync(join(lab.dir, 'marker'))
    await pass('lonely')
  })

  it('does what was asked for at the nth passing only', async () => {
    vi.stubEnv('STILLPOINT_FAULT', 'second:2:throw')
    await pass('second')
    await expect(pass('second')).rejects.toThrow('fault point second')
    await pass('second')
  })

  it('may be any that begins with a word: they are counted together', async () => {
    vi.stubEnv('STILLPOINT_FAULT', 'undo.*:3:throw')
    await pass('undone')
    await pass('undo.thaw')
    await pass('undo.commit.vda')
    await expect(pass('undo.commit.vdb')).rejects.toThrow('fault point undo.commit.vdb')
  })

  it('holds until the lab lets it go', async () => {
    vi.stubEnv('STILLPOINT_FAULT', 'held:1:hold')
    const passed = pass('held')
    const path = heldPath(basename(process.argv.at(-1) ?? ''), 'held')
    await eventually(() => expect(existsSync(path)).toBe(true))
    rmSync(path)
    await passed
  })

  it('that holds is left by a cancel, and nothing shows it any more', async () => {
    vi.stubEnv('STILLPOINT_FAULT', 'cancelled:1:hold')
    const abort = new AbortController()
    const passed = pass('cancelled', abort.signal)
    await eventually(() => expect(existsSync(heldPath(basename(process.argv.at(-1) ?? ''), 'cancelled'))).toBe(true))
    abort.abort()
    await expect(passed).rejects.toMatchObject({ failure: { kind: 'cancelled' } })
    expect(existsSync(heldPath(basename(process.argv.at(-1) ?? ''), 'cancelled'))).toBe(false)
  })

  it('knows no other words', () => {
    expect(parseFaults('copy:1:explode,copy:x:kill,:1:kill,COPY:1:kill')).toEqual([])
    expect(parseFaults('copy.done:2:kill,undo.*:1:term')).toEqual([
      { point: 'copy.done', nth: 2, action: 'kill' },
      { point: 'undo.*', nth: 1, action: 'term' }
    ])
  })
})
