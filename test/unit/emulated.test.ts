import { describe, expect, it } from 'vitest'
import { cautionOnLiveMemory } from '../../src/engine/capture/emulated.ts'

describe('RAM of a running VM', () => {
  it('comes with a caution where QEMU emulates the VM and is older than 9', () => {
    expect(cautionOnLiveMemory('qemu', '7.2.22')).toMatch(/without KVM.*QEMU 7\.2\.22.*boot it/)
    expect(cautionOnLiveMemory('qemu', '8.1.5')).toBeDefined()
  })
  it('comes without one under KVM, and with a newer QEMU', () => {
    expect(cautionOnLiveMemory('kvm', '7.2.22')).toBeUndefined()
    expect(cautionOnLiveMemory('qemu', '9.0.0')).toBeUndefined()
    expect(cautionOnLiveMemory('qemu', '10.0.13')).toBeUndefined()
  })
})
