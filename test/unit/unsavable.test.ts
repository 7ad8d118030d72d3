import { describe, expect, it } from 'vitest'
import { otherWay } from '../../src/engine/capture/backup.ts'
import type { CapturePlan } from '../../src/engine/capture/capture-plan.ts'
import { whyUnsavable } from '../../src/engine/capture/unsavable.ts'
import type { BackupSpec } from '../../src/shared/model/job.ts'
import { StillpointError } from '../../src/shared/failure.ts'

const said = (stderr: string, command = 'virsh snapshot-create-as 0b5e --name x'): unknown =>
  new StillpointError({ kind: 'command-failed', command, exitCode: 1, stderr })

const FILES = ['/p/memory.save', '/i/web.stillpoint-x']

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
    // With encrypted overlays the disks' instant is described in XML.
    const inXml = whyUnsavable(said(stderr, 'virsh snapshot-create 0b5e /x.xml'), FILES)
    expect(inXml).toMatchObject({ because: reason })
    const unsavable = { because: reason, isKnown: true }
    expect(whyUnsavable(said(stderr), FILES)).toEqual(unsavable)
    expect(whyUnsavable(said(stderr, 'virsh save 0b5e --file /p'), FILES)).toEqual(unsavable)
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
    "error: Failed to create file '/p/memory.save': Permission denied",
    "error: internal error: Could not create '/i/web.stillpoint-x': Permission denied",
    'ended by SIGKILL. '
  ])('may have another reason, which is no reason to do without: %s', (stderr) => {
    expect(whyUnsavable(said(stderr), FILES)).toBeUndefined()
  })

  it('says nothing of a disk that came while the overlays were made: the backup is planned anew', () => {
    const plan = {
      vmName: 'web',
      method: 'live',
      methodReason: '',
      pointDir: '/p',
      disks: []
    } as unknown as CapturePlan
    const stderr =
      'error: unsupported configuration: missing existing file for disk vdc: /i/new.stillpoint-x: No such file or directory'
    expect(
      otherWay({ method: 'live' } as unknown as BackupSpec, plan, said(stderr, 'virsh snapshot-create 0b5e /x'))
    ).toEqual({ method: 'live', reason: { methodReason: '' } })
  })

  it('is warned of where nobody knows the words: it may be a fault of the host, and ends one day', () => {
    const plan = { vmName: 'web', method: 'live', pointDir: '/p', disks: [] } as unknown as CapturePlan
    const way = (stderr: string): unknown =>
      otherWay({ policy: 'nightly' } as unknown as BackupSpec, plan, said(stderr))
    expect(way('error: internal error: a thing of 2031')).toEqual({
      method: 'disk',
      reason: { methodReason: 'its RAM cannot be saved: internal error: a thing of 2031' },
      warning: 'Disks only: its RAM cannot be saved: internal error: a thing of 2031'
    })
    expect(way('error: operation failed: domain is not migratable')).not.toHaveProperty('warning')
    expect(way("error: Failed to create file '/p/memory.save': Permission denied")).toBeUndefined()
  })

  it('says nothing of other commands, nor of other errors', () => {
    expect(whyUnsavable(said('error: is not migratable', 'virsh blockcommit 0b5e vda'), FILES)).toBeUndefined()
    expect(whyUnsavable(new Error('not migratable'), FILES)).toBeUndefined()
  })
})
