import * as z from 'zod'
import { fail } from '../shared/failure.ts'
import { lineReader } from '../shared/lines.ts'
import type { RunOptions, RunResult, Shell } from '../shared/shell.ts'
import { commandFailed } from './virsh.ts'

interface QemuImgOptions extends RunOptions {
  readonly expect?: readonly number[]
}

async function qemuImg(shell: Shell, args: readonly string[], options: QemuImgOptions = {}): Promise<RunResult> {
  const { expect = [0], ...runOptions } = options
  const result = await shell.run(['qemu-img', ...args], runOptions)
  if (result.exitCode !== undefined && expect.includes(result.exitCode)) return result
  return commandFailed(`qemu-img ${args.join(' ')}`, result)
}

/** QEMU takes `nbd:…`, `json:…` and the like for something else than a file; what begins with a slash is a file to it. */
function filePath(path: string): string {
  return path.startsWith('/') ? path : fail({ kind: 'usage', message: `not an absolute path: ${path.slice(0, 200)}` })
}

const ImageInfoJson = z.object({
  filename: z.string(),
  format: z.string(),
  'virtual-size': z.number(),
  'actual-size': z.number().optional(),
  'cluster-size': z.number().optional(),
  encrypted: z.boolean().optional(),
  'dirty-flag': z.boolean().optional(),
  'backing-filename': z.string().optional(),
  'full-backing-filename': z.string().optional(),
  'backing-filename-format': z.string().optional(),
  snapshots: z.array(z.unknown()).optional(),
  'format-specific': z
    .object({
      data: z
        .object({
          corrupt: z.boolean().optional(),
          'data-file': z.string().optional(),
          bitmaps: z.array(z.object({ name: z.string(), flags: z.array(z.string()) })).optional()
        })
        .catch({})
    })
    .optional()
})

export interface ImageInfo {
  readonly path: string
  readonly format: string
  readonly virtualSizeBytes: number
  /** What it takes on its file system. */
  readonly actualSizeBytes: number
  readonly clusterBytes: number | undefined
  readonly encrypted: boolean
  readonly dirty: boolean
  readonly corrupt: boolean
  /** Absolute, as QEMU would open it. */
  readonly backingFile: string | undefined
  /** As it is written in the image, which may be relative to it. */
  readonly backingFileAsWritten: string | undefined
  readonly backingFormat: string | undefined
  readonly dataFile: string | undefined
  readonly internalSnapshots: number
  readonly bitmaps: readonly { readonly name: string; readonly inUse: boolean }[]
}

/**
 * What QEMU says of an image, also while a VM has it open. The format is the caller's word, never guessed.
 * Opens no backing file; an untrusted image still goes through `shared/qcow2-header.ts` first.
 *
 * @throws `io` with EACCES where not even root may read it, as on NFS with root_squash
 */
export async function imageInfo(shell: Shell, path: string, options: { readonly format: string }): Promise<ImageInfo> {
  const args = ['info', '-U', '-f', options.format, '--output=json', '--', filePath(path)]
  const result = await qemuImg(shell, args, { expect: [0, 1] }) // 1: it cannot be opened
  if (result.exitCode === 0) return parseInfo(ImageInfoJson, result.stdout, toImageInfo)
  const detail = result.stderr.trim().slice(0, 500)
  if (/Permission denied/.test(detail)) return fail({ kind: 'io', path, code: 'EACCES', detail })
  return commandFailed(`qemu-img ${args.join(' ')}`, result)
}

const MeasureJson = z.object({ required: z.number() })

/** What a copy of the image takes, written out: a compressed cluster counts as what is in it. */
export async function bytesWrittenOut(
  shell: Shell,
  path: string,
  options: { readonly format: string }
): Promise<number> {
  const args = ['measure', '-U', '-f', options.format, '-O', 'qcow2', '--output=json', filePath(path)]
  return parseInfo(MeasureJson, (await qemuImg(shell, args)).stdout, ({ required }) => required)
}

const SERVER_ANSWERS_WITHIN_MS = 15_000

