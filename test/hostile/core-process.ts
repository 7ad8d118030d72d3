import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contract } from '../../src/shared/contract.ts'
import type { EngineVerb } from '../../src/shared/engine-protocol.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { fail, failureOf, type Failure } from '../../src/shared/failure.ts'
import { addressOf } from '../../src/main/core/hosts/connections.ts'
import { requireHost } from '../../src/main/core/hosts/host-book.ts'
import { listVms } from '../../src/main/core/hosts/list-vms.ts'
import { LiveCore } from '../../src/main/core/live/live-core.ts'
import { LiveValue } from '../../src/main/core/live/live-value.ts'
import { desktopCoreOver } from '../../src/main/desktop/desktop-core.ts'
import { safetyOf, type Safety } from '../../src/shared/safety.ts'
import { errorLog } from '../../src/main/doors/error-log.ts'
import { handlersOver } from '../../src/main/doors/handlers.ts'
import { openBrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { processorTimes, slownessNow, type ProcessorTimes } from './cpu-time.ts'
import { followOnPaper } from './paper-desktop.ts'
import { toldOf, type ToldAnswer } from './wrong-answers.ts'

/**
 * A core in a process of its own, with what the desktop does in its own, but for the window: what it costs can be measured, and what it knows is told to
 * whoever started it. Arguments: its settings folder, the root of Stillpoint, and the hosts whose news are to be told.
 */
export type Order =
  | {
      readonly do: 'call'
      readonly host: string
      readonly verb: EngineVerb
      readonly question: object
      readonly withinMs: number
    }
  | { readonly do: 'inventory' | 'login'; readonly host: string }
  | { readonly do: 'refresh' | 'safety'; readonly host: string }
  /** Of memory, what is held is known only once all garbage is collected: by itself that would come later. */
  | { readonly do: 'measure'; readonly collects: boolean }
  | { readonly do: 'door' | 'close' | 'waited' }

/** What came of asking a host. */
export type Outcome = { readonly heldMs: number } & (
  | ({ readonly is: 'answer' } & ToldAnswer)
  | { readonly is: 'failure'; readonly failure: Failure; readonly words: readonly string[] }
)

export interface Measured {
  /** What the process has of the machine's memory. */
  readonly rssBytes: number
  /** The most that it had of it since the last time. */
  readonly peakRssBytes: number
  /** What is in use, without what V8 and the allocator keep for the next time. */
  readonly heldBytes: number
  readonly folderBytes: number
  /** The longest that the event loop was held since the last time, in milliseconds of this thread's own work. */
  readonly heldMs: number
  /** The same as the clock saw it, with all that other programs took meanwhile. */
  readonly lateMs: number
  /** How many times as long as on a machine of its own this machine took for the same work since the last time, when it took longest. */
  readonly slowness: number
  readonly processor: ProcessorTimes
}

/** What is known of the host that means well. */
export interface Seen {
  readonly state: string | undefined
  readonly vms: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, string>>
  readonly runs: readonly string[]
  readonly points: readonly string[]
  readonly notices: readonly string[]
  /** How long the core has waited for a processor until then, since it began. */
  readonly waitedMs: number
}

export type Told =
  | { readonly seen: Seen; readonly about: string }
  | { readonly id: number; readonly result?: unknown; readonly error?: string }

const INFO = { version: 'test', door: 'browser' } as const
const [folder = '', root = '', ...hosts] = process.argv.slice(2)
const live = new LiveCore({ folder, cache: join(folder, '..', 'cache'), root })
const loop = watchLoop()
const handlers = handlersOver(live, {
  info: () => ({ ...INFO, platform: process.platform, home: folder, canStartAtLogin: false, hasTray: false }),
  openLink: () => Promise.resolve(),
  goTo: new LiveValue()
})
followOnPaper(
  desktopCoreOver(handlers, {
    wake: () => live.wake(),
    keepWhatIsKnown: () => void live.keepWhatIsKnown(),
    close: () => live.close()
  })
)
/** Since it was last measured. */
let slowest = slownessNow()
const lookHowSlow = (): void => void (slowest = Math.max(slowest, slownessNow()))
setInterval(() => loop.without(lookHowSlow), 1000)

function seenOf(host: string): Seen {
  const view = live.hosts.view(host)
  const ofHost = <T extends { readonly host: string }>(all: readonly T[] | undefined): T[] =>
    (all ?? []).filter((each) => each.host === host)
  return {
    state: view?.state,
    vms: Object.fromEntries((view?.vms ?? []).map(({ name, state }) => [name, state])),
    jobs: Object.fromEntries(ofHost(live.jobs.all.value).map(({ id, state }) => [id, state])),
    runs: ofHost(live.policies.runs.value).map(({ id }) => id),
    points: (live.points.all.value?.points ?? [])
      .filter(({ places }) => places.some((place) => place.host === host))
      .map(({ id }) => id),
    notices: (live.notices.all.value ?? []).map(({ id }) => id),
    waitedMs: processorTimes().waitedMs
  }
}

/** How safe the VMs of a host are, by name: as a window that is told all of it works it out. */
function safetyOn(host: string): Readonly<Record<string, Safety>> {
  const { hosts, points, jobs, policies, choices } = live
  const view = hosts.view(host)
  const told = { points: points.all.value, jobs: jobs.all.value, policies: policies.all.value }
  const vms = safetyOf({ hosts: view && [view], choices: choices.value, ...told }, new Date())
  return Object.fromEntries(vms.flatMap(({ vm, safety }) => (vm === undefined ? [] : [[vm.name, safety]])))
}

const tell = (told: Told): void => void process.send?.(told, () => undefined)
/** Once for all that changes in one turn. */
let isToBeTold = false
const tellSeen = (): void => {
  if (isToBeTold) return
  isToBeTold = true
  setImmediate(() => {
    isToBeTold = false
    loop.without(() => hosts.forEach((about) => tell({ seen: seenOf(about), about })))
  })
}
live.hosts.all.listen(tellSeen)
live.jobs.all.listen(tellSeen)
live.points.all.listen(tellSeen)
live.policies.runs.listen(tellSeen)
live.notices.all.listen(tellSeen)

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    const value = await work()
    const { heldMs } = loop.takeLongest()
    return loop.without(() => ({ is: 'answer', ...toldOf(value), heldMs }))
  } catch (error) {
    const failure = failureOf(error)
    const { title, explanation, nextStep } = describeFailure(failure)
    const words = [title, explanation, nextStep]
    return { is: 'failure', failure: shortened(failure), words, heldMs: loop.takeLongest().heldMs }
  }
}

