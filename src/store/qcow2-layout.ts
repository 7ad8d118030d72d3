import type { ExtentList } from './extent-list.ts'
import { BLOCK_BYTES } from './pipeline.ts'

/**
 * A qcow2 image (version 3, 64 KiB clusters, standing alone) whose every byte has its place before the first is written:
 *
 *     header | refcount table | refcount blocks | L1 table | L2 tables | data clusters in the guest's order
 *
 * So it is written from front to end, and its hash needs no second reading. Source: qemu/docs/interop/qcow2.txt.
 */
export const CLUSTER_BYTES = 65_536
const L2_ENTRIES = CLUSTER_BYTES / 8
const REFCOUNTS_PER_BLOCK = CLUSTER_BYTES / 2
/** The cluster has one reference: QEMU may write to it in place. */
const COPIED_HIGH = 0x8000_0000

/** Counts and positions in clusters. */
export interface Qcow2Layout {
  readonly virtualSizeBytes: number
  readonly refcountTableClusters: number
  readonly refcountBlocks: number
  readonly l1At: number
  readonly l1Entries: number
  readonly l1Clusters: number
  /** Which L2 tables there are, in order, by their index in the L1 table. */
  readonly l2Indexes: readonly number[]
  readonly l2At: number
  readonly dataAt: number
  readonly dataClusters: number
  readonly clusters: number
}

/** A run of clusters of the guest's disk that hold data. */
interface ClusterRun {
  readonly first: number
  readonly count: number
}

/** Runs of whole clusters that the extents touch, in order, merged, never across L2 tables. */
function* runsOf(extents: ExtentList): Generator<ClusterRun> {
  let first = 0
  let end = 0
  for (let index = 0; index < extents.length; index++) {
    const { start, length } = extents.at(index)
    const from = Math.max(Math.floor(start / CLUSTER_BYTES), end)
    const to = Math.ceil((start + length) / CLUSTER_BYTES)
    if (from > end) {
      yield* splitAtTables(first, end)
      first = from
    }
    end = Math.max(end, to)
  }
  yield* splitAtTables(first, end)
}

function* splitAtTables(first: number, end: number): Generator<ClusterRun> {
  for (let from = first; from < end;) {
    const to = Math.min(end, (Math.floor(from / L2_ENTRIES) + 1) * L2_ENTRIES)
    yield { first: from, count: to - from }
    from = to
  }
}

export function layOut(virtualSizeBytes: number, extents: ExtentList): Qcow2Layout {
  const l1Entries = Math.max(1, Math.ceil(virtualSizeBytes / CLUSTER_BYTES / L2_ENTRIES))
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER_BYTES)
  const { l2Indexes, dataClusters } = countData(extents)
  const { refcountTableClusters, refcountBlocks } = refcountsFor(1 + l1Clusters + l2Indexes.length + dataClusters)
  const l1At = 1 + refcountTableClusters + refcountBlocks
  const l2At = l1At + l1Clusters
  const dataAt = l2At + l2Indexes.length
  const clusters = dataAt + dataClusters
  return {
    virtualSizeBytes,
    refcountTableClusters,
    refcountBlocks,
    l1At,
    l1Entries,
    l1Clusters,
    l2Indexes,
    l2At,
    dataAt,
    dataClusters,
    clusters
  }
}

function countData(extents: ExtentList): { l2Indexes: number[]; dataClusters: number } {
  const l2Indexes: number[] = []
  let dataClusters = 0
  for (const run of runsOf(extents)) {
    const table = Math.floor(run.first / L2_ENTRIES)
    if (l2Indexes.at(-1) !== table) l2Indexes.push(table)
    dataClusters += run.count
  }
  return { l2Indexes, dataClusters }
}

/** Refcounts count their own clusters too, so this goes round until nothing is added. */
function refcountsFor(others: number): { refcountTableClusters: number; refcountBlocks: number } {
  let refcountTableClusters = 1
  let refcountBlocks = 1
  for (;;) {
    const blocks = Math.ceil((others + refcountTableClusters + refcountBlocks) / REFCOUNTS_PER_BLOCK)
    const tableClusters = Math.ceil((blocks * 8) / CLUSTER_BYTES)
    if (blocks === refcountBlocks && tableClusters === refcountTableClusters)
      return { refcountTableClusters, refcountBlocks }
    refcountBlocks = blocks
    refcountTableClusters = tableClusters
  }
}

