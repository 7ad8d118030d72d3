import { fail } from './failure.ts'

/**
 * What a qcow2 header says, read without letting QEMU open the image: an image from elsewhere may name other files of
 * this host as backing or data file, and opening it would read them.
 * Source: qemu/docs/interop/qcow2.txt.
 */
export interface Qcow2Header {
  readonly version: 2 | 3
  readonly virtualSizeBytes: number
  readonly clusterBytes: number
  readonly encryption: 'none' | 'aes' | 'luks' | 'unknown'
  readonly backingFile: string | undefined
  readonly backingFormat: string | undefined
  /** Also true if only the feature bit is set and no name is given. */
  readonly hasDataFile: boolean
  readonly dataFile: string | undefined
  readonly internalSnapshots: number
  readonly hasBitmaps: boolean
  /** Written to by a QEMU that did not close it, or is open now. */
  readonly dirty: boolean
  readonly corrupt: boolean
  readonly extendedL2: boolean
  /** Incompatible feature bits that we do not know. */
  readonly unknownFeatures: readonly number[]
  /** Tables beyond what any QEMU writes, or beyond sense. */
  readonly oddities: readonly string[]
}

/** Enough for every header: QEMU keeps header, extensions and backing name within the first cluster, at most 2 MiB, in practice 64 KiB. */
export const QCOW2_HEADER_BYTES = 65_536

const MAGIC = 0x514649fb
const V2_BYTES = 72
const V3_BYTES = 104
const EXTENSION = { end: 0, backingFormat: 0xe2792aca, dataFile: 0x44415441, bitmaps: 0x23852875 } as const
const INCOMPATIBLE = { dirty: 0, corrupt: 1, dataFile: 2, compressionType: 3, extendedL2: 4 } as const
const MAX_NAME_BYTES = 1023
/** QEMU's own limit on an L1 table. */
const MAX_L1_BYTES = 32 * 1024 * 1024

/** Undefined if these are not the first bytes of a qcow2 image. Fails with `bad-output` if they are, and make no sense. */
export function parseQcow2Header(bytes: Uint8Array): Qcow2Header | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < 4 || view.getUint32(0) !== MAGIC) return undefined
  if (bytes.byteLength < V2_BYTES) return malformed('it ends within its header')
  const version = view.getUint32(4)
  if (version !== 2 && version !== 3) return malformed(`version ${version}`)
  const clusterBits = view.getUint32(20)
  if (clusterBits < 9 || clusterBits > 21) return malformed(`cluster bits ${clusterBits}`)
  return describe(view, version, 2 ** clusterBits)
}

function describe(view: DataView, version: 2 | 3, clusterBytes: number): Qcow2Header {
  const features = version === 3 ? featuresOf(view) : { set: [], headerBytes: V2_BYTES }
  const extensions = extensionsOf(view, features.headerBytes, clusterBytes)
  const has = (bit: number): boolean => features.set.includes(bit)
  const virtualSizeBytes = safeNumber(view.getBigUint64(24), 'virtual size')
  return {
    version,
    virtualSizeBytes,
    clusterBytes,
    encryption: (['none', 'aes', 'luks'] as const)[view.getUint32(32)] ?? 'unknown',
    backingFile: backingFileOf(view, clusterBytes),
    backingFormat: textOf(extensions.get(EXTENSION.backingFormat)),
    hasDataFile: has(INCOMPATIBLE.dataFile) || extensions.has(EXTENSION.dataFile),
    dataFile: textOf(extensions.get(EXTENSION.dataFile)),
    internalSnapshots: view.getUint32(60),
    hasBitmaps: extensions.has(EXTENSION.bitmaps),
    dirty: has(INCOMPATIBLE.dirty),
    corrupt: has(INCOMPATIBLE.corrupt),
    extendedL2: has(INCOMPATIBLE.extendedL2),
    unknownFeatures: features.set.filter((bit) => !Object.values<number>(INCOMPATIBLE).includes(bit)),
    oddities: odditiesOf(view, virtualSizeBytes, clusterBytes, has(INCOMPATIBLE.extendedL2))
  }
}