/** The same of an image that a server holds, by the name that `qemuNameOf` made. @throws `timeout` where it does not answer */
export async function servedImageInfo(
  shell: Shell,
  image: string,
  options: { readonly format: string }
): Promise<ImageInfo> {
  const args = ['info', '-U', '-f', options.format, '--output=json', '--', image]
  const { stdout } = await qemuImg(shell, args, { timeoutMs: SERVER_ANSWERS_WITHIN_MS })
  return parseInfo(ImageInfoJson, stdout, toImageInfo)
}

/** The image and all below it, the active one first. Opens them all, by the formats that they name. */
export async function imageChain(
  shell: Shell,
  path: string,
  options: { readonly format: string }
): Promise<ImageInfo[]> {
  const args = ['info', '-U', '-f', options.format, '--backing-chain', '--output=json', '--', filePath(path)]
  return parseInfo(z.array(ImageInfoJson), (await qemuImg(shell, args)).stdout, (all) => all.map(toImageInfo))
}

function parseInfo<T, R>(schema: z.ZodType<T>, text: string, use: (value: T) => R): R {
  try {
    return use(schema.parse(JSON.parse(text)))
  } catch (error) {
    return fail({ kind: 'bad-output', what: 'qemu-img', detail: text.slice(0, 200) }, error)
  }
}

function toImageInfo(json: z.infer<typeof ImageInfoJson>): ImageInfo {
  const specific = json['format-specific']?.data ?? {}
  return {
    path: json.filename,
    format: json.format,
    virtualSizeBytes: json['virtual-size'],
    actualSizeBytes: json['actual-size'] ?? 0,
    clusterBytes: json['cluster-size'],
    encrypted: json.encrypted ?? false,
    dirty: json['dirty-flag'] ?? false,
    corrupt: specific.corrupt ?? false,
    backingFile: json['full-backing-filename'] ?? json['backing-filename'],
    backingFileAsWritten: json['backing-filename'],
    backingFormat: json['backing-filename-format'],
    dataFile: specific['data-file'],
    internalSnapshots: json.snapshots?.length ?? 0,
    bitmaps: (specific.bitmaps ?? []).map(({ name, flags }) => ({ name, inUse: flags.includes('in-use') }))
  }
}

export interface OverlayRequest {
  /** As QEMU opens it, which is not looked at: a VM may have it open. */
  readonly backing: { readonly file: string; readonly format: string }
  readonly virtualSizeBytes: number
  /** Where the overlay is to be encrypted. Its own key is random: trying words gets nowhere. */
  readonly keyFiles?: KeyFiles
  /** With the key of the image below, too. */
  readonly opensWithBelow?: boolean
}

/** An empty qcow2 image that shows what is in the one below. Replaces what is there; where QEMU fails, nothing is there. */
export async function createOverlay(shell: Shell, path: string, request: OverlayRequest): Promise<void> {
  const { backing, virtualSizeBytes, keyFiles, opensWithBelow } = request
  const below = ['-u', '-b', backing.file, '-F', backing.format]
  const locked = keyFiles === undefined ? [] : [...keyObject('overlay', keyFiles.overlay), '-o', ENCRYPTED]
  const create = ['create', '-q', '-f', 'qcow2', ...below, ...locked, '--', filePath(path), String(virtualSizeBytes)]
  await createEncrypted(() => qemuImg(shell, create))
  if (keyFiles !== undefined && opensWithBelow === true)
    await createEncrypted(() => addKeyOfBelow(shell, path, keyFiles))
}

/** Whether this QEMU gives an image a second key: it does from 5.1 on. */
export async function canAddKeys(shell: Shell): Promise<boolean> {
  const [, major = '0', minor = '0'] = /version (\d+)\.(\d+)/.exec((await qemuImg(shell, ['--version'])).stdout) ?? []
  return Number(major) > 5 || (major === '5' && Number(minor) >= 1)
}

/**
 * The overlay's own key is in one place only, and whoever has the key of the image below may read what its guest wrote last:
 * with that it opens too, after as long a time as QEMU wants for words.
 */
async function addKeyOfBelow(shell: Shell, path: string, keyFiles: KeyFiles): Promise<void> {
  const slot = ['-o', 'encrypt.state=active,encrypt.new-secret=below']
  await qemuImg(shell, [
    'amend',
    '-q',
    ...keyObjects({ keyFiles }),
    ...slot,
    jsonName(overlayNode(path, { keyFiles, below: null }, null))
  ])
}

