import { describe, expect, it } from 'vitest'
import { estimateBackup } from '../../src/shared/backup-estimate.ts'
import type { HostView, VmView } from '../../src/shared/views/host-view.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'

const GIB = 1024 ** 3
const vm = (changes: Partial<VmView> = {}): VmView => ({
  uuid: '11111111-2222-4333-8444-555555555555',
  name: 'web1',
  state: 'running',
  ramBytes: 2 * GIB,
  vcpus: 2,
  autostart: true,
  agent: 'absent',
  disks: [
    {
      target: 'vda',
      device: 'disk',
      type: 'file',
      format: 'qcow2',
      capacityBytes: 40 * GIB,
      allocationBytes: 10 * GIB
    },
    { target: 'sda', device: 'cdrom', type: 'file', format: 'raw', capacityBytes: GIB, allocationBytes: GIB }
  ],
  ...changes
})
const host = (freeBytes: number): HostView => ({
  name: 'alpha',
  address: '198.18.0.11',
  addedAt: '2026-11-25T09:00:00.000Z',
  state: 'up',
  facts: {
    hostname: 'alpha',
    os: 'Debian',
    architecture: 'x86_64',
    libvirt: '9.0.0',
    qemu: '7.2.22',
    cpuModel: '',
    cpus: 4,
    memoryBytes: 64 * GIB,
    freeMemoryBytes: 32 * GIB,
    store: { path: '/var/lib/stillpoint', freeBytes, totalBytes: 1000 * GIB }
  },
  vms: []
})
const earlier = (pauseMs: number, seconds: number): JobView => ({
  id: '20261125T090000Z-abcdef',
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: vm().uuid, name: 'web1' },
  state: 'done',
  startedAt: '2026-11-25T09:00:00.000Z',
  endedAt: new Date(Date.parse('2026-11-25T09:00:00.000Z') + seconds * 1000).toISOString(),
  method: 'live',
  sizeBytes: 11 * GIB,
  pauses: [],
  pauseMs,
  phases: [],
  warnings: [],
  retryable: false
})
const estimate = (changes: Partial<VmView> = {}, jobs: readonly JobView[] = [], freeBytes = 500 * GIB) =>
  estimateBackup({ host: 'alpha', vm: vm().uuid }, { host: host(freeBytes), vm: vm(changes), jobs })

describe('what a backup would cost', () => {
  it('is drawn from sizes where there is nothing better, and says so', () => {
    const drawn = estimate()
    expect(drawn).toMatchObject({ method: 'live', samples: 0, classicPauseMs: 8600 })
    expect(drawn.neededBytes).toBeGreaterThan(12 * GIB)
    expect(drawn.neededBytes).toBeLessThan(15 * GIB)
    expect(drawn.pauseMs.high).toBeLessThan(drawn.classicPauseMs / 50)
  })

  it('is drawn from earlier backups by the same method where there are any', () => {
    expect(estimate({}, [earlier(40, 30), earlier(60, 50)])).toMatchObject({
      samples: 2,
      pauseMs: { low: 40, high: 60 },
      durationMs: { low: 30_000, high: 50_000 },
      sizeBytes: 11 * GIB
    })
  })

  it.each([
    ['shut off', 'offline'],
    ['paused', 'classic'],
    ['crashed', 'disk']
  ] as const)('takes a VM that is %s by %s', (state, method) => {
    expect(estimate({ state }).method).toBe(method)
  })

  it('warns of too little room, and leaves out what is not taken', () => {
    expect(estimate({}, [], GIB).remarks.join()).toContain('too little room')
    const { sizeBytes } = estimateBackup(
      { host: 'alpha', vm: vm().uuid, excludeDisks: ['vda'] },
      { host: host(GIB), vm: vm(), jobs: [] }
    )
    expect(sizeBytes).toBe(2 * GIB)
  })
})
