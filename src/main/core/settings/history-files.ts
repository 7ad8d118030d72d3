import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { linesIn, type FoundLine, type LinesRead } from './history-lines.ts'

export interface HistoryLimits {
  /** A file that has grown so large is put by, and a new one begun. */
  readonly fileBytes: number
  /** Of all files together. */
  readonly totalBytes: number
  /** What lines that cannot be read may take where they are kept aside. */
  readonly damagedBytes: number
}

export interface HistoryFile {
  readonly path: string
  /** The same as long as it is the same file. */
  readonly key: string
  readonly bytes: number
}

/** What is in the way of reading a file. */
export interface Unreadable {
  readonly path: string
  readonly why: string
}

/**
 * `history.jsonl` and the files before it, `history-<time>-<random>.jsonl`. Several Stillpoints write at the same time
 * without a lock (decision 29): a line is added with one write at the end of whatever `history.jsonl` is then, putting a
 * file by is one rename, and only what was put by is ever written anew, whole, and renamed into its place.
 */
export class HistoryFiles {
  readonly path: string
  private readonly limits: HistoryLimits

  constructor(path: string, limits: HistoryLimits) {
    this.path = path
    this.limits = limits
  }

  get damagedPath(): string {
    return this.path.replace(/\.jsonl$/, '.damaged.jsonl')
  }

  /** Oldest first. */
  async all(): Promise<{ readonly files: readonly HistoryFile[]; readonly unreadable: readonly Unreadable[] }> {
    const files: HistoryFile[] = []
    const unreadable: Unreadable[] = []
    for (const path of [...(await this.putByPaths()), this.path]) {
      const found = await stat(path).catch((error: unknown) => errorCode(error))
      if (found === 'ENOENT' || found === 'ENOTDIR') continue
      if (typeof found === 'string') unreadable.push({ path, why: found })
      else if (!found.isFile()) unreadable.push({ path, why: found.isDirectory() ? 'it is a folder' : 'it is no file' })
      else files.push({ path, key: `${path}:${found.ino}`, bytes: found.size })
    }
    return { files, unreadable }
  }

  /** @throws what opening and reading fail with; a file that has gone meanwhile has no lines */
  async *read({ path, bytes }: HistoryFile, fromByte = 0): AsyncGenerator<LinesRead> {
    const file = await open(path, 'r').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (file === undefined) return
    try {
      yield* linesIn(file, fromByte, bytes)
    } finally {
      await file.close()
    }
  }

  /** Each with one write, on a line of its own even behind a torn one. Returns how many bytes were added. @throws where it cannot be written */
  async append(lines: readonly string[]): Promise<number> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
    await this.refuseOtherThanFile()
    const file = await open(this.path, 'a+', 0o600)
    try {
      let added = (await isTorn(file)) ? await writeWhole(file, '\n') : 0
      for (const line of lines) added += await writeWhole(file, `${line}\n`)
      return added
    } finally {
      await file.close()
      await this.putByIfLarge()
    }
  }

  /** Puts `history.jsonl` by whatever its size is, and returns where it is now. Undefined: there is none, or it cannot be. */
  async putBy(): Promise<string | undefined> {
    const path = this.putByName()
    return rename(this.path, path).then(
      () => path,
      () => undefined
    )
  }

  /** Writes a file that was put by anew, with only those lines. @throws where it cannot be written: it is then as it was */
  rewrite(path: string, stays: (found: FoundLine) => boolean): Promise<void> {
    return this.writeAnew(path, path, 0, stays)
  }

  /** Puts a file away under that name, and goes on with what can be read of its end. @throws where that cannot be written */
  async takeEnd(path: string, aside: string, fromByte: number): Promise<void> {
    await this.writeAnew(path, this.putByName(), fromByte, ({ is }) => is !== 'damaged')
    await rename(path, aside)
  }

  /** Lines that cannot be read. Of those for which there is no room only their number is known. */
  async keepAside(lines: readonly FoundLine[]): Promise<void> {
    const kept = (await stat(this.damagedPath).catch(() => undefined))?.size ?? 0
    let room = this.limits.damagedBytes - kept
    const fitting = lines.filter(({ text }) => (room -= Buffer.byteLength(text) + 1) >= 0)
    if (fitting.length > 0)
      await appendFile(this.damagedPath, fitting.map(({ text }) => `${text}\n`).join(''), { mode: 0o600 })
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true })
  }

  private async writeAnew(
    path: string,
    to: string,
    fromByte: number,
    stays: (found: FoundLine) => boolean
  ): Promise<void> {
    const fresh = `${to}.${randomBytes(3).toString('hex')}.new`
    const from = await open(path, 'r')
    try {
      const into = await open(fresh, 'wx', 0o600)
      try {
        await copyLines(from, into, fromByte, stays)
        await into.sync()
      } finally {
        await into.close()
      }
      await rename(fresh, to)
    } catch (error) {
      await rm(fresh, { force: true })
      throw error
    } finally {
      await from.close()
    }
  }

  private putByName(): string {
    return this.path.replace(/\.jsonl$/, `-${stamp()}.jsonl`)
  }

  private async putByIfLarge(): Promise<void> {
    const found = await stat(this.path).catch(() => undefined)
    if (found?.isFile() === true && found.size > this.limits.fileBytes) await this.putBy()
  }

  /** Their names sort by time. */
  private async putByPaths(): Promise<string[]> {
    const folder = dirname(this.path)
    const name = basename(this.path, '.jsonl')
    const names = await readdir(folder).catch(() => [])
    return names
      .filter(
        (each) => each.startsWith(`${name}-`) && /^-\d{8}T\d{9}Z-[0-9a-f]{6}\.jsonl$/.test(each.slice(name.length))
      )
      .sort()
      .map((each) => join(folder, each))
  }

  /** Opening a pipe would wait for its other end. */
  private async refuseOtherThanFile(): Promise<void> {
    const found = await stat(this.path).catch(() => undefined)
    if (found !== undefined && !found.isFile())
      throw new Error(found.isDirectory() ? 'it is a folder' : 'it is no file')
  }
}

const stamp = (): string => `${new Date().toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(3).toString('hex')}`

/** Whoever had the file open as it was put by may add a line meanwhile: it is read until nothing more comes. */
async function copyLines(
  from: FileHandle,
  into: FileHandle,
  fromByte: number,
  stays: (found: FoundLine) => boolean
): Promise<void> {
  let at = fromByte
  const copy = async (toByte: number, lastToo: boolean): Promise<void> => {
    for await (const { lines, nextByte } of linesIn(from, at, toByte, lastToo)) {
      at = nextByte
      await into.appendFile(lines.flatMap((found) => (stays(found) ? [`${found.text}\n`] : [])).join(''))
    }
  }
  let size = 0
  for (let now = (await from.stat()).size; now > size; now = (await from.stat()).size) await copy((size = now), false)
  if (at < size) await copy(size, true)
}

async function isTorn(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] !== 0x0a
}

/** A disk that is full takes the beginning of a line: that is none. */
async function writeWhole(file: FileHandle, text: string): Promise<number> {
  const bytes = Buffer.from(text)
  const { bytesWritten } = await file.write(bytes)
  if (bytesWritten < bytes.length) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
  return bytesWritten
}

export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : error instanceof Error ? error.message : 'EIO'