/**
 * Before it encrypts, QEMU measures how fast this machine hashes, by the processor time that the kernel has noted so far. That
 * may still be none, and QEMU gives up: now and then by chance, more often the faster the machine (QEMU 7.2 to 9.2, Debian's too).
 */
export async function createEncrypted(create: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    try {
      await create()
      return
    } catch (error) {
      if (left === 1 || !/Unable to get accurate CPU usage/.test(String(error))) throw error
    }
  }
}

const TRIES = 20

/**
 * QEMU takes two seconds to open what was encrypted with a word, so that guessing takes long, and the guest stands still for
 * that. Nobody guesses a random key.
 */
const ENCRYPTED = 'encrypt.format=luks,encrypt.key-secret=overlay,encrypt.iter-time=10'

/** Files with the keys of an encrypted overlay and of the image below it, in base64: a command line is seen by everybody. */
export interface KeyFiles {
  readonly overlay: string
  readonly below: string
}

/** How QEMU's tools get into an overlay where its header alone does not tell them. */
export interface OverlayAccess {
  readonly keyFiles?: KeyFiles
  /** The image below it, as QEMU opens it. */
  readonly below: unknown
}

/** The image below an encrypted overlay. */
export const encryptedNode = (path: string, isDevice: boolean): unknown => ({
  driver: 'luks',
  'key-secret': 'below',
  file: { driver: isDevice ? 'host_device' : 'file', filename: filePath(path) }
})

const keyObject = (id: 'overlay' | 'below', file: string): string[] => [
  '--object',
  `secret,id=${id},format=base64,file=${filePath(file).replaceAll(',', ',,')}`
]

const keyObjects = ({ keyFiles }: Partial<OverlayAccess> = {}): string[] =>
  keyFiles === undefined ? [] : [...keyObject('overlay', keyFiles.overlay), ...keyObject('below', keyFiles.below)]

/** The overlay as QEMU opens it, with this below it. Undefined: what its header says. */
const overlayNode = (overlay: string, access: OverlayAccess | undefined, backing: unknown): object => ({
  driver: 'qcow2',
  file: { driver: 'file', filename: filePath(overlay) },
  ...(access?.keyFiles !== undefined && { encrypt: { format: 'luks', 'key-secret': 'overlay' } }),
  ...(backing !== undefined && { backing })
})

const jsonName = (node: unknown): string => `json:${JSON.stringify(node)}`

const overlayName = (overlay: string, access: OverlayAccess | undefined): string =>
  access === undefined ? filePath(overlay) : jsonName(overlayNode(overlay, access, access.below))

export interface ConvertRequest {
  readonly source: { readonly path: string; readonly format: string }
  /** Replaced if it exists. */
  readonly target: { readonly path: string; readonly format: string }
  /** Out of order writing is faster, and fragments a target that is preallocated. Default: true. */
  readonly outOfOrder?: boolean
  readonly threads?: number
  /** Also read a source that a VM has open. Only for one that it does not write to. */
  readonly sharedSource?: boolean
  readonly onProgress?: (fraction: number) => void
  readonly signal?: AbortSignal
  /** Default: none. */
  readonly timeoutMs?: number
}

/** Copies all that an image shows, backing files included, into one that needs no other. On disk when it returns. */
export async function convert(shell: Shell, request: ConvertRequest): Promise<void> {
  const { source, target, outOfOrder = true, threads, sharedSource = false, onProgress, signal } = request
  const args = [
    'convert',
    '-p',
    // The default for the target is `unsafe`, which leaves the data in memory.
    ...['-t', 'writeback'],
    ...(outOfOrder ? ['-W'] : []),
    ...(sharedSource ? ['-U'] : []),
    ...(threads === undefined ? [] : ['-m', String(threads)]),
    ...['-f', source.format, '-O', target.format, '--', filePath(source.path), filePath(target.path)]
  ]
  await qemuImg(shell, args, {
    timeoutMs: request.timeoutMs ?? Infinity,
    onStdout: progressReader(onProgress ?? (() => undefined)),
    ...(signal !== undefined && { signal })
  })
}

