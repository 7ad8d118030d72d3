import { describe, expect, it } from 'vitest'
import { byteChannel } from '../../../src/main/core/engine-on-host/byte-channel.ts'
import { engineCall, failureInTail } from '../../../src/main/core/engine-on-host/engine-call.ts'
import { ENGINE_LIMITS } from '../../../src/shared/engine-limits.ts'
import { failureOf } from '../../../src/shared/failure.ts'
import { describeFailure } from '../../../src/shared/failure-words.ts'
import { resultLines } from '../../../src/shared/result-lines.ts'
import { fakeShell, type FakeAnswer } from '../../../src/shell/fake.ts'
import { FILES, manifestOf } from '../store-points.ts'

const answering = (answer: FakeAnswer): Parameters<typeof engineCall>[0] => ({
  shell: fakeShell(() => answer),
  host: 'alpha',
  node: '/n',
  engine: '/e'
})
const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')
const progress = { phase: 'checking', doneBytes: 1, totalBytes: 2 }
const begun = lines({ begun: { points: [], broken: [], marks: {} } })
const ID = '20261122T201744Z-7f3a21'

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of stream) expect(chunk).toBeDefined()
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield await Promise.resolve(Buffer.alloc(1 << 20, 0x61))
}

describe('a call to the engine', () => {
  it('gives events in order and then the result', async () => {
    const seen: unknown[] = []
    const result = { point: ID, good: true, checkedBytes: 2, problems: [], notes: [] }
    const placed = answering({
      stdout: lines({ event: progress }, { event: { ...progress, doneBytes: 2 } }, { result })
    })
    const answer = await engineCall(
      placed,
      'verify',
      { store: '/s', point: ID },
      { onEvent: (event) => void seen.push(event.doneBytes) }
    )
    expect(seen).toEqual([1, 2])
    expect(answer).toEqual(result)
  })

  it('asks with one line of JSON on stdin', async () => {
    const shell = fakeShell(async (call) => lines({ result: JSON.parse((await call.stdin()).toString()) as unknown }))
    const placed = { shell, host: 'alpha', node: '/n', engine: '/e' }
    const spec = {
      kind: 'restore',
      vm: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0',
      vmName: '$(x)\n',
      hostName: 'a',
      point: ID,
      store: '/s',
      mode: 'boot',
      replace: false
    } as const
    expect(await engineCall(placed, 'submit', { id: ID, spec })).toEqual({ id: ID })
    expect(shell.lines).toEqual(['/n /e submit'])
  })

  it('throws the failure that the engine ended with', async () => {
    const failure = { kind: 'vm-busy', vm: 'web1', by: 'job 1', since: '2026-11-22T20:17:44.000Z' }
    await expect(engineCall(answering({ exitCode: 1, stdout: lines({ failure }) }), 'jobs', {})).rejects.toMatchObject({
      failure: { ...failure, by: 'alpha: job 1' }
    })
  })

  it.each<[string, FakeAnswer]>([
    ['garbage', { stdout: 'Welcome to alpha!\n' }],
    ['a result of another shape', { stdout: lines({ result: [{ id: 7 }] }) }],
    ['a failure of no known kind', { stdout: lines({ failure: { kind: 'constructor' } }) }],
    ['bytes that are no UTF-8', { stdout: Buffer.from([0xff, 0xfe, 0x0a]) }],
    ['nothing', { stdout: '' }],
    ['JSON of great depth', { stdout: `${'['.repeat(200_000)}\n` }]
  ])('calls it bad output when the host says %s', async (_, answer) => {
    await expect(engineCall(answering(answer), 'jobs', {})).rejects.toMatchObject({ failure: { kind: 'bad-output' } })
  })

  // engine.md finding 45
  it('takes a list however long it is', async () => {
    const warnings = [`x${'😀'.repeat(1999)}`, ...Array<string>(9).fill('w'.repeat(4000))]
    const points = Array<unknown>(900).fill(manifestOf(FILES, { warnings }))
    const stdout = [...resultLines('points', { points, broken: [], marks: {} })]
    expect(stdout.join('').length).toBeGreaterThan(32 << 20)
    const listed = await engineCall(answering({ stdout: stdout.map((line) => Buffer.from(line)) }), 'points', {
      stores: []
    })
    expect(listed.points).toHaveLength(900)
    expect(new Set(listed.points.flatMap((point) => point.warnings))).toEqual(new Set(warnings))
  })

  it('gives up on one that is too long to be held, and says so of this host', async () => {
    const part = lines({ of: ['broken'], more: [{ path: '/p', reason: 'r'.repeat(1_000_000) }] })
    const said = [begun, ...Array<string>(70).fill(part)].map((each) => Buffer.from(each))
    const error: unknown = await engineCall(answering({ stdout: said }), 'points', { stores: [] }).catch(
      (thrown: unknown) => thrown
    )
    expect(error).toMatchObject({ failure: { kind: 'output-too-large', host: 'alpha', limitBytes: 64 << 20 } })
    expect(describeFailure(failureOf(error))).toEqual({
      title: 'alpha answers with more than can be held here',
      explanation: 'More than 64 MiB came back (points), which was not read to its end. Other hosts are not concerned.',
      nextStep: expect.stringContaining('stillpoint doctor alpha') as unknown
    })
  })

  it('takes no more of a list within an answer than there can be, and does not look at the rest', async () => {
    const right = Array.from({ length: ENGINE_LIMITS.findings }, () => ({ file: 'vda.qcow2', detail: 'too short' }))
    const problems = [...right, ...Array.from({ length: 20_000 }, (_, n) => n)]
    const result = { point: ID, good: false, checkedBytes: 2, problems, notes: [] }
    const answer = await engineCall(answering({ stdout: [...resultLines('verify', result)].join('') }), 'verify', {
      store: '/s',
      point: ID
    })
    expect(answer.problems).toEqual(right)
  })

  it('tells a few of the places in which an answer is wrong in thousands', async () => {
    const problems = Array.from({ length: 20_000 }, (_, n) => n)
    const result = { point: ID, good: false, checkedBytes: 2, problems, notes: [] }
    const asked = engineCall(answering({ stdout: lines({ result }) }), 'verify', { store: '/s', point: ID })
    const failure = failureOf(await asked.catch((error: unknown) => error))
    expect(failure).toMatchObject({ kind: 'bad-output', detail: expect.stringContaining('problems[4]') as unknown })
    expect(failure).toMatchObject({ detail: expect.not.stringContaining('problems[5]') as unknown })
  })

  it('says with which code the engine ended in the middle of a line', async () => {
    const dying = answering({ exitCode: 137, stdout: '{"result": [{"id"', stderr: 'Killed' })
    await expect(engineCall(dying, 'jobs', {})).rejects.toMatchObject({
      failure: { kind: 'command-failed', exitCode: 137 }
    })
  })

  it('gives up on a line without end, long before memory does', async () => {
    await expect(engineCall(answering({ stdout: endless() }), 'jobs', {})).rejects.toMatchObject({
      failure: { kind: 'output-too-large' }
    })
  })

  it('gives up on half a JSON and silence when its time is over', async () => {
    const hanging = answering({ stdout: '{"result":', delayMs: 10_000 })
    await expect(engineCall(hanging, 'jobs', {}, { timeoutMs: 50 })).rejects.toMatchObject({
      failure: { kind: 'timeout' }
    })
  })
})

describe('a stream that broke off', () => {
  it('says why in its last line', () => {
    expect(
      failureInTail(`binary\0stuff{"failure":{"kind":"point-damaged","point":"p","file":"f","detail":"d"}}\n`, 'alpha')
        ?.kind
    ).toBe('point-damaged')
    expect(failureInTail('binary\0stuff', 'alpha')).toBeUndefined()
  })
})

describe('the channel between two hosts', () => {
  it('holds the sender back until the chunk is taken', async () => {
    const channel = byteChannel()
    let put = 0
    const sending = (async () => {
      for (let n = 0; n < 5; n++) {
        await channel.put(Uint8Array.of(n))
        put++
      }
      channel.end()
    })()
    const got: number[] = []
    for await (const chunk of channel.chunks) {
      expect(put).toBeLessThanOrEqual(got.length + 1)
      got.push(chunk[0] ?? -1)
    }
    await sending
    expect(got).toEqual([0, 1, 2, 3, 4])
  })

  it('throws what the sender failed with, and lets a sender go that nobody listens to', async () => {
    const broken = byteChannel()
    broken.end(new Error('lost'))
    await expect(drain(broken.chunks)).rejects.toThrow('lost')
    await broken.put(Uint8Array.of(1))
  })
})
