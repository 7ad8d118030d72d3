import { basename, join, resolve } from 'node:path'
import type { VerifyReport } from '../shared/engine-protocol.ts'
import { fail, isFailure } from '../shared/failure.ts'
import type { Manifest, PointFile } from '../shared/model/point.ts'
import { sizeBytesOf } from '../shared/model/point.ts'
import { oneLine, safeText, shorten } from '../shared/safe-text.ts'
import type { RunResult, Shell } from '../shared/shell.ts'
import { hashFile, type FileOptions } from './copy-file.ts'
import { isCode } from './file-io.ts'
import { MANIFEST_NAME } from './layout.ts'
import { readManifest } from './manifest.ts'
import { OF_THE_FILE, headerProblems, sizeProblems, unlistedFiles, type Problem } from './point-files.ts'

/**
 * Reads all of a point: sizes, SHA-256, image headers, and `qemu-img check` where there is one. What is wrong with it is
 * listed, not thrown. What keeps it from being read to its end says nothing of it: that is thrown, and nobody is to write
 * down a verdict.
 *
 * @throws `cancelled`, `timeout`, `command-failed`, `io`
 */
export async function verifyPoint(
  dir: string,
  shell: Shell | undefined,
  options: FileOptions = {}
): Promise<VerifyReport> {
  const point = basename(resolve(dir))
  try {
    return await verify(dir, await readManifest(dir), shell, options)
  } catch (error) {
    const problem = { file: MANIFEST_NAME, detail: verdictIn(error) }
    return { point, good: false, checkedBytes: 0, problems: [problem], notes: [] }
  }
}

async function verify(
  dir: string,
  manifest: Manifest,
  shell: Shell | undefined,
  options: FileOptions
): Promise<VerifyReport> {
  const bySize = await sizeProblems(dir, manifest)
  const sound = manifest.files.filter((file) => !bySize.some((problem) => problem.file === file.path))
  const { checkedBytes, problems: byHash } = await hashProblems(dir, sound, sizeBytesOf(manifest), options)
  const byHeader = (await headerProblems(dir, manifest)).filter(
    ({ file }) => !bySize.some((problem) => problem.file === file)
  )
  const { problems: byQemu, notes } = await checkImages(dir, manifest, [...bySize, ...byHeader], shell, options.signal)
  const problems = [...bySize, ...byHash, ...byHeader, ...byQemu].map(({ file, detail }) => ({ file, detail }))
  const unlisted = await unlistedFiles(dir, manifest)
  return {
    point: manifest.id,
    good: problems.length === 0,
    checkedBytes,
    problems,
    notes: [
      ...unlisted
        .slice(0, MOST_NAMED)
        .map((path) => `${shorten(safeText(path), 200)} is in the point's directory, but not part of it`),
      ...(unlisted.length > MOST_NAMED
        ? [`${unlisted.length - MOST_NAMED} more are there that are not part of it`]
        : []),
      ...notes
    ]
  }
}

/** Of files that are not part of a point. */
const MOST_NAMED = 20

async function hashProblems(
  dir: string,
  files: readonly PointFile[],
  totalBytes: number,
  { onProgress, signal }: FileOptions
): Promise<{ checkedBytes: number; problems: Problem[] }> {
  const problems: Problem[] = []
  let checkedBytes = 0
  for (const file of files) {
    const before = checkedBytes
    const onBytes = (done: number): void => onProgress?.(before + done, totalBytes)
    const problem = await hashProblem(dir, file, { onProgress: onBytes, signal })
    if (problem) problems.push(problem)
    checkedBytes += file.sizeBytes
  }
  return { checkedBytes, problems }
}

async function hashProblem(dir: string, file: PointFile, options: FileOptions): Promise<Problem | undefined> {
  try {
    const { sha256 } = await hashFile(join(dir, file.path), options)
    if (sha256 === file.sha256) return undefined
    return { file: file.path, detail: 'its content has changed: the SHA-256 is another' }
  } catch (error) {
    return { file: file.path, detail: verdictIn(error) }
  }
}