function featuresOf(view: DataView): { set: number[]; headerBytes: number } {
  if (view.byteLength < V3_BYTES) return malformed('it ends within its header')
  const bits = view.getBigUint64(72)
  const headerBytes = view.getUint32(100)
  if (headerBytes < V3_BYTES || headerBytes % 8 !== 0) return malformed(`header length ${headerBytes}`)
  const set = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((bits >> BigInt(bit)) & 1n) === 1n)
  return { set, headerBytes }
}

/** Type, length, data padded to 8 bytes, until type 0 or the end of what can be extensions: the backing name or the first cluster's end. */
function extensionsOf(view: DataView, from: number, clusterBytes: number): Map<number, Uint8Array> {
  const backingAt = view.getBigUint64(8)
  const end = Math.min(backingAt > 0n ? Number(backingAt) : clusterBytes, clusterBytes, view.byteLength)
  const found = new Map<number, Uint8Array>()
  for (let at = from; at + 8 <= end;) {
    const type = view.getUint32(at)
    const length = view.getUint32(at + 4)
    if (type === EXTENSION.end) break
    if (at + 8 + length > end) return malformed('a header extension runs over its end')
    if (found.has(type)) return malformed('a header extension is there twice')
    found.set(type, new Uint8Array(view.buffer, view.byteOffset + at + 8, length))
    at += 8 + Math.ceil(length / 8) * 8
  }
  return found
}

function backingFileOf(view: DataView, clusterBytes: number): string | undefined {
  const offset = view.getBigUint64(8)
  const length = view.getUint32(16)
  if (offset === 0n) return undefined
  const end = Number(offset) + length
  if (length > MAX_NAME_BYTES || end > clusterBytes || end > view.byteLength)
    return malformed('the backing name is out of place')
  return textOf(new Uint8Array(view.buffer, view.byteOffset + Number(offset), length))
}

function odditiesOf(view: DataView, sizeBytes: number, clusterBytes: number, extendedL2: boolean): string[] {
  const l1Entries = view.getUint32(36)
  const perEntry = (clusterBytes / (extendedL2 ? 16 : 8)) * clusterBytes
  const found: string[] = []
  if (l1Entries * 8 > MAX_L1_BYTES) found.push(`an L1 table of ${l1Entries} entries`)
  if (l1Entries < Math.ceil(sizeBytes / perEntry)) found.push('an L1 table too short for its size')
  if (sizeBytes % 512 !== 0) found.push(`a size of ${sizeBytes} bytes, which is no multiple of 512`)
  return found
}

/** Why such an image may not be used as an image that stands alone; empty if it may. */
export function unsafeReasons(header: Qcow2Header): string[] {
  const reasons: string[] = []
  if (header.backingFile !== undefined) reasons.push(`it names a backing file (${header.backingFile.slice(0, 200)})`)
  if (header.hasDataFile) reasons.push(`it keeps its data in another file (${(header.dataFile ?? '').slice(0, 200)})`)
  if (header.encryption !== 'none') reasons.push('it is encrypted')
  if (header.internalSnapshots > 0) reasons.push(`it holds ${header.internalSnapshots} internal snapshots`)
  if (header.corrupt) reasons.push('QEMU has marked it as corrupt')
  if (header.unknownFeatures.length > 0)
    reasons.push(`it uses unknown features (bits ${header.unknownFeatures.join(', ')})`)
  return [...reasons, ...header.oddities.map((oddity) => `it has ${oddity}`)]
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes)

function safeNumber(value: bigint, what: string): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? malformed(`${what} ${value.toString()}`) : Number(value)
}

const malformed = (detail: string): never => fail({ kind: 'bad-output', what: 'qcow2 header', detail })
