import type { Manifest } from '../../src/shared/model/point.ts'
import type { HashedFile } from '../../src/store/copy-file.ts'

export const VM = '0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'
export const POINT = '20261122T201744Z-7f3a21'

/** The manifest of a point that has one file. */
export function manifestOf(path: string, { sizeBytes, sha256 }: HashedFile): Manifest {
  return {
    format: 'stillpoint-point',
    version: 1,
    id: POINT,
    jobId: POINT,
    takenAt: '2026-11-22T20:17:44Z',
    vm: { uuid: VM, name: 'bench' },
    host: { name: 'bench', machineId: '' },
    method: 'live',
    methodReason: 'bench',
    stateBefore: 'running',
    persistent: true,
    autostart: false,
    disks: [],
    excludedDisks: [],
    files: [{ path, sizeBytes, sha256 }],
    pauses: [],
    pauseMs: 0,
    agent: 'none',
    versions: { libvirt: '', qemu: '', engine: '' },
    warnings: []
  }
}