/** QEMU never opens an image that has a problem: its header may lead to other files. */
async function checkImages(
  dir: string,
  manifest: Manifest,
  known: readonly Problem[],
  shell: Shell | undefined,
  signal: AbortSignal | undefined
): Promise<{ problems: Problem[]; notes: string[] }> {
  if (shell === undefined) return { problems: [], notes: [NO_QEMU] }
  const problems: Problem[] = []
  try {
    for (const { file } of manifest.disks) {
      if (known.some((problem) => problem.file === file)) continue
      const sizeBytes = manifest.files.find(({ path }) => path === file)?.sizeBytes ?? 0
      const problem = await checkImage(join(dir, file), { path: file, sizeBytes }, shell, signal)
      if (problem) problems.push(problem)
    }
  } catch (error) {
    if (isFailure(error, 'missing-tool')) return { problems, notes: [NO_QEMU] }
    throw error
  }
  return { problems, notes: [] }
}

const NO_QEMU = 'The images were not checked by qemu-img, as it is not installed here. Their hashes were.'

/** It reads tables, an eight-thousandth of an image; where it does not come to an end with them, the store does not answer. */
const checkWithinMs = (sizeBytes: number): number => 600_000 + (sizeBytes / 1024 ** 3) * 1000

async function checkImage(
  path: string,
  { path: file, sizeBytes }: Pick<PointFile, 'path' | 'sizeBytes'>,
  shell: Shell,
  signal: AbortSignal | undefined
): Promise<Problem | undefined> {
  const argv = ['qemu-img', 'check', '-U', '-f', 'qcow2', resolve(path)] as const
  const what = `qemu-img check of ${file}`
  const timeoutMs = checkWithinMs(sizeBytes)
  try {
    const result = await shell.run(argv, { timeoutMs, ...(signal && { signal }) })
    if (result.exitCode === 0 || result.exitCode === 3) return undefined // 3: clusters that nothing uses, which harms nobody
    if (wasHindered(result))
      fail({ kind: 'command-failed', command: what, exitCode: result.exitCode, stderr: result.stderr })
    const said = shorten(oneLine(`${result.stderr} ${result.stdout}`), 300)
    return { file, detail: `qemu-img check: ${said}` }
  } catch (error) {
    if (isFailure(error, 'timeout')) return fail({ kind: 'timeout', what, afterMs: timeoutMs }, error)
    if (!isFailure(error, 'output-too-large')) throw error
    return { file, detail: 'qemu-img check: it names more errors than are read' }
  }
}

/** Signals that others send: whoever runs out of memory or is told to end has found nothing. */
const SENT: readonly (string | undefined)[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGXCPU']
/** What it says (in the C locale) where the store or this computer kept it from opening or reading an image. */
const NOT_OF_THE_IMAGE =
  /: (Permission denied|Operation not permitted|Stale file handle|Connection timed out|Host is down|No route to host|Transport endpoint is not connected|Cannot allocate memory|Too many open files( in system)?|Resource temporarily unavailable|Interrupted system call)\s*$/

/** It was kept from its work (1), or was ended, before it had come to a verdict. */
const wasHindered = ({ exitCode, signal, stderr }: RunResult): boolean =>
  exitCode === undefined ? SENT.includes(signal) : exitCode === 1 && NOT_OF_THE_IMAGE.test(stderr)

/** What an error says of the point. One that says something of its store, or of this computer, is thrown on. */
function verdictIn(error: unknown): string {
  if (isFailure(error, 'not-found')) return 'there is no manifest, so no point'
  if (isFailure(error, 'point-damaged', 'point-unsafe', 'point-format', 'bad-output')) return error.failure.detail
  if (error instanceof Error && isCode(error, ...OF_THE_FILE)) return error.message
  throw error
}