/** `    (12.34/100%)\r`, in pieces of any size. */
export function progressReader(onProgress: (fraction: number) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder()
  let rest = ''
  return (chunk) => {
    const text = rest + decoder.decode(chunk, { stream: true })
    const last = [...text.matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1)?.[1]
    rest = text.slice(-32).replace(/^.*\)/s, '')
    if (last !== undefined) onProgress(Math.min(1, Number(last) / 100))
  }
}

const CheckJson = z.object({
  corruptions: z.number().optional(),
  leaks: z.number().optional(),
  'check-errors': z.number().optional()
})

export interface ImageCheck {
  readonly corruptions: number
  readonly leaks: number
  readonly checkErrors: number
  /** False for formats without inner bookkeeping, such as raw. */
  readonly supported: boolean
}

/**
 * QEMU's check of an image's own bookkeeping, with access if it is an overlay that needs it. It does not see a flipped byte of
 * data. Not for an image that is open.
 */
export async function checkImage(
  shell: Shell,
  path: string,
  format: string,
  access?: OverlayAccess
): Promise<ImageCheck> {
  const name = overlayName(path, access)
  const result = await qemuImg(shell, ['check', ...keyObjects(access), '-f', format, '--output=json', '--', name], {
    expect: [0, 2, 3, 63], // 2: corrupt, 3: leaks, 63: the format knows no check
    timeoutMs: Infinity
  })
  if (result.exitCode === 63) return { corruptions: 0, leaks: 0, checkErrors: 0, supported: false }
  return parseInfo(CheckJson, result.stdout, (json) => ({
    corruptions: json.corruptions ?? 0,
    leaks: json.leaks ?? 0,
    checkErrors: json['check-errors'] ?? 0,
    supported: true
  }))
}

/**
 * Writes all that an overlay holds into the image below, and empties it: an overlay that holds nothing is the proof that
 * all is there. For images that no VM has open.
 */
export async function commitOverlay(shell: Shell, path: string, access?: OverlayAccess): Promise<void> {
  const name = overlayName(path, access)
  const commit = ['commit', '-q', ...keyObjects(access), '-f', 'qcow2', '-t', 'writeback', '--', name]
  await qemuImg(shell, commit, { timeoutMs: Infinity })
}

/**
 * True if somebody on any host has the image open for writing, by the lock that QEMU takes on it. `undefined` where that
 * cannot be told: no such file, or an image that does not open at all.
 */
export async function isLocked(shell: Shell, path: string, format: string): Promise<boolean | undefined> {
  const args = ['info', '-f', format, '--output=json', '--', filePath(path)]
  const { exitCode, stderr } = await qemuImg(shell, args, { expect: [0, 1] }) // 1: locked, damaged or gone
  if (exitCode === 0) return false
  return stderr.split('\n').some(saysLocked) ? true : undefined
}

/** `qemu-img: Could not open 'a.qcow2': Failed to get shared "write" lock` */
const saysLocked = (line: string): boolean =>
  /Failed to get (shared )?"/.test(line) && line.slice(line.indexOf('Failed to get ')).includes('" lock')

const MapEntryJson = z.object({ start: z.number(), length: z.number(), present: z.boolean() })

export interface Range {
  readonly start: number
  readonly length: number
}

/**
 * What an overlay holds of its own. Not for one in use. The image below is not opened: its server may not answer. A guest that
 * writes to all places makes more pieces than fit any limit of text, so they are read one by one.
 */
export async function ownRanges(shell: Shell, overlay: string, access?: OverlayAccess): Promise<Range[]> {
  const alone = jsonName(overlayNode(overlay, access, null))
  const ranges: Range[] = []
  let last = ''
  const lines = lineReader((line) => {
    last = line
    const { start, length, present } = mapEntry(line)
    if (present) append(ranges, { start, length }, 0)
  })
  await qemuImg(shell, ['map', '-U', ...keyObjects(access), '--output=json', '--', alone], {
    timeoutMs: Infinity,
    onStdout: (chunk) => lines.take(chunk)
  })
  lines.end()
  // What is cut short would tell of an overlay that holds less than it does.
  return last.endsWith(']') ? ranges : fail({ kind: 'bad-output', what: 'qemu-img', detail: `map ended with: ${last}` })
}