/** What is sent to the test should not be what is measured. */
const shortened = (failure: Failure): Failure =>
  JSON.parse(
    JSON.stringify(failure, (_key, value: unknown) => (typeof value === 'string' ? value.slice(0, 300) : value))
  ) as Failure

async function call({ host, verb, question, withinMs }: Extract<Order, { do: 'call' }>): Promise<unknown> {
  const engine = await live.core.connections.engine(host)
  const bytes = Array.from({ length: 4 }, () => Buffer.from('point'))
  const options = { timeoutMs: withinMs, onEvent: () => undefined }
  if (verb === 'import') return engine.call(verb, question as never, { ...options, stream: chunksOf(bytes) })
  if (verb !== 'export') return engine.call(verb, question, options)
  let taken = 0
  const deadline = AbortSignal.timeout(withinMs)
  for await (const chunk of engine.exportPoint(question as never, deadline)) taken += chunk.byteLength
  return { taken }
}

async function* chunksOf(all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const each of all) yield await Promise.resolve(each)
}

async function look(host: string): Promise<unknown> {
  const { hosts, unreachable } = await listVms(live.core, host)
  for (const { failure } of unreachable) fail(failure)
  return hosts[0]?.inventory
}

/** Over a connection of its own, as for a host that is about to be added. */
async function logIn(host: string): Promise<unknown> {
  const record = requireHost(live.core.settings.read(), host)
  const connection = await live.core.connections.try(addressOf(record), undefined)
  try {
    return await connection.shell.run(['true'])
  } finally {
    await connection.close()
  }
}

