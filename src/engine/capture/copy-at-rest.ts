import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { fail, isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'
import { LARGEST_BOOT_BYTES } from '../../libvirt/backup-limits.ts'
import type { FileOptions, HashedFile } from '../../store/copy-file.ts'
import { removeFile } from '../../store/durable.ts'
import { failForRoom, makeFile, writeSparse } from '../../store/file-io.ts'
import { BLOCK_BYTES } from '../../store/pipeline.ts'
import { isThere } from '../evidence/presence.ts'
import { ANSWERS_WITHIN_MS, failSilent } from '../recover/answers.ts'

/**
 * Files of the host that lie wherever their owner has them, on servers that may be away too: children look at them and read
 * them, since whoever does so hangs for as long as the server does not answer.
 */

/** Which file it is, and how it stands. */
export const FileStamp = z.object({
  ino: z.string(),
  /** To the nanosecond, where its file system knows it. */
  writtenAt: z.string(),
  sizeBytes: z.number()
})
export type FileStamp = z.infer<typeof FileStamp>

export const isSameStamp = (a: FileStamp, b: FileStamp | undefined): boolean =>
  a.ino === b?.ino && a.writtenAt === b.writtenAt && a.sizeBytes === b.sizeBytes

/** By its last write and its size: some file systems (FAT, FUSE, CIFS) number a file anew that nobody has had open for a while. */
export const isSameContent = (a: FileStamp, b: FileStamp | undefined): boolean =>
  a.writtenAt === b?.writtenAt && a.sizeBytes === b.sizeBytes

export interface LookOptions {
  readonly signal?: AbortSignal | undefined
  /** How long a server may take to answer. */
  readonly withinMs?: number
}

interface Seen {
  readonly kind: 'file' | 'device' | 'folder' | 'other'
  readonly stamp: FileStamp
}

/** Follows links. @throws `io` if there is no such file, and if nobody answers */
export async function lookAtFile(shell: Shell, path: string, options: LookOptions = {}): Promise<Seen> {
  const said = await ask(shell, path, ['stat', '--dereference', '--printf=%f %i %s %y', '--', path], options)
  const [, mode = '', ino = '', size = '', writtenAt = ''] = /^([0-9a-f]+) (\d+) (\d+) (.+)$/.exec(said) ?? []
  if (mode === '') fail({ kind: 'bad-output', what: 'stat', detail: said })
  return { kind: kindOf(Number.parseInt(mode, 16)), stamp: { ino, writtenAt, sizeBytes: Number(size) } }
}

export const isNotThere = (error: unknown): boolean => isFailure(error, 'io') && error.failure.code === 'ENOENT'

/** Names of the files in a folder and in those below it. @throws as `lookAtFile` */
export async function filesBelow(shell: Shell, folder: string, options: LookOptions = {}): Promise<string[]> {
  const said = await ask(shell, folder, ['find', '-H', folder, '-type', 'f', '-printf', '%P\\0'], options)
  return said.split('\0').filter((name) => name !== '')
}

async function ask(
  shell: Shell,
  path: string,
  argv: readonly [string, ...string[]],
  { signal, withinMs = ANSWERS_WITHIN_MS }: LookOptions
): Promise<string> {
  const asked = shell.run(argv, { timeoutMs: withinMs, ...(signal && { signal }) })
  const { exitCode, stdout, stderr } = await asked.catch((error: unknown) => {
    if (!isFailure(error, 'timeout')) throw error
    return failSilent(path, withinMs, error)
  })
  return exitCode === 0 ? stdout : refused(path, stderr)
}

/** The programs end their messages with what the kernel says. */
function refused(path: string, stderr: string): never {
  const detail = stderr.trim().split(': ').at(-1) ?? ''
  return fail({ kind: 'io', path, code: detail.startsWith('No such file') ? 'ENOENT' : 'EIO', detail })
}

const KINDS: Readonly<Record<number, Seen['kind']>> = { 0o10: 'file', 0o06: 'device', 0o04: 'folder' }
const kindOf = (mode: number): Seen['kind'] => KINDS[(mode & 0o170000) >> 12] ?? 'other'

const TRIES = 20
/** Of what takes its time each time. */
const TRIES_IF_LARGE = 2

export interface RestOptions extends FileOptions, LookOptions {
  /** Asked of the file before each copy. @throws if it is not one to be copied */
  readonly requireWanted?: (now: FileStamp) => void
}

export interface CopiedAtRest {
  readonly file: HashedFile
  readonly stamp: FileStamp
  /** False: none of the copies went through without a change. */
  readonly isAtRest: boolean
}

/**
 * Copies a file that its owner may be writing, until a copy went through without a change. Follows links. Nothing is left of a
 * copy that fails.
 */
export async function copyAtRest(
  shell: Shell,
  path: string,
  target: string,
  options: RestOptions = {}
): Promise<CopiedAtRest> {
  try {
    return await copyUntilAtRest(shell, path, target, options)
  } catch (error) {
    await removeIfThere(target)
    throw error
  }
}

const removeIfThere = async (path: string): Promise<unknown> => (await isThere(path)) && removeFile(path)

async function copyUntilAtRest(
  shell: Shell,
  path: string,
  target: string,
  { requireWanted, ...options }: RestOptions
): Promise<CopiedAtRest> {
  for (let tries = 0; ; tries++) {
    const before = await lookAtFile(shell, path, options)
    requireWanted?.(before.stamp)
    await removeIfThere(target)
    const file = await copyOnce(shell, path, target, before, options)
    const { stamp } = await lookAtFile(shell, path, options)
    const isAtRest = isSameStamp(before.stamp, stamp)
    if (isAtRest && file.sizeBytes < stamp.sizeBytes)
      fail({ kind: 'bad-output', what: path, detail: `it ends early, at ${file.sizeBytes} bytes` })
    const most = before.stamp.sizeBytes > LARGEST_BOOT_BYTES ? TRIES_IF_LARGE : TRIES
    if (isAtRest || tries === most) return { file, stamp, isAtRest }
    await sleep(50)
  }
}

/** As much as firmware variables ever are; a device has no length of its own to ask for. */
const LARGEST_DEVICE = 64 * 1024 ** 2

async function copyOnce(
  shell: Shell,
  path: string,
  target: string,
  { kind, stamp }: Seen,
  options: RestOptions
): Promise<HashedFile> {
  const refuse = (detail: string): never => fail({ kind: 'bad-output', what: path, detail })
  if (kind === 'folder' || kind === 'other') refuse('it is not a regular file')
  const isDevice = kind === 'device'
  const copied = await readInto(shell, path, target, isDevice ? LARGEST_DEVICE + 1 : stamp.sizeBytes, options)
  if (isDevice && copied.sizeBytes > LARGEST_DEVICE) refuse('it is larger than 64 MiB')
  return copied
}

/** As much as `mostBytes` of it, leaving out what is zero. The copy is new, root's only, and on disk when this ends. */
async function readInto(
  shell: Shell,
  path: string,
  target: string,
  mostBytes: number,
  { signal, withinMs = ANSWERS_WITHIN_MS, onProgress }: RestOptions
): Promise<HashedFile> {
  const hash = createHash('sha256')
  let silence: Silence | undefined
  let done = 0
  const argv = [
    'dd',
    `if=${path}`,
    'bs=1M',
    'iflag=count_bytes,fullblock',
    `count=${mostBytes}`,
    'status=none'
  ] as const
  const copied = makeFile(target, async (to) => {
    const blocks = inBlocks(async (bytes) => {
      hash.update(bytes)
      await writeSparse(to, bytes, done)
      done += bytes.byteLength
      onProgress?.(done, mostBytes)
    })
    // From here on it is the file's server that may be silent: where the copy goes to has its own watch.
    const listening = (silence = watchSilence(withinMs))
    const reading = shell.run(argv, {
      timeoutMs: Infinity,
      signal: AbortSignal.any([listening.signal, ...(signal === undefined ? [] : [signal])]),
      onStdout: (chunk) => listening.heard(() => blocks.add(chunk))
    })
    const { exitCode, stderr } = await reading.finally(() => listening.end())
    if (exitCode !== 0) refused(path, stderr)
    await blocks.end()
    await to.truncate(done)
  })
  try {
    await copied
  } catch (error) {
    if (silence?.signal.aborted === true) failSilent(path, withinMs, error)
    await failForRoom(error, target, 'the copy of a file', mostBytes)
  }
  return { sizeBytes: done, sha256: hash.digest('hex') }
}

interface Silence {
  /** Aborted once nothing has been heard for too long. */
  readonly signal: AbortSignal
  /** What is done with what came does not count. */
  heard(work: () => Promise<void>): Promise<void>
  end(): void
}

function watchSilence(withinMs: number): Silence {
  const given = new AbortController()
  const listen = (): NodeJS.Timeout => setTimeout(() => given.abort(), withinMs).unref()
  let timer = listen()
  let isOver = false
  return {
    signal: given.signal,
    async heard(work) {
      clearTimeout(timer)
      await work()
      if (!isOver) timer = listen()
    },
    end() {
      isOver = true
      clearTimeout(timer)
    }
  }
}

/** Gathers what comes in small pieces. What `take` gets is another's once its promise is done. */
function inBlocks(take: (bytes: Uint8Array) => Promise<void>): {
  add(piece: Uint8Array): Promise<void>
  end(): Promise<void>
} {
  const block = new Uint8Array(BLOCK_BYTES)
  let filled = 0
  const end = async (): Promise<void> => {
    if (filled > 0) await take(block.subarray(0, filled))
    filled = 0
  }
  return {
    async add(piece) {
      for (let from = 0; from < piece.byteLength;) {
        const part = piece.subarray(from, from + BLOCK_BYTES - filled)
        block.set(part, filled)
        filled += part.byteLength
        from += part.byteLength
        if (filled === BLOCK_BYTES) await end()
      }
    },
    end
  }
}
