import { dirname } from 'node:path'
import { PROTOCOL_VERSION } from '../../../shared/engine-protocol.ts'
import { fail, isFailure } from '../../../shared/failure.ts'
import { enginePath, runtimePath, STATE_DIR } from '../../../shared/host-paths.ts'
import type { Shell } from '../../../shared/shell.ts'
import { engineCall, type PlacedEngine } from './engine-call.ts'
import type { EngineAssets } from './engine-assets.ts'
import { sweepOldEngines } from './sweep.ts'
import { presentOnHost, upload, type OnUpload } from './upload.ts'

export type OnPlacing = (what: 'runtime' | 'engine', doneBytes: number, totalBytes: number) => void

/** Sees to it that runtime and engine are on the host with the right content, and that they run there. */
export async function placeEngine(
  host: string,
  shell: Shell,
  assets: EngineAssets,
  onPlacing: OnPlacing
): Promise<PlacedEngine> {
  const engine = await assets.engine()
  // Every host so far was one of these; another one is told apart by what uname says in the same round trip.
  const guess = await assets.runtime(host, 'x86_64').catch(() => undefined)
  const files = [{ target: enginePath(engine.hash), hash: engine.hash }]
  if (guess !== undefined) files.push({ target: runtimePath(guess.hash), hash: guess.hash })
  const { machine, present } = await presentOnHost(shell, files)
  const runtime = machine === 'x86_64' && guess !== undefined ? guess : await assets.runtime(host, machine)
  const put = (what: 'runtime' | 'engine', progress: OnUpload): Promise<void> =>
    what === 'runtime'
      ? upload(
          shell,
          { asset: runtime, stateDir: STATE_DIR, target: runtimePath(runtime.hash), mode: '0700' },
          assets.cache,
          progress
        )
      : upload(
          shell,
          { asset: engine, stateDir: STATE_DIR, target: enginePath(engine.hash), mode: '0600' },
          assets.cache,
          progress
        )

  if (present[1] !== true || runtime !== guess) await put('runtime', (done, total) => onPlacing('runtime', done, total))
  if (present[0] !== true) await put('engine', (done, total) => onPlacing('engine', done, total))
  const placed = { shell, host, node: runtimePath(runtime.hash), engine: enginePath(engine.hash) }
  if (present.includes(false)) await introduce(placed)
  return placed
}

/** First contact of this engine with this host: does it run, does it speak our protocol, what can go now. */
async function introduce(placed: PlacedEngine): Promise<void> {
  const theirs = (await probeEngine(placed)).protocol
  if (theirs !== PROTOCOL_VERSION)
    fail({ kind: 'engine-version', host: placed.host, theirs: String(theirs), ours: String(PROTOCOL_VERSION) })
  await requireUnitsStart(placed)
  await sweepOldEngines(placed.shell, STATE_DIR, dirname(placed.node), placed.engine).catch(() => undefined)
}

async function probeEngine(placed: PlacedEngine): Promise<{ protocol: number }> {
  try {
    return await engineCall(placed, 'probe', {})
  } catch (error) {
    if (
      isFailure(error, 'missing-tool') ||
      (isFailure(error, 'command-failed') && [126, 127].includes(error.failure.exitCode ?? 0))
    )
      fail(
        {
          kind: 'unsupported-host',
          host: placed.host,
          reason: `What is put into ${STATE_DIR} cannot be run there: is it mounted noexec, or is its C library older than glibc 2.28?`
        },
        error
      )
    throw error
  }
}

/** Jobs, policies and recovery are units: a host may let a login start the engine, and not its systemd. */
export async function requireUnitsStart({ shell, host, node }: PlacedEngine): Promise<void> {
  const options = ['--wait', '--collect', '--quiet']
  const { exitCode, stderr } = await shell.run(['systemd-run', ...options, '--', node, '--version'])
  if (exitCode === 0) return
  const said = stderr.trim().slice(-500)
  const reason = `Its systemd does not start what is put into ${STATE_DIR} (exit code ${exitCode ?? 'none'}). Where SELinux is on: ls -Z ${node} should show bin_t. ${said}`
  fail({ kind: 'unsupported-host', host, reason: reason.trim() })
}
