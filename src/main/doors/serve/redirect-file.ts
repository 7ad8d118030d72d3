import { randomUUID } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A page of ours that leads to an address. Only its owner can read it, while the arguments of programs are everybody's. */
export interface RedirectFile {
  /** `file:///…`, which is no secret. */
  readonly url: string
  /** False if it had been removed before. */
  remove(): boolean
}

const FOLDER = 'stillpoint-open'
const NAME = /^open-(\d+)-[\w-]+\.html$/

/** Writes it into the first place that takes it. Undefined: none does. */
export function writeRedirectFile(places: readonly string[], address: string): RedirectFile | undefined {
  for (const place of places) {
    try {
      const folder = ownFolder(place)
      removeLeftovers(folder)
      const file = join(folder, `open-${process.pid}-${randomUUID()}.html`)
      writeFileSync(file, pageTo(address), { mode: 0o600, flag: 'wx' })
      return { url: pathToFileURL(file).href, remove: () => remove(folder, file) }
    } catch {
      // Full, read-only, or somebody else's: the next one.
    }
  }
  return undefined
}

/** @throws where the folder is not ours alone, or cannot be made so */
function ownFolder(place: string): string {
  const folder = join(place, FOLDER)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!isOursAlone(folder)) throw new Error(`${folder} is not ours alone`)
  return folder
}

/** Windows has neither owners nor modes that Node could tell: what is in a profile is the user's own there. */
export function isOursAlone(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  if (stat?.isDirectory() !== true) return false
  return process.getuid === undefined || (stat.uid === process.getuid() && (stat.mode & 0o077) === 0)
}

/** Of processes that were killed. Their keys ended with them. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = NAME.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(folder, name), { force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function remove(folder: string, file: string): boolean {
  const isThere = existsSync(file)
  try {
    rmSync(file, { force: true })
    rmdirSync(folder)
  } catch {
    // Another serve has a file there.
  }
  return isThere
}

/** At once, so that the browser keeps no way back to this page; without a script, and without saying where it came from. */
const pageTo = (address: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="referrer" content="no-referrer" />
    <meta http-equiv="refresh" content="0; url=${address}" />
    <title>Stillpoint</title>
  </head>
  <body>
    <p>Opening Stillpoint. If nothing happens, <a href="${address}">open it here</a>.</p>
  </body>
</html>
`
