import { describe, expect, it } from 'vitest'
import { whyUnsavable } from '../../src/engine/capture/unsavable.ts'
import { StillpointError } from '../../src/shared/failure.ts'

const said = (stderr: string, command = 'virsh snapshot-create-as 0b5e --name x'): unknown =>
  new StillpointError({ kind: 'command-failed', command, exitCode: 1, stderr })

// field case 10
describe('RAM that libvirt does not save', () => {
  it.each([
    [
      "error: Requested operation is not valid: cannot migrate domain: State blocked by non-migratable device '0000:00:04.0/nvme'",
      "cannot migrate domain: State blocked by non-migratable device '0000:00:04.0/nvme'"
    ],
    [
      "error: internal error: unable to execute QEMU command 'migrate': virtio-gpu is not yet migratable",
      "internal error: unable to execute QEMU command 'migrate': virtio-gpu is not yet migratable"
    ],
    ['error: operation failed: domain has CPU feature: invtsc', 'operation failed: domain has CPU feature: invtsc'],
    ['error: Operation not supported: migration with a thing of 2031', 'migration with a thing of 2031'],
    [
      "error: Failed to save domain 'x' to /p/memory.save\nerror: operation failed: Migration is disabled when VirtFS export path is mounted",
      'operation failed: Migration is disabled when VirtFS export path is mounted'
    ]
  ])('is one that cannot be saved, whatever libvirt calls it: %s', (stderr, reason) => {
    expect(whyUnsavable(said(stderr))).toBe(reason)
    expect(whyUnsavable(said(stderr, 'virsh save 0b5e --file /p'))).toBe(reason)
  })

  it.each([
    'error: failed to connect to the hypervisor',
    'error: Disconnected from qemu:///system due to end of file',
    'error: Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatchDomainSuspend)',
    'error: Requested operation is not valid: domain is not running',
    'error: internal error: qemu unexpectedly closed the monitor',
    'error: operation aborted: snapshot job: canceled by client',
    'error: unable to write /p/memory.save: No space left on device',
    "error: failed to get domain 'x'\nerror: Domain not found",
    'ended by SIGKILL. '
  ])('may have another reason, which is no reason to do without: %s', (stderr) => {
    expect(whyUnsavable(said(stderr))).toBeUndefined()
  })

  it('says nothing of other commands, nor of other errors', () => {
    expect(whyUnsavable(said('error: is not migratable', 'virsh blockcommit 0b5e vda'))).toBeUndefined()
    expect(whyUnsavable(new Error('not migratable'))).toBeUndefined()
  })
})
