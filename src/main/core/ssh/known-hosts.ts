import { createHash, createHmac } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fail, systemCodeOf } from '../../../shared/failure.ts'
import { whileLocked } from '../settings/lock-file.ts'
import { readSmallFile, replaceFile } from '../settings/small-file.ts'
import { matchesPatternList } from './wildcard.ts'

export interface KnownHostLine {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly revoked: boolean
  readonly hosts: string
  readonly keyType: string
  /** Base64, as written. */
  readonly key: string
}

export type HostKeyVerdict =
  | { readonly is: 'known' | 'unknown' }
  /** `knownIn` is file:line of the key that was expected, or of the revocation. */
  | { readonly is: 'changed' | 'revoked'; readonly knownIn: string }

/** As OpenSSH prints it. */
export const fingerprintOf = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`

/** The name of the type that a public key carries in itself. */
export function keyTypeOf(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0)
  return length > 0 && length <= 64 ? key.toString('latin1', 4, 4 + length) : 'unreadable'
}

/** How a host is written in `known_hosts`. */
export const knownHostName = (host: string, port: number): string =>
  port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`

/** Lines that do not parse are passed over (of our own file they are said: `damaged-keys.ts`), and so are certificate authorities. */
export function parseKnownHosts(file: string, text: string): KnownHostLine[] {
  return text.split(/\r?\n/).flatMap((content, index) => parseLine(file, index + 1, content) ?? [])
}

function fieldsOf(content: string): { readonly marker: string | undefined; readonly fields: readonly string[] } {
  const fields = content.trim().split(/[ \t]+/)
  const marker = fields[0]?.startsWith('@') === true ? fields.shift() : undefined
  return { marker, fields }
}

function parseLine(file: string, line: number, content: string): KnownHostLine | undefined {
  const {
    marker,
    fields: [hosts, keyType, key]
  } = fieldsOf(content)
  if (hosts === undefined || keyType === undefined || key === undefined || hosts.startsWith('#')) return undefined
  if (marker !== undefined && marker !== '@revoked') return undefined
  return { file, line, revoked: marker === '@revoked', hosts, keyType, key }
}

/** Whether it is neither empty nor a remark, and no whole key can be read from it. */
export function isDamaged(content: string): boolean {
  const {
    marker,
    fields: [hosts = '', keyType = '', key = '']
  } = fieldsOf(content)
  if (marker === undefined && (hosts === '' || hosts.startsWith('#'))) return false
  return ![undefined, '@revoked', '@cert-authority'].includes(marker) || !isWhole({ keyType, key })
}

/** A key is nothing but strings, each behind its length, of which the first is its type: one that is cut short does not end with one. */
function isWhole({ keyType, key }: Pick<KnownHostLine, 'keyType' | 'key'>): boolean {
  const bytes = Buffer.from(key, 'base64')
  if (keyTypeOf(bytes) !== keyType || bytes.toString('base64') !== key) return false
  let end = 0
  while (end + 4 <= bytes.length) end += 4 + bytes.readUInt32BE(end)
  return end === bytes.length && end > 4 + keyType.length
}

/** `hosts`: as a line has them. */
export function isAbout(hosts: string, name: string): boolean {
  const [, hash, salt, digest] = hosts.split('|')
  if (!hosts.startsWith('|')) return matchesPatternList(hosts.split(','), name)
  if (hash !== '1' || salt === undefined || digest === undefined) return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === digest
}

const place = (line: KnownHostLine): string => `${line.file}:${line.line}`

/**
 * What the files say about a key that a host shows. `offered` are the key types that were negotiable: if one of them
 * is written down and the host shows another one all the same, that is a change. (OpenSSH would ask; but then whoever
 * stands in between only has to leave out the known type to turn the alarm into a question.)
 */
export function judgeHostKey(
  lines: readonly KnownHostLine[],
  host: string,
  port: number,
  shown: Buffer,
  offered: readonly string[]
): HostKeyVerdict {
  const name = knownHostName(host, port)
  const key = shown.toString('base64')
  const about = lines.filter(({ hosts }) => isAbout(hosts, name))
  // A key of the plain name is good for other ports too, but its absence there means nothing.
  const plain = port === 22 ? [] : lines.filter(({ hosts }) => isAbout(hosts, host.toLowerCase()))
  const revoked = [...about, ...plain].find((line) => line.revoked && line.key === key)
  if (revoked) return { is: 'revoked', knownIn: place(revoked) }
  if ([...about, ...plain].some((line) => !line.revoked && line.key === key)) return { is: 'known' }
  const expected = about.filter((line) => !line.revoked && offered.includes(line.keyType))
  const changed = expected.find((line) => line.keyType === keyTypeOf(shown)) ?? expected[0]
  return changed ? { is: 'changed', knownIn: place(changed) } : { is: 'unknown' }
}