/** `[{ … },`, `{ … },`, `{ … }]`: one on each line. */
const mapEntry = (line: string): z.infer<typeof MapEntryJson> =>
  parseInfo(MapEntryJson, line.replace(/^\[/, '').replace(/[,\]]$/, ''), (entry) => entry)

/** Makes one range of two that are so near, also where their clusters lie elsewhere in the file. */
function append(ranges: Range[], next: Range, nearBytes: number): void {
  const last = ranges.at(-1)
  if (last === undefined || next.start - (last.start + last.length) > nearBytes) ranges.push(next)
  else ranges[ranges.length - 1] = { start: last.start, length: next.start + next.length - last.start }
}

/** True if the image below the overlay shows all that it shows. */
export const holdsNothing = async (shell: Shell, overlay: string, access?: OverlayAccess): Promise<boolean> =>
  (await ownRanges(shell, overlay, access)).length === 0

/**
 * True if an image shows all that an overlay of it holds; for those that no VM has open. `path` may be a name that
 * `qemuNameOf` made. What lies between two places that are near is compared along, which the overlay shows as the image does.
 *
 * @throws `timeout` where one of them cannot be read in a long time
 */
export async function showsAllOf(
  shell: Shell,
  overlay: string,
  image: { readonly path: string; readonly format: string },
  access?: OverlayAccess
): Promise<boolean> {
  const nodes = [overlayNode(overlay, access, access?.below), access?.below ?? nodeOf(image)]
  for (const range of together(await ownRanges(shell, overlay, access))) {
    const both = nodes.map((node) => partOf(node, range))
    const compared = await qemuImg(shell, ['compare', '-U', ...keyObjects(access), '--', ...both], {
      expect: [0, 1], // 1: they differ
      timeoutMs: COMPARED_WITHIN_MS + range.length / LEAST_BYTES_PER_MS
    })
    if (compared.exitCode === 1) return false
  }
  return true
}

const COMPARED_WITHIN_MS = 60_000
const LEAST_BYTES_PER_MS = 1000
/** What is read of both between two pieces takes as long as a process of its own: 10 to 30 ms. */
const NEAR_BYTES = 4 << 20

function together(ranges: readonly Range[]): Range[] {
  const joined: Range[] = []
  for (const range of ranges) append(joined, range, NEAR_BYTES)
  return joined
}

/** An image as QEMU opens it. */
export const nodeOf = ({ path, format }: { readonly path: string; readonly format: string }): unknown =>
  path.startsWith('json:')
    ? JSON.parse(path.slice('json:'.length))
    : { driver: format, file: { filename: filePath(path) } }

const partOf = (node: unknown, { start, length }: Range): string =>
  jsonName({ driver: 'raw', offset: start, size: length, file: node })

/**
 * What an image shows at these places, as text; opens it for reading only, whoever has it open. `path` may be a name that
 * `qemuNameOf` made. `direct` reads past what this host has cached, since it would not hear of another host's writes.
 *
 * @throws `bad-output` if not all of them could be read
 */
export async function readPlaces(
  shell: Shell,
  { path, format, direct }: { readonly path: string; readonly format: string; readonly direct: boolean },
  places: readonly Range[],
  timeoutMs: number
): Promise<string[]> {
  const reads = places.flatMap(({ start, length }) => ['-c', `read -v ${start} ${length}`])
  const cache = direct ? ['-t', 'none'] : []
  const { stdout } = await shell.run(['qemu-io', '-r', '-U', ...cache, '-f', format, ...reads, '--', path], {
    timeoutMs
  })
  const read = stdout.split(/^read (\d+\/\d+ bytes at offset \d+)$/m)
  return places.map(({ start, length }, n) => {
    // How long it took stands there too.
    const bytes = (read[2 * n] ?? '').split('\n').filter((line) => /^[0-9a-f]{8,}: /.test(line))
    if (read[2 * n + 1] === `${length}/${length} bytes at offset ${start}`) return bytes.join('\n')
    return fail({ kind: 'bad-output', what: 'qemu-io', detail: `${path} could not be read at ${start}` })
  })
}
