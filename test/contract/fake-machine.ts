import { fakeShell, type FakeAnswer, type FakeCall } from '../../src/shell/fake.ts'
import type { Shell } from '../../src/shared/shell.ts'

/** The fake shell with the few programs that the contract suite runs, really interpreted. */
export function fakeMachine(): { shell: Shell; running(token: string): number; cut(): void } {
  const alive = new Set<FakeCall>()
  let cut = new AbortController()
  const shell = fakeShell(async (call) => {
    alive.add(call)
    const off = (): void => void alive.delete(call)
    call.ended.addEventListener('abort', off)
    const answer = await interpret(call, cut.signal)
    return answer && { ...answer, stdout: until(off, answer.stdout) }
  })
  return {
    shell,
    running: (token) => [...alive].filter((call) => call.line.includes(token)).length,
    cut: () => {
      cut.abort()
      cut = new AbortController()
    }
  }
}

type Bytes = NonNullable<FakeAnswer['stdout']>

/** The program has ended once its output has. */
async function* until(off: () => void, output: Bytes = ''): AsyncGenerator<Uint8Array> {
  try {
    if (typeof output === 'string' || output instanceof Uint8Array) yield Buffer.from(output)
    else yield* output
  } finally {
    off()
  }
}

type Program = (call: FakeCall, cut: AbortSignal) => FakeAnswer | Promise<FakeAnswer>

const programs: Readonly<Record<string, Program>> = {
  printf: ({ argv }) => ({
    stdout: argv
      .slice(2)
      .map((word) => `${word}\0`)
      .join('')
  }),
  cat: (call) => ({ stdout: call.stdinChunks() }),
  head: ({ argv }) => ({ stdout: zeros(Number(argv[2])) }),
  printenv: ({ argv, options }) => ({ stdout: `${{ LC_ALL: 'C', ...options.env }[argv[1] ?? ''] ?? ''}\n` }),
  sleep: (call, cut) => sleeping(call, cut),
  sh: (call, cut) => interpretScript(call, cut),
  yes: (_, cut) => ({ stdout: endless(cut) })
}

const interpret = (call: FakeCall, cut: AbortSignal): FakeAnswer | Promise<FakeAnswer> | undefined =>
  programs[call.argv[0]]?.(call, cut)

function interpretScript(call: FakeCall, cut: AbortSignal): FakeAnswer | Promise<FakeAnswer> {
  const script = call.argv[2] ?? ''
  const exit = /^echo (\w+); echo (\w+) >&2; exit (\d+)$/.exec(script)
  if (exit) return { stdout: `${exit[1]}\n`, stderr: `${exit[2]}\n`, exitCode: Number(exit[3]) }
  const kill = /^kill -(\w+) \$\$$/.exec(script)
  if (kill) return { signal: `SIG${kill[1]}` }
  const complaint = /^echo (\w+) >&2; head -c (\d+) \/dev\/zero \| tr "\\0" x >&2; echo (\w+) >&2$/.exec(script)
  if (complaint) return { stderr: `${complaint[1]}\n${'x'.repeat(Number(complaint[2]))}${complaint[3]}\n` }
  if (script.includes('sleep')) return sleeping(call, cut)
  throw new Error(`the fake machine cannot run: ${script}`)
}

async function sleeping({ ended }: FakeCall, cut: AbortSignal): Promise<FakeAnswer> {
  await new Promise((resolve) => {
    ended.addEventListener('abort', resolve)
    cut.addEventListener('abort', resolve)
  })
  return cut.aborted ? { failure: { kind: 'connection-lost', host: 'fake host', during: 'sleep' } } : {}
}

function* zeros(bytes: number): Generator<Uint8Array> {
  const chunk = Buffer.alloc(64 * 1024)
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length))
}

/** Without a word of its own about the cut: then it is the connection's fault. */
async function* endless(cut: AbortSignal): AsyncGenerator<Uint8Array> {
  while (!cut.aborted) {
    yield Buffer.from('y\n'.repeat(1000))
    await new Promise(setImmediate)
  }
}
