import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCore } from '../../../src/main/core/core.ts'
import { forgetLines, keepLines, readKept } from '../../../src/main/core/settings/kept-lines.ts'
import { eventually } from '../../patience.ts'

const LIMITS = { packedBytes: 1 << 20, plainBytes: 4 << 20 }
const NEVER_MS = 1_000_000

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-kept-'))
  path = join(folder, 'said.jsonl.gz')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const keep = (text: string, everyMs = NEVER_MS): Promise<void> =>
  keepLines(
    path,
    () => [`"${text}"`],
    () => LIMITS,
    { everyMs }
  )
const inFile = (): string => gunzipSync(readFileSync(path)).toString('utf8').split('\n')[0] ?? ''

/** Whose lines take long. */
function* slow(text: string): Generator<string> {
  for (let n = 0; n < 2000; n += 1) yield JSON.stringify(`${text} ${n} ${'x'.repeat(1000)}`)
}

describe('lines that are kept', () => {
  it('are read as they were said last, also while they wait', async () => {
    await keep('first')
    await keep('second')
    const read: unknown[] = []
    await readKept(path, LIMITS, (value) => read.push(value))
    expect(read).toEqual(['second'])
  })

  it('are written before the core that waits with them is closed', async () => {
    const never = () => Promise.reject(new Error('nobody is asked'))
    const core = openCore({
      ...{ folder, cache: join(folder, 'cache'), root: folder, onPlacing: () => undefined },
      questions: {} as never,
      connect: never
    })
    await keep('first')
    await keep('second')
    expect(inFile()).toBe('"first"')
    await core.close()
    expect(inFile()).toBe('"second"')
  })

  it('are in the end the last that were said, however many come at once', async () => {
    await keep('first', 0)
    const all = [1, 2, 3].map((n) =>
      keepLines(
        path,
        () => slow(`slow ${n}`),
        () => LIMITS,
        { everyMs: 50 }
      )
    )
    await Promise.all([...all, keep('last', 50)])
    await eventually(() => expect(inFile()).toBe('"last"'))
    await keep('last', 50)
    expect(inFile()).toBe('"last"')
  })

  it('do not come back where they are forgotten while they are packed', async () => {
    let passes = 0
    const lines = (): Iterable<string> => {
      passes += 1
      return slow('gone')
    }
    const packing = keepLines(path, lines, () => LIMITS, { everyMs: 0 })
    // The first time they are only looked at.
    while (passes < 2) await new Promise((done) => setImmediate(done))
    forgetLines(path)
    await packing
    expect(existsSync(path)).toBe(false)
    await keep('anew')
    expect(inFile()).toBe('"anew"')
  })

  it('do not come back where they waited and are forgotten', async () => {
    await keep('first')
    await keep('second')
    forgetLines(path)
    const read: unknown[] = []
    expect(await readKept(path, LIMITS, (value) => read.push(value))).toBeUndefined()
    expect([read, existsSync(path)]).toEqual([[], false])
  })
})
