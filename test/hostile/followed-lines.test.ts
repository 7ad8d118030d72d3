import { describe, expect, it } from 'vitest'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { LineCutter } from '../../src/main/core/engine-on-host/json-lines.ts'
import { failureOf } from '../../src/shared/failure.ts'
import type { JobReport } from '../../src/shared/model/job.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import type { RunResult, Shell } from '../../src/shared/shell.ts'
import { AT, idOf, jobReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('lines of a journal that is followed')

const MiB = 1 << 20
const CHUNK_BYTES = 64 << 10
const report = jobReport(1, { host: 'bad' })

/** How many bytes of this were taken, in what kind of end; for as long as it is listened to. */
async function follow(line: Iterable<Uint8Array>): Promise<{ takenBytes: number; result?: JobReport; kind?: string }> {
  let takenBytes = 0
  const run: Shell['run'] = async (_argv, { onStdout, signal } = {}): Promise<RunResult> => {
    for (const chunk of line) {
      if (signal?.aborted === true) break
      takenBytes += chunk.byteLength
      await onStdout?.(chunk)
    }
    return { exitCode: 0, signal: undefined, stdout: '', stderr: '' }
  }
  const placed = { shell: { label: 'bad', run } as unknown as Shell, host: 'bad', node: '/n', engine: '/e' }
  try {
    return { takenBytes, result: await engineCall(placed, 'follow', { id: idOf(1), from: 0 }) }
  } catch (error) {
    return { takenBytes, kind: failureOf(error).kind }
  }
}

function* chunksOf(text: string): Generator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) yield bytes.subarray(from, from + CHUNK_BYTES)
}
function* endless(begin: string, each: string): Generator<Uint8Array> {
  yield Buffer.from(begin)
  for (let n = 0; n < 1000; n += 1) yield Buffer.from(each)
}
const begun = `${JSON.stringify({ begun: report })}\n`
const filler = 'x'.repeat(CHUNK_BYTES)
const ENDLESS: Readonly<Record<string, () => Iterable<Uint8Array>>> = {
  'a line of nothing': () => endless('', filler),
  'a line of spaces': () => endless('', ' '.repeat(CHUNK_BYTES)),
  'an entry': () => endless(`{"event":{"n":0,"at":"${AT}","type":"note","text":"`, filler),
  'a step': () => endless(`{"event":{"n":0,"at":"${AT}","type":"step","step":"s","data":{"x":"`, filler),
  'an end': () => endless('{"result":{"warnings":["', filler),
  'a failure': () => endless('{"failure":{"kind":"bug","message":"', filler),
  'a portion': () => endless(`${begun}{"of":["warnings"],"more":["`, filler),
  'portions without an end of them': () => endless(begun, `${JSON.stringify({ of: ['warnings'], more: [filler] })}\n`),
  'a line of half characters': () => endless('', '\u00e4'.repeat(CHUNK_BYTES / 2))
}

describe('a journal that is followed', () => {
  it.each(Object.keys(ENDLESS))('is no longer listened to within two MiB of %s', async (what) => {
    await tally.tried(async () => {
      const { takenBytes, kind } = await follow(ENDLESS[what]?.() ?? [])
      expect(kind).toBe('output-too-large')
      expect(takenBytes).toBeLessThan(2 * MiB)
    })
  })

  it.each([1, 100, 4000, 100_000, 900_000])('is taken as it is with a story of %i characters', async (length) => {
    await tally.tried(async () => {
      const warnings = Array.from({ length: Math.ceil(length / 4000) }, () => 'w'.repeat(Math.min(length, 4000)))
      const entry = { event: { n: 0, at: AT, type: 'note', text: 'n'.repeat(Math.min(length, 8000)) } }
      const whole = { ...report, warnings }
      const lines = [`${JSON.stringify(entry)}\n`, ...resultLines('follow', whole)].join('')
      expect((await follow(chunksOf(lines))).result).toEqual(whole)
    })
  })

  it.each([1, 7, 4096, 65_536, 1_000_003])(
    'holds no more than its limit, however it came: %i bytes at a time',
    async (bytes) => {
      await tally.tried(() => {
        const cutter = new LineCutter('it', MiB + 1)
        const packet = Buffer.alloc(Math.min(bytes, MiB), 'x')
        for (let sent = 0; sent + packet.length <= MiB; sent += packet.length) cutter.push(packet)
        const { held } = cutter as unknown as { readonly held: Buffer }
        expect(held.buffer.byteLength).toBeLessThanOrEqual(MiB + 1)
      })
    }
  )
})
