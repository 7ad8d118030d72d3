import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { expectZero } from '../expect-zero.ts'

/** Longer than a freeze and the switch to overlays take; a guest that waits longer is worse off than with a lesser point. */
const THAW_AFTER_SECONDS = 25

const unitOf = (job: string): string => `stillpoint-thaw-${job}`

/**
 * Has the host itself thaw the guest after a while, whatever becomes of this process: also where it is stopped and not
 * killed, and nobody recovers. A thaw of a guest that is not frozen does nothing.
 */
export async function armThawGuard(shell: Shell, job: string, vm: Uuid): Promise<void> {
  const options = ['--collect', '--quiet', `--unit=${unitOf(job)}`, '--setenv=LIBVIRT_DEFAULT_URI=qemu:///system']
  const timer = [`--on-active=${THAW_AFTER_SECONDS}`, '--timer-property=AccuracySec=500ms']
  await expectZero(shell, ['systemd-run', ...options, ...timer, '--', 'virsh', 'domfsthaw', vm])
}

/** Safe to do again, also for a guard that there never was. */
export async function disarmThawGuard(shell: Shell, job: string): Promise<void> {
  await shell.run(['systemctl', 'stop', '--quiet', `${unitOf(job)}.timer`])
}
