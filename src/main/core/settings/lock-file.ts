import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fail } from '../../../shared/failure.ts'

/** How long one and the same holder is waited for. What is done meanwhile takes milliseconds. */
export interface LockWaits {
  /** A program of this computer that lives: stopped within these milliseconds, or its disk hangs. */
  readonly aliveMs: number
  /** One that lives and is stopped: it goes on when somebody wants it to. */
  readonly stoppedMs: number
  /** One that nobody here can ask for: of another computer, of before the last start of this one, or hidden from us. */
  readonly unknownMs: number
}

const WAITS: LockWaits = { aliveMs: 30_000, stoppedMs: 500, unknownMs: 3000 }
/** Between two looks, and up to twice as long. */
const LOOK_MS = 3
/**
 * File systems without links (FAT), without such calls, and folders of a VirtualBox host (EROFS; one that cannot be written says
 * so when the file is). Several Stillpoints at once are then on their own.
 */
const HAS_NO_LINKS = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EROFS']

/** What this program holds just now. What else has its name was left over, where it could not be taken away. */
const held = new Set<string>()
/** By lock, whom this program has waited for in vain: it does so once. */
const waitedInVain = new Map<string, string>()

/**
 * Changes a file while no other Stillpoint does, so that what each of them has said is done is there afterwards. The lock is
 * a link beside the file, made with its holder's name in it in one step. One whose holder is dead is taken away by whoever
 * holds the lock of that lock, so nobody takes away the one of the next (decision 34).
 * @throws `io` where it cannot be had
 */
export function whileLocked<T>(path: string, work: () => T, waits: LockWaits = WAITS): T {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const lock = `${path}.lock`
  const mine = nameOfThis()
  const isHeld = take(lock, mine, waits)
  try {
    return work()
  } finally {
    if (isHeld) release(lock, mine)
  }
}

/** The work is done, whatever comes of this: what stays is left over, and taken away the next time. */
function release(lock: string, mine: string): void {
  held.delete(mine)
  try {
    if (holderOf(lock)?.name === mine) rmSync(lock, { force: true })
  } catch {
    return
  }
}

/** False where the file system has no links. */
function take(lock: string, mine: string, waits: LockWaits): boolean {
  let [waitedFor, since] = [NOBODY.name, performance.now()]
  for (;;) {
    const made = makeLink(lock, mine)
    if (made === 'no-links') return false
    const holder = made === 'made' ? { name: mine, isOdd: false } : (holderOf(lock) ?? NOBODY)
    if (holder.name === mine) return isTaken(lock, mine)
    if (holder.name !== waitedFor) [waitedFor, since] = [holder.name, performance.now()]
    const waitedMs = performance.now() - since
    const life = lifeOf(holder)
    if (life === 'over' || (life === 'unknown' && waitedMs > waits.unknownMs)) {
      if (!takeAway(lock, holder, waits)) return false
    } else if (waitedMs > longestWait(lock, holder, life, waits)) tooLong(lock, holder, life)
    else pause()
  }
}

function makeLink(lock: string, mine: string): 'made' | 'taken' | 'no-links' {
  try {
    symlinkSync(mine, lock)
    return 'made'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (HAS_NO_LINKS.includes(code)) return 'no-links'
    if (code !== 'EEXIST') throw error
    return 'taken'
  }
}

/** Also where it is said to be taken, and by us: NFS says that where it has asked twice. */
function isTaken(lock: string, mine: string): true {
  held.add(mine)
  waitedInVain.delete(lock)
  return true
}

/** For what this program does itself, and for whom it has waited in vain, not at all. */
function longestWait(lock: string, { name }: Holder, life: Life, { aliveMs, stoppedMs }: LockWaits): number {
  if (held.has(name)) return -1
  if (life !== 'unknown' && waitedInVain.get(lock) === name) return -1
  return life === 'stopped' ? stoppedMs : aliveMs
}

