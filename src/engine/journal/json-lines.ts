import { closeSync, existsSync, fdatasyncSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** JSON lines that are only ever appended to, numbered and stamped. One process writes at a time. */
export class JsonLines {
  private readonly fd: number
  private next: number

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

  /** On disk when it returns, unless `synced` is false. */
  append(event: object, synced = true): void {
    const entry = { n: this.next++, at: new Date().toISOString(), ...event }
    writeSync(this.fd, `${JSON.stringify(entry)}\n`)
    if (synced) fdatasyncSync(this.fd)
  }

  close(): void {
    closeSync(this.fd)
  }
}

export const readLines = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []

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
