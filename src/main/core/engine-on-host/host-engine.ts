import type { EngineVerb, EventOf, QuestionOf, ResultOf } from '../../../shared/engine-protocol.ts'
import { isFailure, StillpointError } from '../../../shared/failure.ts'
import { hasInOneLine } from '../../../shared/lines.ts'
import type { Shell } from '../../../shared/shell.ts'
import { byteChannel } from './byte-channel.ts'
import { engineCall, failureInTail, questionLine, type CallOptions, type PlacedEngine } from './engine-call.ts'
import type { EngineAssets } from './engine-assets.ts'
import { placeEngine, type OnPlacing, type UnitTrial } from './place-engine.ts'

export interface EngineWatcher {
  readonly onPlacing: OnPlacing
  /** The engine has just been found in place, or put there. */
  readonly onReady: (placed: PlacedEngine) => void
}

/** The engine of one host, put there when it is first needed and looked after once per connection. */
export class HostEngine {
  readonly host: string
  readonly shell: Shell
  private readonly assets: EngineAssets
  private readonly watcher: EngineWatcher
  private readonly trial: UnitTrial
  private placed: Promise<PlacedEngine> | undefined

  constructor(host: string, shell: Shell, assets: EngineAssets, watcher: EngineWatcher, trial: UnitTrial) {
    this.host = host
    this.shell = shell
    this.assets = assets
    this.watcher = watcher
    this.trial = trial
  }

  /** Asks the engine; if it has gone meanwhile (the host was rebuilt or cleaned), puts it there again and asks once more. */
  async call<V extends EngineVerb>(
    verb: V,
    question: QuestionOf<V>,
    options?: CallOptions<EventOf<V>>
  ): Promise<ResultOf<V>> {
    const placed = await this.ready()
    try {
      return await engineCall(placed, verb, question, options)
    } catch (error) {
      if (!hasGone(error) || options?.stream !== undefined) throw error
      this.placed = undefined
      return engineCall(await this.ready(), verb, question, options)
    }
  }

  /** The point's stream, as fast as it is taken. A stream that breaks off throws. */
  async *exportPoint(question: QuestionOf<'export'>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { shell, node, engine } = await this.ready()
    const channel = byteChannel()
    const ended = new AbortController()
    const tail = new Tail()
    const onStdout = (chunk: Uint8Array): Promise<void> => {
      tail.add(chunk)
      return channel.put(chunk)
    }
    const options = {
      onStdout,
      timeoutMs: Infinity,
      signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal
    }
    shell.run([node, engine, 'export'], { stdin: questionLine(question), ...options }).then(
      ({ exitCode, stderr }) =>
        channel.end(exitCode === 0 ? undefined : exportFailure(this.host, tail.text, exitCode, stderr)),
      (error: unknown) => channel.end(error)
    )
    try {
      yield* channel.chunks
    } finally {
      ended.abort()
    }
  }

  private ready(): Promise<PlacedEngine> {
    this.placed ??= this.place()
    return this.placed
  }

  private async place(): Promise<PlacedEngine> {
    try {
      const placed = await placeEngine(this.host, this.shell, this.assets, this.watcher.onPlacing, this.trial)
      this.watcher.onReady(placed)
      return placed
    } catch (error) {
      this.placed = undefined
      throw error
    }
  }
}

/** Whether an engine that failed so is not there any more. */
export const hasGone = (error: unknown): boolean =>
  isFailure(error, 'missing-tool') ||
  (isFailure(error, 'command-failed') &&
    (error.failure.exitCode === 127 || hasInOneLine(error.failure.stderr, 'Cannot find module ', '/engine/')))

/** The last bytes of a stream: an engine that fails says why there. */
class Tail {
  private bytes: Uint8Array = new Uint8Array()

  add(chunk: Uint8Array): void {
    this.bytes =
      chunk.byteLength >= 8192
        ? Uint8Array.from(chunk.subarray(-8192))
        : Buffer.concat([this.bytes, chunk]).subarray(-8192)
  }

  get text(): string {
    return Buffer.from(this.bytes).toString('utf8')
  }
}

const exportFailure = (host: string, tail: string, exitCode: number | undefined, stderr: string): Error =>
  new StillpointError(
    failureInTail(tail, host) ?? { kind: 'command-failed', command: `the engine on ${host} (export)`, exitCode, stderr }
  )
