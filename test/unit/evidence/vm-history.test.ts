import { appendFile, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  hasBeenElsewhere,
  hasBootedSince,
  hasRunSinceSave,
  parseHistory,
  textBetween,
  type LogPosition
} from '../../../src/engine/evidence/vm-history.ts'
import { isSameProcess, startTicksIn } from '../../../src/engine/evidence/vm-process.ts'

const started =
  '2026-11-28 05:14:51.100+0000: starting up libvirt version: 9.0.0, package: 9.0.0-4+deb12u2 (Debian), qemu version: 7.2.22\n'
const ended = (reason: string): string => `2026-11-28 05:14:52.576+0000: shutting down, reason=${reason}\n`
const noise = 'char device redirected to /dev/pts/0 (label charserial1)\n'

describe("what libvirt's log of a VM tells", () => {
  it('tells how it ended, in the words of libvirt', () => {
    expect(parseHistory(`${noise}${ended('crashed')}`)).toMatchObject({ startedAgain: false, ended: 'crashed' })
    expect(parseHistory(ended('from snapshot')).ended).toBe('from snapshot')
  })

  it('tells that a QEMU was started since, and then has no end to tell', () => {
    expect(parseHistory(`${ended('destroyed')}${started}${noise}`)).toMatchObject({
      startedAgain: true,
      ended: undefined
    })
  })

  it('says nothing of a VM that nobody saw to end', () => {
    expect(parseHistory(noise)).toEqual({ events: [], startedAgain: false, ended: undefined })
  })

  it('is not misled by lines that QEMU or its guest wrote', () => {
    const forged =
      'qemu: 2026-11-28 05:14:52.576+0000: shutting down, reason=migrated\nshutting down, reason=migrated\n'
    expect(parseHistory(forged).events).toEqual([])
  })
})

describe('what a log tells of the time between two moments', () => {
  let folder: string
  let log: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stillpoint-log-'))
    log = join(folder, 'vm.log')
    await writeFile(log, '')
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function write(text: string): Promise<LogPosition> {
    await appendFile(log, text)
    const { ino, size } = await stat(log)
    return { ino: String(ino), sizeBytes: size }
  }
  const rotate = (): Promise<void> => rename(log, `${log}.0`)

  it('is what was written between them, and not what came later', async () => {
    const since = await write('before ')
    const until = await write('between')
    await write(' after')
    expect(await textBetween(log, since, until)).toBe('between')
    expect(await textBetween(log, since)).toBe('between after')
  })

  it('is found where a new log was begun before, between and behind them', async () => {
    const since = await write('before ')
    const early = await write('one ')
    await write('two ')
    await rotate()
    const late = await write('three')
    await write(' after')
    expect(await textBetween(log, since, early)).toBe('one ')
    expect(await textBetween(log, since, late)).toBe('one two three')
    expect(await textBetween(log, since)).toBe('one two three after')
  })

  it('cannot be told where either is in a log that is gone, or was emptied', async () => {
    const since = await write('before ')
    const until = await write('between')
    await rename(log, join(folder, 'elsewhere'))
    const other = await write('other')
    expect(await textBetween(log, since, until)).toBeUndefined()
    expect(await textBetween(log, since)).toBeUndefined()
    expect(await textBetween(log, other, until)).toBeUndefined()
    await writeFile(log, '')
    expect(await textBetween(log, other)).toBeUndefined()
  })
})

describe('whether a guest has run since its save', () => {
  it.each<[string, string[], boolean]>([
    ['saved, and nothing since', [ended('saved')], false],
    ['RAM that QEMU would not load', [ended('saved'), started, ended('failed')], false],
    ['RAM that is loaded and runs, or ran when the power went', [ended('saved'), started], true],
    ['restored, then saved by its owner', [ended('saved'), started, ended('saved')], true],
    ['failed once, then loaded', [ended('saved'), started, ended('failed'), started], true]
  ])('%s', (_what, lines, ran) => {
    expect(hasRunSinceSave(parseHistory(lines.join('')))).toBe(ran)
  })
})

describe('whether what a guest had in its RAM is gone', () => {
  it.each<[string, string[], boolean]>([
    ['it runs on', [], false],
    ['its QEMU died, and it was booted', [ended('crashed'), started], true],
    ['the power went, and it was booted', [started], true],
    ['it was saved, and loaded again', [ended('saved'), started], false],
    ['it went and came back', [ended('migrated'), started], false]
  ])('%s', (_what, lines, booted) => {
    expect(hasBootedSince(parseHistory(lines.join('')))).toBe(booted)
  })

  it('cannot be told without a log', () => {
    expect(hasBootedSince(undefined)).toBe(false)
  })
})

describe('whether a VM has been on another host', () => {
  it.each<[string, string[], boolean]>([
    ['it ran here all along', [ended('saved'), started], false],
    ['it has migrated', [ended('migrated')], true],
    ['it has come back, and was shut down', [ended('migrated'), started, ended('shutdown')], true]
  ])('%s', (_what, lines, was) => {
    expect(hasBeenElsewhere(parseHistory(lines.join('')))).toBe(was)
  })

  it('may be so if its log does not tell', () => {
    expect(hasBeenElsewhere(undefined)).toBe(true)
  })
})

describe('one process and a later one of its number', () => {
  it('reads the time of its start behind a name with blanks and parentheses', () => {
    const stat = `2412 (qemu (x) y) S ${Array.from({ length: 18 }, (_, n) => n).join(' ')} 987654 0 0`
    expect(startTicksIn(stat)).toBe('987654')
  })

  it('are not the same', () => {
    expect(isSameProcess({ pid: 7, startTicks: '1' }, { pid: 7, startTicks: '2' })).toBe(false)
    expect(isSameProcess({ pid: 7, startTicks: '1' }, undefined)).toBe(false)
    expect(isSameProcess({ pid: 7, startTicks: '1' }, { pid: 7, startTicks: '1' })).toBe(true)
  })
})
