import { describe, expect, it } from 'vitest'
import { chooseMethod } from '../../src/engine/capture/plan-backup.ts'
import { isFailure } from '../../src/shared/failure.ts'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import type { Method } from '../../src/shared/model/point.ts'

const spec = (method?: Method): BackupSpec => ({
  kind: 'backup',
  vm: '11111111-2222-4333-8444-555555555555',
  vmName: 'files',
  hostName: 'alpha',
  store: '/srv/points',
  budgetMs: 300,
  onBusy: 'pause',
  ...(method && { method })
})
const plain = { devicesWithoutSavableState: [], disks: [] }
const withCard = { devicesWithoutSavableState: ['host device (pci)'], disks: [] }

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (isFailure(error)) return error.failure.kind
  }
  return 'none'
}

describe('the method of a backup', () => {
  it.each<[string, Method]>([
    ['running', 'live'],
    ['idle', 'live'],
    ['paused', 'classic'],
    ['crashed', 'disk'],
    ['shut off', 'offline']
  ])('of a VM that is %s is %s, with the reason', (state, method) => {
    const chosen = chooseMethod(spec(), plain, state)
    expect(chosen.method).toBe(method)
    expect(chosen.methodReason).toContain('VM is')
  })

  it('is disk where the state of a device cannot be saved, and names the device', () => {
    expect(chooseMethod(spec(), withCard, 'running')).toMatchObject({
      method: 'disk',
      methodReason: expect.stringContaining('host device (pci)') as string
    })
  })

  it.each<[Method, string]>([
    ['live', 'paused'],
    ['live', 'shut off'],
    ['live', 'crashed'],
    ['classic', 'shut off'],
    ['classic', 'crashed'],
    ['disk', 'shut off'],
    ['disk', 'pmsuspended'],
    ['offline', 'running']
  ])('%s is refused for a VM that is %s', (method, state) => {
    expect(refusal(() => chooseMethod(spec(method), plain, state))).toBe('vm-state')
  })

  it('is none for a VM that sleeps: libvirt would refuse its snapshot', () => {
    expect(refusal(() => chooseMethod(spec(), plain, 'pmsuspended'))).toBe('vm-state')
  })

  it.each<Method>(['live', 'classic'])('%s is refused for devices whose state cannot be saved', (method) => {
    expect(refusal(() => chooseMethod(spec(method), withCard, 'running'))).toBe('state-not-savable')
  })
})
