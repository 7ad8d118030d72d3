import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { linesIn, type FoundLine, type LinesRead } from './history-lines.ts'
import { putAsideUnlessFile, TO_ADD, TO_READ } from './small-file.ts'

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
  /** The same as long as it is the same file, also where that was put by. */
  readonly key: string
  readonly bytes: number
}

/** What is in the way of reading a file. */
export interface Unreadable {
  readonly path: string
  readonly why: string
}

/** Far more often than files are put by while one line is added. */
const MOST_TRIES = 100
/** What is added with one write. */
const WRITTEN_AT_ONCE = 1 << 20

/**
 * `history.jsonl` and the files before it, `history-<time>-<random>.jsonl`. Several Stillpoints write at the same time
 * without a lock (decision 29), and no line is lost, by two rules:
 *
 * 1. `history.jsonl` is written at its end only, and taken away only by a rename that puts it by, never to come back.
 *    Written anew, or removed, is nothing but what was put by.
 * 2. A line counts as written once it is, and the file that it was written to is **still** `history.jsonl` after that.
 *    Otherwise it is written again, into whatever `history.jsonl` is then.
 *
 * So whoever writes a file anew began after it was put by, which was after every line that counts in it.
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

  /** Oldest first. The youngest is looked for first: what is put by meanwhile is then found among the others, and once. */
  async all(): Promise<{ readonly files: readonly HistoryFile[]; readonly unreadable: readonly Unreadable[] }> {
    const current = await fileAt(this.path)
    const found: (HistoryFile | Unreadable)[] = []
    for (const path of await this.putByPaths()) found.push(...(await fileAt(path)))
    found.push(...current)
    const files = found.filter((each) => 'key' in each)
    return {
      files: files.filter(({ key }, n) => files.findIndex((each) => each.key === key) === n),
      unreadable: found.filter((each) => 'why' in each)
    }
  }

  /** @throws what opening and reading fail with; a file that has gone meanwhile has no lines */
  async *read({ path, bytes }: HistoryFile, fromByte = 0): AsyncGenerator<LinesRead> {
    const file = await open(path, TO_READ).catch(unlessGone)
    if (file === undefined) return
    try {
      yield* linesIn(file, fromByte, bytes)
    } finally {
      await file.close()
    }
  }

  /** @throws where it cannot be written */
  async append(lines: readonly string[]): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
    for (const text of together(lines)) await this.appendToHistory(text)
    await this.putByIfLarge()
  }

  /** Behind a line end of its own: a line that somebody left torn, now or just before, takes none of ours with it. */
  private async appendToHistory(text: string): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      await this.refuseOtherThanFile()
      const file = await open(this.path, TO_ADD, 0o600)
      try {
        await writeWhole(file, `\n${text}\n`)
        if (await this.isStillHistory(file)) return
      } finally {
        await file.close()
      }
    }
    throw new Error('it was put by again and again while it was written')
  }

  /** As long as a file is open, no other one has its number. */
  private async isStillHistory(file: FileHandle): Promise<boolean> {
    const [written, found] = [await file.stat(), await stat(this.path).catch(() => undefined)]
    return found?.ino === written.ino && found.dev === written.dev
  }

  /** Puts that file by if it is `history.jsonl`, and returns where it is now. Undefined: it has gone. @throws where it cannot be */
  async putBy(key: string): Promise<string | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const file = (await this.all()).files.find((each) => each.key === key)
      if (file?.path !== this.path) return file?.path
      await this.putByWhatIsThere()
    }
    throw new Error('it cannot be put by')
  }

  /** Whatever `history.jsonl` is by now: it is read where it is put. */
  async putByWhatIsThere(): Promise<void> {
    await rename(this.path, this.putByName()).catch(unlessGone)
  }

  /** Writes a file that was put by anew, with only those lines. @throws where it cannot be written: it is then as it was */
  async rewrite(path: string, stays: (found: FoundLine) => boolean): Promise<void> {
    await this.writeAnew(path, path, 0, stays)
  }

  /**
   * Puts a file that was put by away under that name, and goes on with what can be read of its end. False: somebody else has
   * done so. @throws where that cannot be written
   */
  async takeEnd(path: string, aside: string, fromByte: number): Promise<boolean> {
    const isOurs = await rename(path, aside).then(() => true, unlessGone)
    if (isOurs === true) await this.writeAnew(aside, this.putByName(), fromByte, ({ is }) => is !== 'damaged')
    return isOurs === true
  }

  /**
   * Lines that cannot be read. Returns for how many there was room: of the others only their number is known. What is no file
   * in the place of these makes way.
   */
  async keepAside(lines: readonly FoundLine[]): Promise<number> {
    putAsideUnlessFile(this.damagedPath)
    const kept = (await stat(this.damagedPath).catch(() => undefined))?.size ?? 0
    let room = this.limits.damagedBytes - kept
    const fitting = lines.filter(({ text }) => (room -= Buffer.byteLength(text) + 1) >= 0)
    if (fitting.length > 0) await addTo(this.damagedPath, fitting.map(({ text }) => `${text}\n`).join(''))
    return fitting.length
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true })
  }

  /** Where no line stays, there is no file. Two that do this to one file at once leave what one of them has written. */
  private async writeAnew(
    path: string,
    to: string,
    fromByte: number,
    stays: (found: FoundLine) => boolean
  ): Promise<void> {
    const fresh = `${to}.${randomBytes(3).toString('hex')}.new`
    const from = await open(path, TO_READ).catch(unlessGone)
    if (from === undefined) return
    try {
      const into = await open(fresh, 'wx', 0o600)
      let isEmpty: boolean
      try {
        await copyLines(from, into, fromByte, stays)
        await into.sync()
        isEmpty = (await into.stat()).size === 0
      } finally {
        await into.close()
      }
      await (isEmpty ? rm(fresh) : rename(fresh, to))
      if (isEmpty && path === to) await this.remove(path)
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
    if (found?.isFile() === true && found.size > this.limits.fileBytes) await this.putByWhatIsThere()
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

async function addTo(path: string, text: string): Promise<void> {
  const file = await open(path, TO_ADD, 0o600)
  try {
    await file.appendFile(text)
  } finally {
    await file.close()
  }
}

/** Empty: there is none. */
async function fileAt(path: string): Promise<readonly (HistoryFile | Unreadable)[]> {
  const found = await stat(path).catch((error: unknown) => errorCode(error))
  if (found === 'ENOENT' || found === 'ENOTDIR') return []
  if (typeof found === 'string') return [{ path, why: found }]
  if (!found.isFile()) return [{ path, why: found.isDirectory() ? 'it is a folder' : 'it is no file' }]
  return [{ path, key: `${found.dev}:${found.ino}:${found.birthtimeMs}`, bytes: found.size }]
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

/** What can be added with one write each. */
function* together(lines: readonly string[]): Generator<string> {
  let held: string[] = []
  let characters = 0
  for (const line of lines) {
    if (held.length > 0 && characters + line.length > WRITTEN_AT_ONCE) {
      yield held.join('\n')
      held = []
      characters = 0
    }
    held.push(line)
    characters += line.length
  }
  if (held.length > 0) yield held.join('\n')
}

/** A disk that is full takes the beginning of a line: that is none. */
async function writeWhole(file: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  const { bytesWritten } = await file.write(bytes)
  if (bytesWritten < bytes.length) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
}

/** Somebody else has taken it away: then there is nothing to do. */
function unlessGone(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error
}

export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : error instanceof Error ? error.message : 'EIO'
