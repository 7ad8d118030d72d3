import { dirname } from 'node:path'
import { PROTOCOL_VERSION } from '../../../shared/engine-protocol.ts'
import { fail, isFailure } from '../../../shared/failure.ts'
import { enginePath, RUNTIME_DIRS, runtimePath, STATE_DIR, type RuntimeDir } from '../../../shared/host-paths.ts'
import type { Shell } from '../../../shared/shell.ts'
import { engineCall, type PlacedEngine } from './engine-call.ts'
import type { Asset, EngineAssets } from './engine-assets.ts'
import { chooseRuntimeDir } from './runtime-dir.ts'
import { sweepOldEngines } from './sweep.ts'
import { isKnownTo, takeAway } from './take-away.ts'
import { presentOnHost, upload, type OnUpload, type Upload } from './upload.ts'

export type OnPlacing = (what: 'runtime' | 'engine', doneBytes: number, totalBytes: number) => void

/** Whether the host's systemd is to start the engine once: a host that is added, always; any other, when something was put there. */
export type UnitTrial = 'always' | 'when new'

/**
 * Sees to it that runtime and engine are on the host with the right content, and that they run there. A host that is added and
 * refused is left as it was; one that is known keeps them, as it is asked again soon.
 */
export async function placeEngine(
  host: string,
  shell: Shell,
  assets: EngineAssets,
  onPlacing: OnPlacing,
  trial: UnitTrial = 'when new'
): Promise<PlacedEngine> {
  const place: Placing = { host, shell, assets, onPlacing, put: [] }
  if (trial === 'when new') return placeAndTry(place, trial)
  const wasThere = await isKnownTo(shell)
  try {
    return await placeAndTry(place, trial)
  } catch (error) {
    await takeAway(shell, place.put, wasThere).catch(() => undefined)
    throw error
  }
}

async function placeAndTry(place: Placing, trial: UnitTrial): Promise<PlacedEngine> {
  const { host, shell } = place
  const found = await lookFor(place)
  const dir = found.runtimeDir ?? (await chooseRuntimeDir(shell))
  const put = await putThere(place, found, dir)
  if (put.isNew) await introduce(put.placed)
  if (!put.isNew && trial === 'when new') return put.placed
  const obstacle = await unitObstacle(put.placed)
  if (obstacle === undefined) return put.placed
  // What was there from before may lie where this host's systemd has since been told to start nothing.
  const other = found.runtimeDir === undefined ? dir : await chooseRuntimeDir(shell)
  if (other === dir) return fail({ kind: 'unsupported-host', host, ...obstacle })
  const moved = await putThere(place, { ...found, hasEngine: true }, other)
  await introduce(moved.placed)
  await requireUnitsStart(moved.placed)
  return moved.placed
}

interface Placing {
  readonly host: string
  readonly shell: Shell
  readonly assets: EngineAssets
  readonly onPlacing: OnPlacing
  /** What this very placing has put there. */
  readonly put: string[]
}

/** What is on a host of what it is to have. */
interface Found {
  readonly engine: Asset
  readonly hasEngine: boolean
  readonly runtime: Asset
  /** All that have it, also where nothing shows that it may be started. */
  readonly runtimeIn: readonly RuntimeDir[]
  /** Undefined: it is nowhere where it may be started. */
  readonly runtimeDir: RuntimeDir | undefined
}

/** Every host so far was an x86_64; another one is told apart by what uname says in the same round trip, and looked at again. */
async function lookFor({ host, shell, assets }: Placing): Promise<Found> {
  const engine = await assets.engine()
  const guess = await assets.runtime(host, 'x86_64').catch(() => undefined)
  const seen = await lookAt(shell, engine, guess)
  if (guess !== undefined && seen.machine === 'x86_64') return { ...seen, engine, runtime: guess }
  const runtime = await assets.runtime(host, seen.machine)
  return { ...(await lookAt(shell, engine, runtime)), engine, runtime }
}

interface Seen {
  readonly machine: string
  readonly hasEngine: boolean
  readonly runtimeIn: readonly RuntimeDir[]
  readonly runtimeDir: RuntimeDir | undefined
}

/** A runtime below /usr goes before: it was put there because the other place did not do. */
async function lookAt(shell: Shell, engine: Asset, runtime: Asset | undefined): Promise<Seen> {
  const dirs = runtime === undefined ? [] : RUNTIME_DIRS.toReversed()
  const files = dirs.map((dir) => ({ target: runtimePath(runtime?.hash ?? '', dir), hash: runtime?.hash ?? '' }))
  const look = await presentOnHost(shell, [{ target: enginePath(engine.hash), hash: engine.hash }, ...files])
  const [hasEngine = false, ...present] = look.present
  const mayStart = (dir: RuntimeDir): boolean => !look.hasSelinux || !dir.startsWith(STATE_DIR)
  const runtimeIn = dirs.filter((_, index) => present[index] === true)
  return { machine: look.machine, hasEngine, runtimeIn, runtimeDir: runtimeIn.find(mayStart) }
}

async function putThere(
  { host, shell, assets, onPlacing, put }: Placing,
  found: Found,
  dir: RuntimeDir
): Promise<{ readonly placed: PlacedEngine; readonly isNew: boolean }> {
  const { engine, runtime } = found
  const placed = { shell, host, node: runtimePath(runtime.hash, dir), engine: enginePath(engine.hash) }
  const onUpload =
    (what: 'runtime' | 'engine'): OnUpload =>
    (done, total) =>
      onPlacing(what, done, total)
  const hasRuntime = found.runtimeIn.includes(dir)
  const send = async (file: Upload, what: 'runtime' | 'engine'): Promise<void> => {
    if (await upload(shell, file, assets.cache, onUpload(what))) put.push(file.target)
  }
  if (!hasRuntime) await send({ asset: runtime, base: dirname(dir), target: placed.node, mode: '0700' }, 'runtime')
  if (!found.hasEngine) await send({ asset: engine, base: STATE_DIR, target: placed.engine, mode: '0600' }, 'engine')
  return { placed, isNew: !hasRuntime || !found.hasEngine }
}

/** First contact of this engine with this host: does it run, does it speak our protocol, what can go now. */
async function introduce(placed: PlacedEngine): Promise<void> {
  const theirs = (await probeEngine(placed)).protocol
  if (theirs !== PROTOCOL_VERSION)
    fail({ kind: 'engine-version', host: placed.host, theirs: String(theirs), ours: String(PROTOCOL_VERSION) })
  await sweepOldEngines(placed.shell, dirname(placed.node), placed.engine).catch(() => undefined)
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
          reason: `${placed.node} cannot be run there: is it mounted noexec, or is the host's C library older than glibc 2.28?`
        },
        error
      )
    throw error
  }
}

async function unitObstacle(placed: PlacedEngine): Promise<{ reason: string; fix: string } | undefined> {
  return (await engineCall(placed, 'try-unit', {})).obstacle
}

/** Jobs, policies and recovery are units: a host may let a login start the engine, and not its systemd. */
export async function requireUnitsStart(placed: PlacedEngine): Promise<void> {
  const obstacle = await unitObstacle(placed)
  if (obstacle !== undefined) fail({ kind: 'unsupported-host', host: placed.host, ...obstacle })
}
