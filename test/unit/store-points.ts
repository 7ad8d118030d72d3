import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Manifest } from '../../src/shared/model/point.ts'
import { ExtentList } from '../../src/store/extent-list.ts'
import { beginPoint, commitPoint, syncFiles } from '../../src/store/point-store.ts'
import { layOut, tablesOf } from '../../src/store/qcow2-layout.ts'

export const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
export const OTHER_VM = '7d0c1f9e-1111-4222-8333-944444444444'
export const POINT = '20261122T201744Z-7f3a21'
export const LATER_POINT = '20261122T211744Z-00aaff'

export async function temporaryStore(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'stillpoint-store-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return join(dir, 'points')
}

export const DISK_BYTES = 1024 * 1024

/** A valid, empty qcow2 image, with data behind its tables that nothing refers to. */
export function emptyImage(tail = new Uint8Array(0)): Uint8Array {
  return Buffer.concat([...tablesOf(layOut(DISK_BYTES, new ExtentList()), new ExtentList()), tail])
}

export function manifestOf(files: Record<string, Uint8Array>, change: Partial<Manifest> = {}): Manifest {
  const hasDisk = 'disks/vda.qcow2' in files
  return {
    format: 'stillpoint-point',
    version: 1,
    id: POINT,
    jobId: POINT,
    takenAt: '2026-11-22T20:17:44.123Z',
    vm: { uuid: VM, name: 'web <1>' },
    host: { name: 'alpha', machineId: 'f'.repeat(32) },
    method: 'live',
    methodReason: 'running',
    stateBefore: 'running',
    persistent: true,
    autostart: false,
    disks: hasDisk
      ? [
          {
            target: 'vda',
            file: 'disks/vda.qcow2',
            virtualSizeBytes: DISK_BYTES,
            originalSource: '/var/lib/libvirt/images/a.qcow2',
            originalFormat: 'qcow2',
            originalType: 'file'
          }
        ]
      : [],
    excludedDisks: [],
    files: Object.entries(files).map(([path, bytes]) => ({ path, sizeBytes: bytes.byteLength, sha256: sha256(bytes) })),
    pauses: [],
    pauseMs: 0,
    agent: 'none',
    versions: { libvirt: '9.0.0', qemu: '7.2.22', engine: 'test' },
    warnings: [],
    ...change
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const FILES: Record<string, Uint8Array> = {
  'domain.xml': new TextEncoder().encode('<domain/>\n'),
  'disks/vda.qcow2': emptyImage(),
  'nvram.fd': new Uint8Array(4096).fill(3),
  'memory.save': Buffer.concat([new Uint8Array(200_000), new Uint8Array(70_001).fill(9), new Uint8Array(300_000)])
}

export async function writeFiles(dir: string, files: Record<string, Uint8Array>): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), bytes)
  }
}

export async function makePoint(
  store: string,
  files: Record<string, Uint8Array> = FILES,
  change: Partial<Manifest> = {}
): Promise<{ dir: string; manifest: Manifest }> {
  const manifest = manifestOf(files, change)
  const dir = await beginPoint(store, manifest.vm.uuid, manifest.id)
  await writeFiles(dir, files)
  await syncFiles(dir, Object.keys(files))
  await commitPoint(dir, manifest)
  return { dir, manifest }
}
