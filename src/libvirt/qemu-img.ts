import * as z from 'zod'
import { fail } from '../shared/failure.ts'
import type { RunOptions, Shell } from '../shared/shell.ts'

async function qemuImg(shell: Shell, args: readonly string[], options: RunOptions & { expect?: readonly number[] } = {}): Promise<string> {
  const { expect = [0], ...run } = options
  const result = await shell.run(['qemu-img', ...args], run)
  if (result.exitCode !== undefined && expect.includes(result.exitCode)) return result.stdout
  return fail({ kind: 'command-failed', command: `qemu-img ${args[0] ?? ''}`, exitCode: result.exitCode, stderr: result.stderr.trim().slice(0, 2000) })
}

const Info = z.object({
  'virtual-size': z.number(),
  'actual-size': z.number(),
  'full-backing-filename': z.string().optional(),
  'backing-filename': z.string().optional(),
  'backing-filename-format': z.string().optional()
})

export interface ImageInfo {
  readonly virtualSizeBytes: number
  readonly actualSizeBytes: number
  readonly backingFile: string | undefined
  readonly backingFormat: string | undefined
}

/** Of one image, also while QEMU has it open. The format is never guessed: a raw disk may begin like a qcow2. */
export async function imageInfo(shell: Shell, path: string, { format }: { format: string }): Promise<ImageInfo> {
  const info = Info.parse(JSON.parse(await qemuImg(shell, ['info', '-U', '-f', format, '--output=json', '--', path])))
  return {
    virtualSizeBytes: info['virtual-size'],
    actualSizeBytes: info['actual-size'],
    backingFile: info['full-backing-filename'] ?? info['backing-filename'],
    backingFormat: info['backing-filename-format']
  }
}

const Check = z.object({ corruptions: z.number().default(0), leaks: z.number().default(0) })

/** Exit codes 2 (corruptions) and 3 (leaks) are answers. */
export async function checkImage(shell: Shell, path: string, format: string): Promise<z.infer<typeof Check>> {
  const output = await qemuImg(shell, ['check', '-f', format, '--output=json', '--', path], { expect: [0, 2, 3], timeoutMs: 3_600_000 })
  return Check.parse(JSON.parse(output))
}

/** Folds an image that nothing has open into the one below it. */
export async function commitOverlay(shell: Shell, path: string): Promise<void> {
  await qemuImg(shell, ['commit', '-q', '-f', 'qcow2', '--', path], { timeoutMs: 3_600_000 })
}

export interface ConvertRequest {
  readonly source: { readonly path: string; readonly format: string }
  readonly target: { readonly path: string; readonly format: string }
  /** 0 to 1. */
  readonly onProgress?: (fraction: number) => void
  readonly signal?: AbortSignal
}

export async function convert(shell: Shell, { source, target, onProgress, signal }: ConvertRequest): Promise<void> {
  const onStdout = (chunk: Uint8Array): void => {
    const percent = /\(([\d.]+)\/100%\)\s*$/.exec(Buffer.from(chunk).toString())?.[1]
    if (percent !== undefined) onProgress?.(Number(percent) / 100)
  }
  const args = ['convert', '-p', '-W', '-f', source.format, '-O', target.format, '--', source.path, target.path]
  await qemuImg(shell, args, { onStdout, timeoutMs: Number.POSITIVE_INFINITY, ...(signal && { signal }) })
}