interface Holder {
  /** Another one each time that the lock is taken. */
  readonly name: string
  /** It is no lock of ours. */
  readonly isOdd: boolean
}

const NAME = /^(?<place>[0-9a-z-]+)\.(?<pid>\d+)\.(?<startedAt>\d+)\.[0-9a-f]{12}$/

function holderOf(lock: string): Holder | undefined {
  const found = lstatSync(lock, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  const odd = { name: `odd-${found.dev}-${found.ino}`, isOdd: true }
  try {
    const name = found.isSymbolicLink() ? readlinkSync(lock) : ''
    return NAME.test(name) ? { name, isOdd: false } : odd
  } catch {
    return lstatSync(lock, { throwIfNoEntry: false }) && odd
  }
}

/** It has just let it go, or it is one of those file systems that show nothing. */
const NOBODY: Holder = { name: 'nobody', isOdd: false }

/** Whether a holder goes on, as far as anybody here can say. */
type Life = 'going-on' | 'stopped' | 'over' | 'unknown'

function lifeOf(holder: Holder): Life {
  if (holder.isOdd) return 'over'
  if (holder === NOBODY || held.has(holder.name)) return 'going-on'
  const { place, pid = '', startedAt } = NAME.exec(holder.name)?.groups ?? {}
  const own = processOf(process.pid)
  if (place !== placeOfThis() || own === undefined) return 'unknown'
  if (Number(pid) === process.pid) return 'over'
  const found = processOf(Number(pid))
  if (found === undefined) return isHidden(Number(pid)) ? 'unknown' : 'over'
  if (found.startedAt !== startedAt || 'ZX'.includes(found.state)) return 'over'
  return 'Tt'.includes(found.state) ? 'stopped' : 'going-on'
}

/** It is there, and not ours to look at (`hidepid`). */
function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Whoever else finds that one dead waits here, and finds it gone then. False where no link can be made any more, nor taken away. */
function takeAway(lock: string, holder: Holder, waits: LockWaits): boolean {
  const right = `${lock}-${createHash('sha256').update(holder.name).digest('hex').slice(0, 12)}`
  const mine = nameOfThis()
  if (!take(right, mine, waits)) return false
  try {
    if (holderOf(lock)?.name !== holder.name) return true
    if (holder.isOdd) renameSync(lock, `${lock}.broken-${randomBytes(3).toString('hex')}`)
    else rmSync(lock, { force: true })
    return true
  } finally {
    release(right, mine)
  }
}

function tooLong(lock: string, { name }: Holder, life: Life): never {
  if (name !== NOBODY.name) waitedInVain.set(lock, name)
  const pid = NAME.exec(name)?.groups?.['pid']
  const who = pid === undefined ? 'something' : `another Stillpoint (process ${pid})`
  const why = life === 'stopped' ? 'it is stopped: let it go on, or end it' : 'it may be stopped, or its disk hangs'
  return fail({ kind: 'io', path: lock, code: 'EBUSY', detail: `${who} has been writing for too long: ${why}` })
}

const nameOfThis = (): string =>
  `${placeOfThis()}.${process.pid}.${processOf(process.pid)?.startedAt ?? 0}.${randomBytes(6).toString('hex')}`

/** Where numbers of processes mean the same: this computer since its start, and within one container. */
function placeOfThis(): string {
  const container = linkOrNothing('/proc/self/ns/pid').replaceAll(/\D/g, '')
  return `${container}-${textOrNothing('/proc/sys/kernel/random/boot_id').trim()}`
}

/** When a process began, as its kernel counts it (another one may have its number by now), and what it does. */
function processOf(pid: number): { readonly state: string; readonly startedAt: string } | undefined {
  const [state = '', ...rest] = textOrNothing(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  const startedAt = rest[18]
  return startedAt === undefined ? undefined : { state, startedAt }
}

function textOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function linkOrNothing(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** Nothing else of this program goes on meanwhile, which is what makes the few milliseconds so few. */
const pause = (): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS * (1 + Math.random()))
