import { describe, expect, it } from 'vitest'
import {
  formatAge,
  formatAgo,
  formatBytes,
  formatDuration,
  formatMoment,
  formatPause,
  formatRate,
  formatTimeLeft,
  formatUntil
} from '../../../src/shared/format.ts'
import { oneLine, safeLines, safeText, shorten } from '../../../src/shared/safe-text.ts'
import { cutTo, padTo, textWidth } from '../../../src/shared/text-width.ts'

describe('figures as the operator reads them', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [2 * 1024 ** 3, '2.0 GiB'],
    [130 * 1024 ** 2, '130 MiB']
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  it.each([
    [0, '0 ms'],
    [4.21, '4.2 ms'],
    [48.3, '48 ms'],
    [999.4, '999 ms'],
    [999.9, '1.0 s'],
    [1100, '1.1 s'],
    [125_000, '2 min 5 s']
  ])('a pause of %d ms is %s', (ms, text) => expect(formatPause(ms)).toBe(text))

  it('long times lose what nobody reads', () => {
    expect(formatDuration(59_700)).toBe('1 min')
    expect(formatDuration(3 * 3_600_000 + 12 * 60_000)).toBe('3 h 12 min')
    expect(formatDuration(50 * 3_600_000)).toBe('2 d 2 h')
    expect(formatTimeLeft(3)).toBe('a few seconds')
    expect(formatTimeLeft(62)).toBe('about 1 min 15 s')
    expect(formatRate(212 * 1024 ** 2)).toBe('212 MiB/s')
  })
})

describe('text from hosts', () => {
  it('cannot steer a terminal or pass for another name', () => {
    expect(safeText('a\u001b[31mb\r\u202Ec\u200bd\u009b')).toBe('a\\u{1b}[31mb\\u{d}\\u{202e}c\\u{200b}d\\u{9b}')
    expect(safeText('\ud800')).toBe('\\u{d800}')
  })

  it('keeps letters of every script, emoji and punctuation', () => {
    expect(safeText('größe 日本 $(touch x) 🙂')).toBe('größe 日本 $(touch x) 🙂')
  })

  it('keeps line ends where lines are meant', () => {
    expect(safeLines('a\nb\tc')).toBe('a\nb\\u{9}c')
    expect(shorten('abcdef', 4)).toBe('abc…')
  })

  it('keeps emoji whole that Unicode recommends, and shows any other joiner', () => {
    expect(safeText('👨‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿')).toBe('👨‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿')
    expect(safeText('می‌خواهم a‍b')).toBe('می\\u{200c}خواهم a\\u{200d}b')
    expect(shorten('vm 👨‍👩‍👧', 8)).toBe('vm …')
  })

  it('makes one line of what a program printed', () => {
    expect(oneLine('  error:\n\tno such\r\n file \u001b[m')).toBe('error: no such file \\u{1b}[m')
  })

  it('leaves spaces within a line as they are: a name may have them', () => {
    expect(oneLine("'/srv/My VMs/a  b.qcow2':\u00a0no such file")).toBe("'/srv/My VMs/a  b.qcow2':\\u{a0}no such file")
    expect(oneLine('  error:   \n\t  /srv/a\u00a0b \r\n')).toBe('error: /srv/a\\u{a0}b')
  })

  it('makes one line of endless spaces at a cost that does not grow faster than they do', () => {
    const spaces = ' '.repeat(2_000_000)
    expect(oneLine(`a${spaces}b`) === `a${spaces}b`).toBe(true)
    expect(oneLine(`a${spaces}`) === 'a').toBe(true)
  })

  it.each([
    ['web1', 4],
    ['', 0],
    ['数据库', 6],
    ['データ１', 8],
    ['שרת', 3],
    ['e\u0301', 1],
    ['👨‍👩‍👧‍👦', 2],
    ['❤️', 2]
  ])('%s is %i columns wide', (text, width) => {
    expect(textWidth(text)).toBe(width)
    expect(padTo(text, 10)).toBe(text + ' '.repeat(10 - width))
  })

  it('cuts by columns, and no letter in two', () => {
    expect(cutTo('数据库', 5)).toBe('数据')
    expect(cutTo('web1', 2)).toBe('we')
    expect(cutTo('e\u0301x', 1)).toBe('e\u0301')
  })
})

describe('ages', () => {
  const now = new Date('2026-11-22T20:00:00.000Z')
  const MINUTE_MS = 60_000
  const HOUR_MS = 60 * MINUTE_MS

  it.each([
    [-5 * MINUTE_MS, 'just now', 'less than a minute'],
    [59_000, 'just now', 'less than a minute'],
    [MINUTE_MS, '1 min ago', '1 minute'],
    [59.9 * MINUTE_MS, '59 min ago', '59 minutes'],
    [HOUR_MS, '1 h ago', '1 hour'],
    [47.9 * HOUR_MS, '47 h ago', '47 hours'],
    [48 * HOUR_MS, '2 d ago', '2 days']
  ])('of %d ms are told in one unit', (ms, ago, age) => {
    expect([formatAgo(new Date(now.getTime() - ms).toISOString(), now), formatAge(ms)]).toEqual([ago, age])
  })

  it('shows what is no time as it came', () => {
    expect(formatAgo('yesterday', now)).toBe('yesterday')
  })
})

describe('what is ahead', () => {
  // Local times: the words are those of this computer's time zone.
  const now = new Date(2026, 10, 25, 14, 30)
  const at = (month: number, day: number, hour: number, year = 2026): string =>
    new Date(year, month - 1, day, hour).toISOString()

  it.each([
    [at(11, 25, 14), 'any moment', 'today 14:00'],
    [new Date(2026, 10, 25, 14, 42).toISOString(), 'in 12 min', 'today 14:42'],
    [at(11, 26, 2), 'in 11 h', 'tomorrow 02:00'],
    [at(12, 1, 2), 'in 5 d', 'Tue 02:00'],
    [at(12, 24, 2), 'in 28 d', '24 Dec 02:00'],
    [at(1, 2, 2, 2027), 'in 37 d', '2027-01-02 02:00']
  ])('%s comes %s, which is %s', (iso, until, moment) =>
    expect([formatUntil(iso, now), formatMoment(iso, now)]).toEqual([until, moment])
  )

  it('is said of what has been, too', () => {
    expect([at(11, 24, 23), at(11, 20, 2)].map((iso) => formatMoment(iso, now))).toEqual([
      'yesterday 23:00',
      'Fri 02:00'
    ])
  })

  it('stays as it is where it is no time', () =>
    expect([formatUntil('soon', now), formatMoment('soon', now)]).toEqual(['soon', 'soon']))
})
