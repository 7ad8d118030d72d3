import { createHash } from 'node:crypto'
import { whileLocked } from '../settings/lock-file.ts'
import { putAside, putAsideUnlessFile, readSmallFile, replaceFile } from '../settings/small-file.ts'
import { inOneGo, isAbout, isDamaged, knownHostName, LARGEST_BYTES, ownKnownHosts, readIfThere } from './known-hosts.ts'

/** Where lines of our own `known_hosts` are kept that no key can be read from. */
export const damagedKnownHosts = (settingsDir: string): string => `${ownKnownHosts(settingsDir)}.damaged`

/** @throws `io` */
const linesIn = (file: string): string[] => readIfThere(file).replace(/\n$/, '').split('\n')
const asText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

/**
 * The file of ours that has a line which may be of this host, and that no key can be read from: whether it has been met before is
 * not known. Undefined: there is none. @throws `io`
 */
export function damagedLineOf(settingsDir: string, host: string, port: number): Promise<string | undefined> {
  const name = knownHostName(host, port)
  // In this order: what is put aside meanwhile is in one of them.
  const files = [ownKnownHosts(settingsDir), damagedKnownHosts(settingsDir)]
  return inOneGo(() => files.find((file) => linesIn(file).some((line) => isDamaged(line) && mayBeOf(line, name))))
}

const mayBeOf = (line: string, name: string): boolean => {
  const names = namesIn(line)
  return names === undefined || isAbout(names, name)
}

const NAMES = /^[\w.,:;|*?!%+/=[\]-]+$/
const KEY_TYPE = /^(ssh|ecdsa|sk)-/

/** The names of a line of which only the key is cut short. Undefined: it may be of any host, or of several that run into each other. */
function namesIn(line: string): string | undefined {
  const [names = '', type = '', ...rest] = line
    .trim()
    .replace(/^@\S+[ \t]+/, '')
    .split(/[ \t]+/)
  return NAMES.test(names) && KEY_TYPE.test(type) && !rest.some((field) => KEY_TYPE.test(field)) ? names : undefined
}

/**
 * Keeps such lines beside our own file, and returns what the operator should hear of that. Never throws: a file that cannot be
 * read is told at each login.
 */
export function putDamagedAside(settingsDir: string): readonly string[] {
  const file = ownKnownHosts(settingsDir)
  const count = damagedIn(file).length
  if (count === 0) return []
  try {
    return whileLocked(file, () => putLinesAside(file, damagedKnownHosts(settingsDir)))
  } catch (error) {
    return [wordsOf(count, file, `could not be put aside (${error instanceof Error ? error.message : ''})`, file)]
  }
}

/** None where it cannot be read. */
function damagedIn(file: string): readonly string[] {
  try {
    return linesIn(file).filter(isDamaged)
  } catch {
    return []
  }
}

/**
 * What the operator should hear of lines that are kept, whoever has put them aside and when; and what tells lines that cannot be
 * read, here and there, from any others.
 */
export function keptDamaged(settingsDir: string): { readonly words: readonly string[]; readonly mark: string } {
  const [file, aside] = [ownKnownHosts(settingsDir), damagedKnownHosts(settingsDir)]
  const kept = damagedIn(aside)
  const mark = createHash('sha256')
    .update(JSON.stringify([damagedIn(file), kept]))
    .digest('hex')
    .slice(0, 12)
  return { words: kept.length === 0 ? [] : [wereKept(kept.length, file, aside)], mark }
}

/** Of several Stillpoints that start at once, one does it. What was put aside before stays there. */
function putLinesAside(file: string, aside: string): readonly string[] {
  const lines = linesIn(file)
  const damaged = lines.filter(isDamaged)
  if (damaged.length === 0) return []
  replaceFile(aside, keptIn(aside, asText(damaged)), { flush: true })
  replaceFile(file, asText(lines.filter((line) => !isDamaged(line))), { flush: true })
  return [wereKept(damaged.length, file, aside)]
}

/** Behind what is kept there already. What cannot be read there, or would grow too large, makes way. */
function keptIn(aside: string, more: string): string {
  putAsideUnlessFile(aside)
  const before = textIn(aside)
  if (before !== undefined && Buffer.byteLength(before) + Buffer.byteLength(more) <= LARGEST_BYTES) return before + more
  putAside(aside)
  return more
}

function textIn(file: string): string | undefined {
  try {
    return readSmallFile(file, LARGEST_BYTES) ?? ''
  } catch {
    return undefined
  }
}

const wereKept = (count: number, file: string, aside: string): string =>
  wordsOf(count, file, `${count === 1 ? 'was' : 'were'} put aside into ${aside}`, aside)

function wordsOf(count: number, file: string, what: string, where: string): string {
  const [lines, them, they] = count === 1 ? ['1 line', 'it', 'it was'] : [`${count} lines`, 'them', 'they were']
  return `${lines} of ${file} cannot be read, and ${what}. A host whose key was in ${them} is not known any more: compare its key on the host itself before you take it again (stillpoint host add … --host-key SHA256:…). Once you know of which hosts ${they}, take ${them} out of ${where}: until then --accept-new takes no key that may have been there.`
}

/** Of a host that was rebuilt: what is known to be of it. Others may be of any. @throws `io` */
export function forgetDamaged(settingsDir: string, host: string, port: number): Promise<void> {
  const [aside, name] = [damagedKnownHosts(settingsDir), knownHostName(host, port)]
  const isOf = (line: string): boolean => {
    const names = namesIn(line)
    return names !== undefined && isAbout(names, name)
  }
  return inOneGo(() => {
    if (linesIn(aside).some(isOf))
      whileLocked(ownKnownHosts(settingsDir), () =>
        replaceFile(aside, asText(linesIn(aside).filter((line) => !isOf(line))))
      )
  })
}
