import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import ssh2, { type ParsedKey } from 'ssh2'
import { StillpointError, asError, fail, isFailure, type FailureOf } from '../../../shared/failure.ts'
import { typeOfBlob } from './agent-keys.ts'

/** A file that may let us in. Its private key may still be locked. */
export interface Identity {
  readonly file: string
  /** Undefined: it cannot be told without the passphrase. */
  readonly publicKey: ParsedKey | undefined
  /** Undefined: only the public key is there, the agent must have the other half. */
  readonly privateKey: PrivateKey | undefined
}

/** A private key's text, and the key once it was unlocked: a reconnect does not ask again. */
export interface PrivateKey {
  readonly text: string
  unlocked: ParsedKey | undefined
}

type AskPassphrase = (file: string) => Promise<string | undefined>

const MAX_KEY_FILE_BYTES = 256 * 1024
const MAX_PASSPHRASE_TRIES = 3

/** Those on security keys (`_sk`) come last: they cannot be used, which is told where nothing else lets us in. */
export const defaultIdentityFiles = (homeDir: string): string[] =>
  ['id_rsa', 'id_ecdsa', 'id_ed25519', 'id_ecdsa_sk', 'id_ed25519_sk'].map((name) => join(homeDir, '.ssh', name))

/** Reads an identity file. Rejects with `identity-unusable`. */
export async function readIdentity(file: string): Promise<Identity> {
  const text = await readKeyFile(file)
  refuseForeignFormat(file, text)
  const obstacle = unusableType(typeIn(text))
  if (obstacle !== undefined) return unusable(file, obstacle)
  const key = parseKey(text)
  if (!(key instanceof Error)) return identityOf(file, text, key)
  if (!/encrypted/i.test(key.message))
    return unusable(file, `it is not a private key that can be read (${key.message})`)
  const publicKey = publicHalf(text) ?? (await publicKeyBeside(file))
  return { file, publicKey, privateKey: { text, unlocked: undefined } }
}

function identityOf(file: string, text: string, key: ParsedKey): Identity {
  return { file, publicKey: key, privateKey: key.isPrivateKey() ? { text, unlocked: key } : undefined }
}

const unusable = (file: string, reason: string): never => fail({ kind: 'identity-unusable', file, reason })

