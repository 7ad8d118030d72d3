import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { logLines } from '../../src/main/core/jobs/log-lines.ts'
import { charactersOf, withinCharacters } from '../../src/main/core/live/held-in-short.ts'
import { JobRecord, viewOfReport } from '../../src/main/core/live/job-record.ts'
import { Notices } from '../../src/main/core/live/notices.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { isTooDeep } from '../../src/shared/json-depth.ts'
import { JournalEntry } from '../../src/shared/model/job.ts'
import { safeJson } from '../../src/shared/safe-text.ts'
import type { RunResult, Shell } from '../../src/shared/shell.ts'
import { AT, idOf, jobReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('depth')

const DEPTHS = [33, 1000, 5000, 10_000, 50_000, 150_000]
/** A line of more values is none of an engine. */
const isALine = (depth: number): boolean => depth < 30_000
const NESTED: readonly (readonly [string, (depth: number) => string])[] = [
  ['lists', (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`],
  ['objects', (depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`]
]
const CASES = DEPTHS.flatMap((depth) => NESTED.map(([what, nest]) => [depth, what, nest(depth)] as const))

const entriesWith = (nested: string): readonly string[] => [
  `{"n":0,"at":"${AT}","type":"step","step":"x","data":{"a":${nested}}}`,
  `{"n":0,"at":"${AT}","type":"step-done","step":"x","ms":1,"data":{"a":${nested}}}`,
  `{"n":0,"at":"${AT}","type":"note","text":"x","more":${nested}}`,
  `{"n":0,"at":"${AT}","type":"fact","fact":{"point":"${idOf(1)}","more":${nested}}}`,
  `{"n":0,"at":"${AT}","type":"end","report":${JSON.stringify({ ...jobReport(1), state: 'failed-clean' }).slice(0, -1)},"failure":{"kind":"left-behind","vm":"x","left":[],"after":${nested}}}}`
]

/** The entry as a job that is followed brings it. */
async function followed(line: string): Promise<JournalEntry> {
  const entries: JournalEntry[] = []
  const said = `{"event":${line}}\n${JSON.stringify({ result: jobReport(1, { host: 'bad' }) })}\n`
  const run: Shell['run'] = async (_argv, { onStdout } = {}): Promise<RunResult> => {
    await onStdout?.(Buffer.from(said))
    return { exitCode: 0, signal: undefined, stdout: '', stderr: '' }
  }
  const placed = { shell: { label: 'bad', run } as unknown as Shell, host: 'bad', node: '/n', engine: '/e' }
  const onEvent = (entry: JournalEntry): void => void entries.push(entry)
  await engineCall(placed, 'follow', { id: idOf(1), from: 0 }, { onEvent })
  return entries[0] as JournalEntry
}

describe('what a host nests deeply', () => {
  const lines = CASES.filter(([depth]) => isALine(depth))
  const others = CASES.filter(([depth]) => !isALine(depth))

  it.each(lines)('exhausts nobody who walks through an entry of a journal: %d %s', async (_, _what, nested) => {
    for (const line of entriesWith(nested))
      await tally.tried(async () => {
        const entry = await followed(line)
        expect(isTooDeep(entry, 40)).toBe(false)
        const record = new JobRecord(viewOfReport(jobReport(1)), new Date())
        record.watched({ type: 'entry', entry }, new Date())
        expect(logLines([entry])).toHaveLength(1)
        expect(safeJson(entry).length).toBeLessThan(5000)
        expect(charactersOf(withinCharacters(entry, 32_768), 32_768)).toBeLessThan(32_768)
      })
  })

  it.each(others)('is no entry of a journal where it is in too many pieces: %d %s', async (_, _what, nested) => {
    for (const line of entriesWith(nested))
      await tally.tried(() => expect(followed(line)).rejects.toThrow('not a line of the protocol'))
  })

  it('is not changed where it is no deeper than anything of ours', () => {
    const data = { plan: [{ steps: [{ when: { all: [{ not: { is: ['a', 'b'] } }] } }] }] }
    const entry = { n: 0, at: AT, type: 'step', step: 'x', data }
    expect(JournalEntry.parse(entry)).toEqual(entry)
  })
})

describe('what a file of ours nests deeply', () => {
  it.each(CASES)('is set aside, and Stillpoint starts: %d %s', async (_, _what, nested) => {
    const folder = mkdtempSync(join(tmpdir(), 'stillpoint-depth-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    await tally.tried(() => {
      writeFileSync(join(folder, 'settings.json'), `{"version":1,"hosts":[],"places":[],"more":${nested}}`)
      const settings = openSettings(folder)
      expect(settings.notices.join()).toContain('kept aside')
      settings.update((before) => before)
    })
    await tally.tried(() => {
      const path = join(folder, 'notices.json')
      writeFileSync(path, `[{"id":"deep","more":${nested}}]`)
      const notices = new Notices(path)
      notices.add({ id: 'new', at: AT, host: '', severity: 'info', title: '', text: '' })
      expect(notices.all.value?.map(({ title }) => title)).toEqual(['', 'Earlier notices could not be read'])
    })
  })
})
