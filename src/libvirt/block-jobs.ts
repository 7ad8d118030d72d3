import { fail } from '../shared/failure.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { virsh } from './virsh.ts'

export interface BlockJob {
  readonly kind: 'active-commit' | 'commit' | 'copy' | 'pull' | 'backup' | 'unknown'
  readonly doneBytes: number
  readonly totalBytes: number
  /** Source and target are the same from here on: it may be pivoted or ended. */
  readonly ready: boolean
}

const KINDS: Readonly<Record<string, BlockJob['kind']>> = {
  'Active Block Commit': 'active-commit',
  'Block Commit': 'commit',
  'Block Copy': 'copy',
  'Block Pull': 'pull',
  Backup: 'backup'
}

/** The disk's job in libvirt's words and numbers, or undefined if there is none. */
export async function blockJobInfo(shell: Shell, uuid: Uuid, target: string): Promise<BlockJob | undefined> {
  const { stdout } = await virsh(shell, ['blockjob', uuid, target, '--raw'])
  const type = /type=(.*)/.exec(stdout)?.[1]?.trim()
  if (type === undefined) return undefined
  const number = (key: string): number => Number(new RegExp(`${key}=(\\d+)`).exec(stdout)?.[1] ?? 0)
  const [doneBytes, totalBytes] = [number('cur'), number('end')]
  const kind = KINDS[type] ?? 'unknown'
  return { kind, doneBytes, totalBytes, ready: await isReady(shell, uuid, target, kind) }
}

/** Only the live XML tells: cur == end may also be a job that has not begun. */
async function isReady(shell: Shell, uuid: Uuid, target: string, kind: BlockJob['kind']): Promise<boolean> {
  if (kind !== 'active-commit' && kind !== 'copy') return false
  const { stdout } = await virsh(shell, ['dumpxml', uuid])
  const disk = stdout.split('<disk ').find((part) => new RegExp(`<target dev=['"]${target}['"]`).test(part)) ?? ''
  return /<mirror [^>]*ready=['"]yes['"]/.test(disk)
}

/** Begins to fold the topmost image into the one right below it. */
export async function blockCommitActive(shell: Shell, uuid: Uuid, target: string): Promise<void> {
  await virsh(shell, ['blockcommit', uuid, target, '--active', '--shallow'])
}

/** Begins a mirror of the whole disk into a new image. It lives as long as this QEMU. */
export async function blockCopy(shell: Shell, uuid: Uuid, target: string, to: { destination: string; format: string }): Promise<void> {
  if (/[\n\r]/.test(to.destination)) fail({ kind: 'bad-output', what: 'path', detail: 'it holds a line break' })
  await virsh(shell, ['blockcopy', uuid, target, '--dest', to.destination, '--format', to.format, '--transient-job'])
}

/** Ends the job: back to the image before it, or with `pivot` over to the other one. */
export async function blockJobAbort(shell: Shell, uuid: Uuid, target: string, options: { pivot?: boolean } = {}): Promise<void> {
  await virsh(shell, ['blockjob', uuid, target, options.pivot === true ? '--pivot' : '--abort'])
}