async function readKeyFile(file: string): Promise<string> {
  try {
    const { mode, size, uid } = await stat(file)
    if (size > MAX_KEY_FILE_BYTES) return unusable(file, `it is too large for a key (${size} bytes)`)
    const text = await readFile(file, 'utf8')
    // Like ssh: only where the file is ours, and only for private keys.
    if (uid === process.getuid?.() && (mode & 0o077) !== 0 && text.includes('PRIVATE KEY'))
      return unusable(file, `others can read it (mode ${(mode & 0o777).toString(8)}): chmod 600 ${file}`)
    return text
  } catch (error) {
    if (error instanceof StillpointError) throw error
    const code = (error as NodeJS.ErrnoException).code
    return unusable(file, code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? String(error)})`)
  }
}

/** Formats that ssh2 would take in part, and `ssh` not at all. */
function refuseForeignFormat(file: string, text: string): void {
  if (text.startsWith('PuTTY-User-Key-File'))
    unusable(file, `it is a PuTTY key: puttygen ${file} -O private-openssh -o ${file.replace(/\.ppk$/, '')}.openssh`)
  if (text.includes('PRIVATE KEY-----\r')) unusable(file, `it has DOS line ends: sed -i 's/\\r$//' ${file}`)
}

/**
 * Why a key of this type cannot be used here, by its name in the SSH protocol: for those that ssh2, which speaks the
 * protocol for us, does not know. Undefined: nothing is known against it.
 */
export function unusableType(type: string | undefined): string | undefined {
  if (type === undefined) return undefined
  if (type.includes('-cert-v01@'))
    return 'it is a certificate, which Stillpoint cannot show to a host: put the plain public key into authorized_keys there as well'
  if (type.startsWith('sk-'))
    return 'it is on a security key (FIDO), which Stillpoint cannot use: make a key without one for this host, ssh-keygen -t ed25519'
  return undefined
}

/** Of an OpenSSH private key, or of a line with a public key. */
function typeIn(text: string): string | undefined {
  const blob = publicBlob(text)
  if (blob !== undefined) return typeOfBlob(blob)
  return /^([a-z0-9@.-]+) AAAA/.exec(text.trimStart())?.[1]
}

function parseKey(text: string | Buffer, passphrase?: string): ParsedKey | Error {
  try {
    const key: unknown = ssh2.utils.parseKey(text, passphrase)
    return (Array.isArray(key) ? key[0] : key) as ParsedKey | Error
  } catch (error) {
    return asError(error)
  }
}

/** OpenSSH's format shows the public key without the passphrase: magic, cipher, kdf, its options, count, key. */
function publicBlob(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----\n([\s\S]+)\n-----END/.exec(text)?.[1]
  if (body === undefined) return undefined
  const data = Buffer.from(body, 'base64')
  try {
    let at = 'openssh-key-v1\0'.length
    for (let skipped = 0; skipped < 3; skipped++) at += 4 + data.readUInt32BE(at)
    at += 4
    const blob = data.subarray(at + 4, at + 4 + data.readUInt32BE(at))
    return blob.length >= 4 + blob.readUInt32BE(0) ? blob : undefined
  } catch {
    return undefined // cut short
  }
}

function publicHalf(text: string): ParsedKey | undefined {
  const blob = publicBlob(text)
  return blob === undefined ? undefined : publicKeyOf(blob)
}

/** Undefined: ssh2 does not know keys of this type. */
export const publicKeyOf = (blob: Buffer): ParsedKey | undefined => keyOrNothing(parseKey(publicLine(blob)))

const publicLine = (blob: Buffer): string => `${typeOfBlob(blob)} ${blob.toString('base64')}`

async function publicKeyBeside(file: string): Promise<ParsedKey | undefined> {
  try {
    return keyOrNothing(parseKey(await readFile(`${file}.pub`, 'utf8')))
  } catch {
    return undefined
  }
}

const keyOrNothing = (key: ParsedKey | Error): ParsedKey | undefined => (key instanceof Error ? undefined : key)

/**
 * The private key, after asking for the passphrase where there is one. Undefined: nobody has it. Rejects with
 * `identity-unusable` after the third wrong one.
 */
export async function unlock(file: string, key: PrivateKey, ask: AskPassphrase): Promise<ParsedKey | undefined> {
  for (let tries = 0; key.unlocked === undefined; tries++) {
    if (tries === MAX_PASSPHRASE_TRIES) return unusable(file, 'the passphrase was wrong three times')
    const passphrase = await ask(file)
    if (passphrase === undefined) return undefined
    // ssh2 takes an empty passphrase for none, and then says that the key is encrypted: wrong as well.
    key.unlocked = keyOrNothing(parseKey(key.text, passphrase))
  }
  return key.unlocked
}

/** What an identity file could not do: kept while others are tried. */
export type IdentityProblem = FailureOf<'identity-unusable'>

/** The identities of these files that can be used, and what is wrong with the others that exist. */
export async function readIdentities(
  files: readonly string[]
): Promise<{ usable: Identity[]; problems: IdentityProblem[] }> {
  const usable: Identity[] = []
  const problems: IdentityProblem[] = []
  for (const file of new Set(files)) {
    try {
      usable.push(await readIdentity(file))
    } catch (error) {
      if (!isFailure(error, 'identity-unusable')) throw error
      if (error.failure.reason !== 'there is no such file') problems.push(error.failure)
    }
  }
  return { usable, problems }
}

/**
 * Certificates for these identities, named in `~/.ssh/config` or lying beside them. Where a host takes nothing else, this is
 * why `ssh` gets in and we do not.
 */
export async function certificateProblems(
  identityFiles: readonly string[],
  certificateFiles: readonly string[]
): Promise<IdentityProblem[]> {
  const files = [...new Set([...certificateFiles, ...identityFiles.map((file) => `${file}-cert.pub`)])]
  const { problems } = await readIdentities(files)
  return problems
}
