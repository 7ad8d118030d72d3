import * as z from 'zod'
import { fail } from '../shared/failure.ts'
import { lineReader } from '../shared/lines.ts'
import type { Argv, RunOptions, RunResult, Shell } from '../shared/shell.ts'
import { ExtentList } from './extent-list.ts'

export interface ImageSource {
  /** Absolute path of a file or block device, or a name that QEMU knows how to open (`rbd:…`). */
  readonly path: string
  /** Never guessed: a guest can write a qcow2 header at the start of its raw disk. */
  readonly format: string
}

/** Where the data of an image lies in plain files, as QEMU sees it. */
export interface ImageMap {
  readonly virtualSizeBytes: number
  /** The image's file and those of its backing chain; an extent names one by its index. */
  readonly layers: readonly string[]
  readonly extents: ExtentList
}

/** Its data cannot be read straight from files: network, compressed, encrypted, other formats, very fragmented. */
export interface UnmappedImage {
  readonly virtualSizeBytes: number
  readonly extents: undefined
}

const Layer = z.object({
  filename: z.string(),
  format: z.string(),
  'virtual-size': z.number().int().nonnegative(),
  encrypted: z.boolean().optional(),
  'backing-filename': z.string().optional(),
  'backing-filename-format': z.string().optional(),
  'format-specific': z.object({ data: z.looseObject({}) }).optional()
})
type Layer = z.infer<typeof Layer>
const Layers = z.array(Layer).min(1)

const Extent = z.object({
  start: z.number().int().nonnegative(),
  length: z.number().int().positive(),
  depth: z.number().int().nonnegative(),
  zero: z.boolean(),
  data: z.boolean(),
  offset: z.number().int().nonnegative().optional()
})

/** Beyond it the map would cost more memory (32 bytes each) than it saves time. */
const MAX_EXTENTS = 500_000
/** The largest image that we write ourselves: its L1 table fits a block of the pipeline. */
const MAX_VIRTUAL_BYTES = 2 ** 46

/**
 * Asks `qemu-img` for the layers and extents of an image that may be open elsewhere, as long as nobody writes to it.
 */
export async function mapImage(
  shell: Shell,
  source: ImageSource,
  signal?: AbortSignal
): Promise<ImageMap | UnmappedImage> {
  const layers = await layersOf(shell, source, signal)
  const virtualSizeBytes = layers[0]?.['virtual-size'] ?? 0
  if (!layers.every(isPlain) || virtualSizeBytes > MAX_VIRTUAL_BYTES) return { virtualSizeBytes, extents: undefined }
  const extents = await extentsOf(shell, source, layers.length, signal)
  return { virtualSizeBytes, layers: layers.map((layer) => layer.filename), extents }
}

async function layersOf(shell: Shell, { path, format }: ImageSource, signal?: AbortSignal): Promise<Layer[]> {
  const argv: Argv = ['qemu-img', 'info', '-U', '--backing-chain', '--output=json', '-f', format, path]
  const { stdout } = await runQemuImg(shell, argv, { signal })
  const layers = Layers.safeParse(jsonOf(stdout))
  if (!layers.success) return unreadable(path, layers.error.message)
  for (const [index, layer] of layers.data.entries()) refuseGuess(layer, layers.data[index + 1])
  return layers.data
}

/**
 * Whether a copy could read the image and all below it, and whether one of them is encrypted.
 *
 * @throws `bad-output` if one does not say which format its backing file has
 */
export async function lookAtChain(shell: Shell, source: ImageSource): Promise<{ readonly encrypted: boolean }> {
  return { encrypted: (await layersOf(shell, source)).some(({ encrypted = false }) => encrypted) }
}

/**
 * An image that does not say what its backing file is makes QEMU guess from that file's content, which may be a guest's.
 * As libvirt does: a guess is taken only if it leads no further.
 */
function refuseGuess(layer: Layer, backing: Layer | undefined): void {
  if (layer['backing-filename'] === undefined || layer['backing-filename-format'] !== undefined) return
  if (backing?.format === 'raw') return
  if (backing?.['backing-filename'] === undefined && backing !== undefined && isPlain(backing)) return
  unreadable(layer.filename, 'it does not say which format its backing file has (qemu-img rebase -u -b FILE -F FORMAT)')
}

const isPlain = (layer: Layer): boolean =>
  layer.filename.startsWith('/') &&
  (layer.format === 'raw' || layer.format === 'qcow2') &&
  layer.encrypted !== true &&
  layer['format-specific']?.data['data-file'] === undefined

async function extentsOf(
  shell: Shell,
  source: ImageSource,
  layers: number,
  signal?: AbortSignal
): Promise<ExtentList | undefined> {
  const extents = new ExtentList()
  let plain = true
  const isComplete = (): boolean => plain
  await eachExtent(shell, source, { signal, timeoutMs: Infinity }, (extent) => {
    if (!extent.data || extent.zero || !plain) return
    plain = extent.offset !== undefined && extent.depth < layers && extents.length < MAX_EXTENTS
    if (plain) extents.push(extent.start, extent.length, extent.depth, extent.offset ?? 0)
  })
  return isComplete() ? extents : undefined
}

/** How much of the image is neither zero nor a hole, backing files included, as `qemu-img` sees it just now. */
export async function mappedDataBytes(shell: Shell, source: ImageSource, timeoutMs: number): Promise<number> {
  let sum = 0
  await eachExtent(shell, source, { timeoutMs }, ({ data, zero, length }) => {
    if (data && !zero) sum += length
  })
  return sum
}

async function eachExtent(
  shell: Shell,
  { path, format }: ImageSource,
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs: number },
  onExtent: (extent: z.infer<typeof Extent>) => void
): Promise<void> {
  const argv: Argv = ['qemu-img', 'map', '-U', '--output=json', '-f', format, path]
  const lines = lineReader((line) => onExtent(extentOf(line, path)))
  await runQemuImg(shell, argv, { ...options, onStdout: (chunk) => lines.take(chunk) })
  lines.end()
}

/** `[{ … },`, `{ … },`, `{ … }]`: one extent on each line. */
function extentOf(line: string, path: string): z.infer<typeof Extent> {
  const extent = Extent.safeParse(jsonOf(line.replace(/^\[/, '').replace(/[,\]]$/, '')))
  return extent.success ? extent.data : unreadable(path, `qemu-img map said ${line.slice(0, 100)}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const unreadable = (path: string, detail: string): never => fail({ kind: 'bad-output', what: path, detail })

export async function runQemuImg(
  shell: Shell,
  argv: Argv,
  { signal, ...options }: Omit<RunOptions, 'signal'> & { signal?: AbortSignal | undefined }
): Promise<RunResult> {
  const result = await shell.run(argv, { ...options, ...(signal && { signal }) })
  if (result.exitCode === 0) return result
  return fail({ kind: 'command-failed', command: argv.join(' '), exitCode: result.exitCode, stderr: result.stderr })
}
