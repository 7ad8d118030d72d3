import type { Manifest } from '../../src/shared/model/point.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'

const GIB = 1024 ** 3

/** The manifest of a made-up point: files that add up to its size. */
export function fakeManifest(point: PointView): Manifest {
  const ramBytes = point.hasMemory ? Math.round(point.sizeBytes / 3) : 0
  const hash = (n: number): string =>
    point.id
      .replaceAll(/[^0-9a-f]/g, '')
      .repeat(8)
      .slice(n, n + 64)
  return {
    format: 'stillpoint-point',
    version: 1,
    id: point.id,
    jobId: point.id,
    takenAt: point.takenAt,
    vm: point.vm,
    host: { name: point.host, machineId: '5f0c0ffee5f0c0ffee5f0c0ffee5f0c0' },
    method: point.method,
    methodReason: point.method === 'offline' ? 'the VM is shut off' : 'the VM is running',
    stateBefore: point.method === 'offline' ? 'shut off' : 'running',
    persistent: true,
    autostart: true,
    disks: [
      {
        target: 'vda',
        file: 'disks/vda.qcow2',
        virtualSizeBytes: 40 * GIB,
        originalSource: '/var/lib/libvirt/images/disk-1.qcow2',
        originalFormat: 'qcow2',
        originalType: 'file'
      }
    ],
    excludedDisks: ['sda'],
    ...(point.hasMemory && { memory: { file: 'memory.save', ramBytes: 2 * GIB } }),
    files: [
      { path: 'domain.xml', sizeBytes: 5120, sha256: hash(0) },
      { path: 'disks/vda.qcow2', sizeBytes: point.sizeBytes - ramBytes, sha256: hash(1) },
      ...(point.hasMemory ? [{ path: 'memory.save', sizeBytes: ramBytes, sha256: hash(2) }] : []),
      { path: 'host.json', sizeBytes: 2048, sha256: hash(3) }
    ],
    pauses: [],
    pauseMs: point.pauseMs,
    ...(point.hasMemory && { qemuDowntimeMs: point.pauseMs / 3 }),
    agent: point.method === 'live' ? 'answered' : 'none',
    versions: { libvirt: '9.0.0', qemu: '7.2.22', engine: '0.1.0' },
    warnings: [...point.warnings]
  }
}
