import { describe, expect, it } from 'vitest'
import { engineCall } from '../../../src/main/core/engine-on-host/engine-call.ts'
import { LONGEST_LINE_BYTES } from '../../../src/shared/engine-limits.ts'
import { engineVerbs, LONGEST_TEXT, type EngineVerb, type ResultOf } from '../../../src/shared/engine-protocol.ts'
import { resultLines } from '../../../src/shared/result-lines.ts'
import { fakeShell } from '../../../src/shell/fake.ts'
import { idOf, jobReport, runReport } from '../../hostile/reports.ts'
import { policyOf } from '../made-policies.ts'
import { FILES, manifestOf } from '../store-points.ts'

const many = <T>(count: number, each: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => each(n))
const AT = '2026-11-22T20:17:44.000Z'
const vm = { uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0', name: 'web1' }
const point = (n: number): ReturnType<typeof manifestOf> => ({ ...manifestOf(FILES), id: idOf(n) })
const heavy = { warnings: many(200, (n) => `${n} ${'ä"\\😀\n'.repeat(200)}`) }
const runVm = (n: number): object => ({
  vm,
  outcome: 'failed',
  reason: `it was ${n}`,
  failure: { kind: 'cancelled', what: 'alpha: it' }
})
const pruned = { trashed: many(5000, idOf), removed: [], memoryDropped: many(9, idOf), freedBytes: 1, refused: [] }
const heavyRun = (n: number): object => ({ ...runReport(n, { pruned }), vms: many(900, runVm) })
const fate = (n: number): object => ({
  ...{ id: idOf(n), takenAt: AT, sizeBytes: 1, keep: true, reasons: ['pinned'], memory: 'none', freesBytes: 0 }
})
const paths = many(4000, (n) => `/var/lib/stillpoint/points/${n}`)
const policy = (n: number): object => ({ policy: policyOf(), ...(n % 3 === 0 && { lastRun: heavyRun(n) }) })

/** As long as an engine may answer each verb, or about. Undefined: not with a result. */
const LONG: Readonly<Record<EngineVerb, unknown>> = {
  probe: { protocol: 1, engine: '1', bootId: 'b', hostname: 'h', machineId: 'm' },
  'try-unit': { obstacle: { reason: 'r'.repeat(7000), fix: 'f'.repeat(7000) } },
  submit: { id: idOf(1) },
  follow: jobReport(1, heavy),
  cancel: jobReport(1, heavy),
  jobs: [...many(700, jobReport), jobReport(700, heavy), jobReport(701, heavy), jobReport(702)],
  points: {
    points: [point(1), { ...point(2), ...heavy }, ...many(300, (n) => point(n + 3))],
    broken: many(900, (n) => ({ path: `/p/${n}`, reason: 'x'.repeat(100) })),
    marks: Object.fromEntries(many(2000, (n) => [idOf(n), { pinned: n % 2 === 0, note: 'n'.repeat(100) }]))
  },
  verify: {
    ...{ point: idOf(1), good: false, checkedBytes: 1 },
    problems: many(3000, (n) => ({ file: `f${n}`, detail: 'd'.repeat(50) })),
    notes: many(500, (n) => `note ${n}`)
  },
  delete: { freedBytes: 1 },
  mark: { pinned: true, note: 'n'.repeat(2000) },
  'read-small': {
    manifest: '\u0001'.repeat(LONGEST_TEXT),
    domain: '😀'.repeat(LONGEST_TEXT / 2),
    host: 'h',
    memory: '"'.repeat(LONGEST_TEXT - 1)
  },
  preflight: many(3000, (n) => ({ check: `${n}`, state: 'ok', text: 't'.repeat(100) })),
  export: undefined,
  'import-state': { have: Object.fromEntries(many(1900, (n) => [`${'f'.repeat(100)}${n}`, n])) },
  import: { ...point(1), ...heavy },
  policies: {
    ...{ policies: many(9, policy), broken: [], timeZone: 'UTC', parallel: 2, channels: {} },
    outbox: many(1000, (n) => ({
      id: `${n}`,
      at: AT,
      ...{ channel: 'mail', subject: 's'.repeat(90), lastError: 'e', tries: 1, nextTryAt: AT }
    }))
  },
  'policy-put': policyOf(),
  'policy-remove': { removed: paths },
  'policy-run': { run: idOf(1) },
  runs: [...many(300, runReport), heavyRun(301), heavyRun(302), runReport(303)],
  'prune-plan': {
    vms: [{ vm, points: many(5000, fate) }, ...many(30, () => ({ vm, points: many(100, fate) }))],
    freesBytes: 0,
    trash: { points: 0, bytes: 0 }
  },
  parallel: {},
  'channels-put': {},
  'channels-test': { text: 't'.repeat(8000) },
  recover: many(900, jobReport),
  doctor: many(3000, (n) => ({ kind: 'k', what: `w${n}`, remedy: 'r', repaired: false })),
  'let-go': { removed: paths, freedBytes: 1, kept: paths.map((path) => ({ path, because: 'it is needed' })) },
  'remove-all': { removed: paths }
}
const ANSWERED = Object.entries(LONG).filter(([, value]) => value !== undefined) as [EngineVerb, unknown][]

const answered = (verb: EngineVerb, lines: Iterable<string>): Promise<ResultOf<EngineVerb>> =>
  engineCall(
    { shell: fakeShell(() => ({ stdout: [...lines].join('') })), host: 'alpha', node: '/n', engine: '/e' },
    verb,
    {
      id: idOf(1)
    }
  )

describe('an answer of an engine', () => {
  it.each(ANSWERED)('is the same at its reader, however long it is: %s', async (verb, value) => {
    expect(await answered(verb, resultLines(verb, value))).toEqual(engineVerbs[verb].result.parse(value))
  })

  it.each(ANSWERED)('is in lines that are all short: %s', (verb, value) => {
    const longest = Math.max(...[...resultLines(verb, value)].map((line) => Buffer.byteLength(line)))
    expect(longest).toBeLessThanOrEqual(LONGEST_LINE_BYTES / 2)
  })

  it('is one line where it is short', () => {
    expect([...resultLines('submit', { id: 'x' })]).toEqual(['{"result":{"id":"x"}}\n'])
    expect([...resultLines('jobs', [])]).toEqual(['{"result":[]}\n'])
  })

  it('leaves away what is longer than anybody takes of an entry', () => {
    const [, ...lines] = resultLines('jobs', [jobReport(1, { warnings: ['w'.repeat(9 << 20)] })])
    expect(lines.join('').length).toBeLessThan(10_000)
  })

  it('goes on in the right entry where entries before it were too many', async () => {
    const value = { ...(LONG['policies'] as object), policies: many(104, (n) => policy(n < 98 ? 1 : 3)) }
    expect(await answered('policies', resultLines('policies', value))).toEqual(engineVerbs.policies.result.parse(value))
  })
})
