import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeSync
} from 'node:fs'
import { dirname } from 'node:path'
import { fail, failureOf } from '../../shared/failure.ts'

/** JSON lines that are only ever appended to, numbered and stamped. One process writes at a time. */
export class JsonLines {
  private readonly fd: number
  private next: number
  /** A line was begun and not ended, as by a crash or on a full file system: the next one begins with a line end. */
  private torn: boolean

  private constructor(fd: number, next: number, torn: boolean) {
    this.fd = fd
    this.next = next
    this.torn = torn
  }

  /** `lastNumber`: of the last whole line that is there. */
  static open(path: string, lastNumber: number | undefined): JsonLines {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const isNew = !existsSync(path)
    const fd = openSync(path, 'a', 0o600)
    if (isNew) syncDirectory(dirname(path))
    return new JsonLines(fd, (lastNumber ?? -1) + 1, !isNew && !endsWithNewline(path))
  }

  /** The number that the next line will have. */
  get nextNumber(): number {
    return this.next
  }

  /** On disk when it returns, unless `synced` is false. @throws what the file system says; the next line stays whole */
  append(event: object, synced = true): void {
    const entry = { n: this.next++, at: new Date().toISOString(), ...event }
    const line = Buffer.from(`${this.torn ? '\n' : ''}${JSON.stringify(entry)}\n`)
    this.torn = true
    // The last room of a file system takes a part of it, without an error.
    for (let done = 0; done < line.length;) done += writeSync(this.fd, line, done)
    this.torn = false
    if (synced) fdatasyncSync(this.fd)
  }

  close(): void {
    closeSync(this.fd)
  }
}

/** @throws `io` with this path */
export const readLines = (path: string): string[] =>
  existsSync(path) ? naming(path, () => readFileSync(path, 'utf8').split('\n').filter(Boolean)) : []

/** What the system says of an open file does not say which it is. */
function naming<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const failure = failureOf(error)
    if (failure.kind !== 'io') throw error
    return fail({ ...failure, path }, error)
  }
}

const TAIL_BYTES = 256 * 1024

/**
 * The last line of a file, without reading what is before it; undefined if there is none, or it is longer than 256 KiB.
 *
 * @throws `io` with this path
 */
export const lastLine = (path: string): string | undefined =>
  existsSync(path) ? naming(path, () => lineAtEnd(path)) : undefined

function lineAtEnd(path: string): string | undefined {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const from = Math.max(0, size - TAIL_BYTES)
    const tail = Buffer.alloc(size - from)
    const text = tail.toString('utf8', 0, readSync(fd, tail, 0, tail.length, from)).trimEnd()
    const start = text.lastIndexOf('\n') + 1
    return start === 0 && from > 0 ? undefined : text.slice(start)
  } finally {
    closeSync(fd)
  }
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function endsWithNewline(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const last = Buffer.alloc(1)
    return size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === 0x0a)
  } finally {
    closeSync(fd)
  }
}
