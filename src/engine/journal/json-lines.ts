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

/** JSON lines that are only ever appended to, numbered and stamped. One process writes at a time. */
export class JsonLines {
  private readonly fd: number
  private next: number
  /** A line was begun and not ended, as on a full file system. */
  private torn = false

  private constructor(fd: number, next: number) {
    this.fd = fd
    this.next = next
  }

  /** `lastNumber`: of the last whole line that is there. A torn one, as a crash leaves it, is closed first. */
  static open(path: string, lastNumber: number | undefined): JsonLines {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const isNew = !existsSync(path)
    const torn = !isNew && !endsWithNewline(path)
    const fd = openSync(path, 'a', 0o600)
    if (torn) writeSync(fd, '\n')
    if (isNew) syncDirectory(dirname(path))
    return new JsonLines(fd, (lastNumber ?? -1) + 1)
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

export const readLines = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []

const TAIL_BYTES = 256 * 1024

/** The last line of a file, without reading what is before it; undefined if there is none, or it is longer than 256 KiB. */
export function lastLine(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  const fd = openSync(path, 'r')
  try {
    const from = Math.max(0, fstatSync(fd).size - TAIL_BYTES)
    const tail = Buffer.alloc(TAIL_BYTES)
    const text = tail.toString('utf8', 0, readSync(fd, tail, 0, TAIL_BYTES, from)).trimEnd()
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
  const text = readFileSync(path)
  return text.length === 0 || text.at(-1) === 0x0a
}