/** Header and tables, piece by piece from the file's start up to the data. */
export function* tablesOf(layout: Qcow2Layout, extents: ExtentList): Generator<Uint8Array> {
  yield header(layout)
  yield pointers(
    layout.refcountTableClusters,
    [...keys(layout.refcountBlocks)].map((block) => [block, 1 + layout.refcountTableClusters + block]),
    false
  )
  for (const block of keys(layout.refcountBlocks)) yield refcountBlock(layout.clusters - block * REFCOUNTS_PER_BLOCK)
  yield pointers(
    layout.l1Clusters,
    layout.l2Indexes.map((table, index) => [table, layout.l2At + index]),
    true
  )
  yield* l2Tables(layout, extents)
}

function* keys(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index
}

function header(layout: Qcow2Layout): Uint8Array {
  const bytes = new Uint8Array(CLUSTER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x514649fb)
  view.setUint32(4, 3)
  view.setUint32(20, Math.log2(CLUSTER_BYTES))
  view.setBigUint64(24, BigInt(layout.virtualSizeBytes))
  view.setUint32(36, layout.l1Entries)
  view.setBigUint64(40, BigInt(layout.l1At * CLUSTER_BYTES))
  view.setBigUint64(48, BigInt(CLUSTER_BYTES))
  view.setUint32(56, layout.refcountTableClusters)
  view.setUint32(96, 4) // refcounts of 2^4 bits
  view.setUint32(100, 112) // header length: with the compression type (zlib, 0) and its padding
  return bytes
}

/** A table of positions, as the refcount table and the L1 table are. */
function pointers(
  clusters: number,
  entries: readonly (readonly [slot: number, cluster: number])[],
  copied: boolean
): Uint8Array {
  const bytes = new Uint8Array(clusters * CLUSTER_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [slot, cluster] of entries) setPointer(view, slot, cluster, copied)
  return bytes
}

function setPointer(view: DataView, slot: number, cluster: number, copied: boolean): void {
  const offset = cluster * CLUSTER_BYTES
  view.setUint32(slot * 8, (copied ? COPIED_HIGH : 0) + Math.floor(offset / 2 ** 32))
  view.setUint32(slot * 8 + 4, offset % 2 ** 32)
}

/** One reference for each of the clusters that are left. */
function refcountBlock(left: number): Uint8Array {
  const bytes = new Uint8Array(CLUSTER_BYTES)
  for (let index = 0; index < Math.min(left, REFCOUNTS_PER_BLOCK); index++) bytes[index * 2 + 1] = 1
  return bytes
}

function* l2Tables(layout: Qcow2Layout, extents: ExtentList): Generator<Uint8Array> {
  let bytes = new Uint8Array(CLUSTER_BYTES)
  let table: number | undefined
  let cluster = layout.dataAt
  for (const run of runsOf(extents)) {
    const index = Math.floor(run.first / L2_ENTRIES)
    if (table !== undefined && table !== index) {
      yield bytes
      bytes = new Uint8Array(CLUSTER_BYTES)
    }
    table = index
    const view = new DataView(bytes.buffer)
    for (const step of keys(run.count)) setPointer(view, (run.first + step) % L2_ENTRIES, cluster++, true)
  }
  if (table !== undefined) yield bytes
}

/** A part of a block of data: from which file, from where, and where it goes in the block. */
export interface DataPart {
  readonly layer: number
  readonly offset: number
  readonly at: number
  readonly length: number
}

export interface DataBlock {
  readonly length: number
  /** Bytes that no part gives are zero. */
  readonly parts: readonly DataPart[]
}

/** The data clusters in the file's order, in blocks as large as the pipeline takes. */
export function* dataOf(extents: ExtentList): Generator<DataBlock> {
  const parts = partsFinder(extents)
  let block: { length: number; parts: DataPart[] } = { length: 0, parts: [] }
  for (const run of runsOf(extents)) {
    for (let from = run.first * CLUSTER_BYTES, left = run.count * CLUSTER_BYTES; left > 0;) {
      const length = Math.min(left, BLOCK_BYTES - block.length)
      block.parts.push(...parts(from, length, block.length))
      block.length += length
      from += length
      left -= length
      if (block.length < BLOCK_BYTES) continue
      yield block
      block = { length: 0, parts: [] }
    }
  }
  if (block.length > 0) yield block
}

/** Finds what lies in a range of the guest's disk; ranges have to be asked for in order. */
function partsFinder(extents: ExtentList): (from: number, length: number, at: number) => DataPart[] {
  let cursor = 0
  return (from, length, at) => {
    const found: DataPart[] = []
    for (; cursor < extents.length; cursor++) {
      const extent = extents.at(cursor)
      const begin = Math.max(extent.start, from)
      const end = Math.min(extent.start + extent.length, from + length)
      if (end > begin)
        found.push({
          layer: extent.layer,
          offset: extent.offset + begin - extent.start,
          at: at + begin - from,
          length: end - begin
        })
      if (extent.start + extent.length > from + length) break
    }
    return found
  }
}
