import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fail } from '../../../shared/failure.ts'

/** How long one and the same holder is waited for. What is done meanwhile takes milliseconds. */
export interface LockWaits {
  /** A program of this computer that lives: stopped within these milliseconds, or its disk hangs. */
  readonly aliveMs: number
  /** One that nobody here can ask for: of another computer, or of before the last start of this one. */
  readonly unknownMs: number
}

const WAITS: LockWaits = { aliveMs: 30_000, unknownMs: 3000 }
/** Between two looks, and up to twice as long. */
const LOOK_MS = 3
/** File systems without links (FAT), and without such calls. Several Stillpoints at once are then on their own. */
const HAS_NO_LINKS = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']

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
    if (isHeld && holderOf(lock)?.name === mine) rmSync(lock, { force: true })
  }
}

/** False where the file system has no links. */
function take(lock: string, mine: string, waits: LockWaits): boolean {
  let [waitedFor, since] = ['', 0]
  for (;;) {
    try {
      symlinkSync(mine, lock)
      return true
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (HAS_NO_LINKS.includes(code)) return false
      if (code !== 'EEXIST') throw error
    }
    const holder = holderOf(lock)
    if (holder === undefined) continue
    if (holder.name !== waitedFor) [waitedFor, since] = [holder.name, performance.now()]
    if (isDead(holder, performance.now() - since, waits)) takeAway(lock, holder, waits)
    else if (performance.now() - since > waits.aliveMs) tooLong(lock, holder)
    else pause()
  }
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

function isDead({ name, isOdd }: Holder, waitedMs: number, { unknownMs }: LockWaits): boolean {
  const { place, pid = '', startedAt } = NAME.exec(name)?.groups ?? {}
  if (isOdd) return true
  const canAsk = place === placeOfThis() && startOf(process.pid) !== undefined
  return canAsk ? startOf(Number(pid)) !== startedAt : waitedMs > unknownMs
}

/** Whoever else finds that one dead waits here, and finds it gone then. */
function takeAway(lock: string, holder: Holder, waits: LockWaits): void {
  const right = `${lock}-${createHash('sha256').update(holder.name).digest('hex').slice(0, 12)}`
  if (!take(right, nameOfThis(), waits)) return
  try {
    if (holderOf(lock)?.name !== holder.name) return
    if (holder.isOdd) renameSync(lock, `${lock}.broken-${randomBytes(3).toString('hex')}`)
    else rmSync(lock, { force: true })
  } finally {
    rmSync(right, { force: true })
  }
}

const tooLong = (lock: string, { name }: Holder): never =>
  fail({
    kind: 'io',
    path: lock,
    code: 'EBUSY',
    detail: `another Stillpoint (process ${NAME.exec(name)?.groups?.['pid'] ?? ''}) has been writing for too long: it may be stopped, or its disk hangs`
  })

const nameOfThis = (): string =>
  `${placeOfThis()}.${process.pid}.${startOf(process.pid) ?? 0}.${randomBytes(6).toString('hex')}`

/** Where numbers of processes mean the same: this computer since its start, and within one container. */
function placeOfThis(): string {
  const container = linkOrNothing('/proc/self/ns/pid').replaceAll(/\D/g, '')
  return `${container}-${textOrNothing('/proc/sys/kernel/random/boot_id').trim()}`
}

/** When a process that lives began, as its kernel counts it: another one may have its number by now. */
function startOf(pid: number): string | undefined {
  const [state = '', ...rest] = textOrNothing(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return 'ZX'.includes(state) ? undefined : rest[18]
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