/** Types of the keys written down for a host: to be negotiated first, or a known host would seem to be unknown. */
export function knownKeyTypes(lines: readonly KnownHostLine[], host: string, port: number): string[] {
  const typesOf = (name: string): string[] =>
    lines.filter((line) => !line.revoked && isAbout(line.hosts, name)).map((line) => line.keyType)
  const exact = typesOf(knownHostName(host, port))
  return [...new Set(exact.length > 0 ? exact : typesOf(host.toLowerCase()))]
}

/** The one file of these that is ours to write. */
export const ownKnownHosts = (settingsDir: string): string => join(settingsDir, 'known_hosts')

export const systemKnownHosts = '/etc/ssh/ssh_known_hosts'

/** A key of our own file that is cut short is none. @throws `io` where one of them is there and cannot be read */
export function readKnownHosts(homeDir: string, settingsDir: string): Promise<KnownHostLine[]> {
  const own = ownKnownHosts(settingsDir)
  const others = [join(homeDir, '.ssh/known_hosts'), systemKnownHosts]
  const linesIn = (file: string): KnownHostLine[] => parseKnownHosts(file, readIfThere(file))
  return inOneGo(() => [...linesIn(own).filter(isWhole), ...others.flatMap(linesIn)])
}

/** Whoever asks does not mind that nothing is waited for. */
export const inOneGo = <T>(work: () => T): Promise<T> => Promise.resolve().then(work)

/** A hundred thousand keys. */
export const LARGEST_BYTES = 32 << 20

/**
 * What cannot be read is never passed over: a key that has changed would seem to be new. Many make their file a link to
 * `/dev/null`, which has nothing in it.
 * @throws `io`
 */
export function readIfThere(file: string): string {
  try {
    if (statSync(file).isCharacterDevice() && realpathSync(file) === '/dev/null') return ''
    return readSmallFile(file, LARGEST_BYTES) ?? ''
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    if (['ENOENT', 'ENOTDIR'].includes(code)) return ''
    const detail = `known host keys cannot be read: ${error instanceof Error ? error.message : code}`
    return fail({ kind: 'io', path: file, code, detail }, error)
  }
}

/** Writes a key down as known, in our file. */
export function writeHostKey(settingsDir: string, host: string, port: number, key: Buffer): Promise<void> {
  const line = `${knownHostName(host, port)} ${keyTypeOf(key)} ${key.toString('base64')}`
  return rewrite(settingsDir, (lines) => (lines.includes(line) ? lines : [...lines, line]))
}

/**
 * Takes the keys of a host out of our file: the way out when a host was rebuilt. Returns how many were forgotten.
 * What `~/.ssh/known_hosts` says about it stays, that file is the operator's (`ssh-keygen -R`).
 */
export async function forgetHostKeys(settingsDir: string, host: string, port: number): Promise<number> {
  const file = ownKnownHosts(settingsDir)
  let forgotten = 0
  await rewrite(settingsDir, (lines) => {
    const parsed = parseKnownHosts(file, lines.join('\n'))
    const gone = new Set(
      parsed
        .filter((line) => !line.revoked && isAbout(line.hosts, knownHostName(host, port)))
        .map((line) => line.line - 1)
    )
    forgotten = gone.size
    return lines.filter((_, index) => !gone.has(index))
  })
  return forgotten
}

/** Takes a key out of our file, from the line counted from 1. False: another one stands there by now. */
export async function forgetLine(settingsDir: string, line: number, fingerprint: string): Promise<boolean> {
  const file = ownKnownHosts(settingsDir)
  let isThere = false
  await rewrite(settingsDir, (lines) => {
    const found = parseKnownHosts(file, lines.join('\n')).find((each) => each.line === line)
    isThere = found !== undefined && fingerprintOf(Buffer.from(found.key, 'base64')) === fingerprint
    return isThere ? lines.filter((_, index) => index !== line - 1) : lines
  })
  return isThere
}

/**
 * One after the other, in every Stillpoint: hosts accepted at the same time must all be in the file afterwards.
 * @throws `io` where it cannot be written
 */
function rewrite(settingsDir: string, change: (lines: string[]) => string[]): Promise<void> {
  const file = ownKnownHosts(settingsDir)
  const work = (): void => {
    const before = readIfThere(file).replace(/\n$/, '')
    const lines = change(before === '' ? [] : before.split('\n'))
    replaceFile(file, lines.map((line) => `${line}\n`).join(''), { flush: true })
  }
  return inOneGo(() => {
    try {
      whileLocked(file, work)
    } catch (error) {
      const code = systemCodeOf(error)
      if (code === undefined || !(error instanceof Error)) throw error
      const detail = `known host keys could not be written, they are as before: ${error.message}`
      fail({ kind: 'io', path: file, code, detail }, error)
    }
  })
}
