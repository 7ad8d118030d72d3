import { describe, expect, it } from 'vitest'
import { unitObstacle } from '../../src/engine/jobs/unit-trial.ts'
import { fakeShell } from '../../src/shell/fake.ts'

/** What the host's systemd is told to run as a trial. */
async function trialWhere(virsh: string | { exitCode: number; stderr: string }): Promise<string> {
  const shell = fakeShell({ virsh, 'systemd-run': '', systemctl: 'systemd 252' })
  expect(await unitObstacle(shell)).toBeUndefined()
  return shell.lines.find((line) => line.startsWith('systemd-run')) ?? ''
}

describe('the trial of a host’s systemd', () => {
  it('asks libvirt where a login can, and leaves it aside where it is down for everybody', async () => {
    expect(await trialWhere('libvirt 9.0.0')).toMatch(/ unit-trial$/)
    const down = { exitCode: 1, stderr: 'error: failed to connect to the hypervisor' }
    expect(await trialWhere(down)).toMatch(/ unit-trial without-libvirt$/)
  })
})