async function done(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'call':
      return outcomeOf(() => call(order))
    case 'inventory':
      return outcomeOf(() => look(order.host))
    case 'login':
      return outcomeOf(() => logIn(order.host))
    case 'refresh':
      live.hosts.refresh(order.host)
      return undefined
    case 'safety':
      return loop.without(() => safetyOn(order.host))
    case 'measure':
      return loop.without(() => measure(order.collects))
    case 'waited':
      return processorTimes().waitedMs
    case 'door':
      return loop.dropped(openDoor)
    case 'close':
      return live.close()
  }
}

async function openDoor(): Promise<string> {
  const log = errorLog(folder, undefined, (text) => live.notLogged(text))
  const report: typeof log = (bug) => {
    console.error('bug', bug)
    log(bug)
  }
  const rendererRoot = join(root, 'out/renderer')
  return (await openBrowserDoor(contract, handlers, { port: 0, rendererRoot, report })).address()
}

function measure(collects: boolean): Measured {
  const held = loop.takeLongest()
  lookHowSlow()
  const slowness = slowest
  slowest = 1
  if (collects) {
    globalThis.gc?.()
    globalThis.gc?.()
  }
  const { rss: rssBytes, heapUsed, external } = process.memoryUsage()
  const memory = { rssBytes, peakRssBytes: takePeakRss(), heldBytes: heapUsed + external }
  return { ...memory, folderBytes: sizeOf(folder), ...held, slowness, processor: processorTimes() }
}

/** As the kernel has seen it, so that nothing is missed between two looks; from now on it counts anew. */
function takePeakRss(): number {
  const [, kib = NaN] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  writeFileSync('/proc/self/clear_refs', '5')
  return Number(kib) * 1024
}

/** In milliseconds of this thread's own work: what other programs do meanwhile is not counted. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

interface WatchedLoop {
  /** Since it was last taken, in milliseconds. */
  takeLongest(): { heldMs: number; lateMs: number }
  /** Of the turn that it is part of, this does not count: it is work of the test, and not of the core. */
  without<T>(work: () => T): T
  /** The same of work that goes through many turns: none of them counts. */
  dropped<T>(work: () => Promise<T>): Promise<T>
}

/** Between two turns of a timer nothing else had its turn. */
function watchLoop(): WatchedLoop {
  const none = { heldMs: 0, lateMs: 0 }
  let longest = none
  const now = () => ({ workedMs: workedMs(), at: performance.now() })
  let last = now()
  const turned = (): void => {
    const { workedMs, at } = now()
    longest = {
      heldMs: Math.max(longest.heldMs, workedMs - last.workedMs),
      lateMs: Math.max(longest.lateMs, at - last.at)
    }
    last = { workedMs, at }
  }
  setInterval(turned, 2)
  const takeLongest = (): typeof none => {
    const taken = longest
    longest = none
    return taken
  }
  return {
    takeLongest,
    without: (work) => {
      const began = now()
      try {
        return work()
      } finally {
        const ended = now()
        last = { workedMs: last.workedMs + ended.workedMs - began.workedMs, at: last.at + ended.at - began.at }
      }
    },
    dropped: async (work) => {
      const kept = takeLongest()
      try {
        return await work()
      } finally {
        last = now()
        longest = kept
      }
    }
  }
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true) return found?.size ?? 0
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

process.on('message', ({ id, order }: { readonly id: number; readonly order: Order }) => {
  void done(order).then(
    (result) => tell({ id, result }),
    (error: unknown) => tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  )
})
process.on('disconnect', () => process.exit(0))
