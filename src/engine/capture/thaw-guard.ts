import { jobUnit } from '../../shared/host-paths.ts'
import type { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import { expectZero } from '../expect-zero.ts'

/** Longer than the switch to overlays takes; a guest that waits longer is worse off than with a lesser point. */
const GRACE_SECONDS = 25

const guardOf = (job: string): string => `stillpoint-thaw-${job}.service`
const atOnceOf = (job: string): string => `stillpoint-thaw-${job}-now.service`

/**
 * For `sh -c SCRIPT sh VM GRACE JOB_UNIT`. Looks again and again, each time with a deadline, since libvirt waits as long as
 * an agent hangs. A guest that has been frozen for GRACE seconds is thawed. It ends when the VM runs no more, or when the
 * guest says that it is thawed and nobody will freeze it any more; never while it may be frozen.
 */
const GUARD = `
vm=$1 grace=$2 job=$3 since= wait=1
ask() { timeout -k 5 45 virsh "$@" 2>/dev/null; }
status() { ask qemu-agent-command "$vm" --timeout 5 --cmd '{"execute":"guest-fsfreeze-status"}'; }
job_is_over() { case $(systemctl is-active "$job") in inactive|failed|unknown) true ;; *) false ;; esac; }
[ "$grace" -eq 0 ] || sleep 1
while :; do
  if running=$(ask list --uuid); then case $running in *"$vm"*) ;; *) exit 0 ;; esac; fi
  now=$(cut -d. -f1 /proc/uptime)
  case $(status) in
    *'"frozen"'*)
      [ -n "$since" ] || since=$now
      if [ $((now - since)) -ge "$grace" ]; then
        ask domfsthaw "$vm"
        [ $wait -ge 10 ] || wait=$((wait + 1))
        [ $wait -gt 2 ] || continue
      fi ;;
    *'"thawed"'*)
      since=
      if [ "$grace" -eq 0 ] || job_is_over; then exit 0; fi ;;
  esac
  sleep $wait
done
`

/**
 * Has the host itself thaw the guest once it has been frozen for a while, whatever becomes of this process: also where it
 * is stopped and not killed, and nobody recovers.
 */
export const armThawGuard = (shell: Shell, job: string, vm: Uuid): Promise<void> =>
  startGuard(shell, guardOf(job), vm, GRACE_SECONDS, job)

/** Has the host thaw the guest as soon as its agent lets it, however long that takes. For a freeze that is over. */
export const thawSoon = (shell: Shell, job: string, vm: Uuid): Promise<void> =>
  startGuard(shell, atOnceOf(job), vm, 0, job)

async function startGuard(shell: Shell, unit: string, vm: Uuid, graceSeconds: number, job: string): Promise<void> {
  if ((await shell.run(['systemctl', 'is-active', '--quiet', unit])).exitCode === 0) return
  const environment = ['--setenv=LIBVIRT_DEFAULT_URI=qemu:///system', '--setenv=LC_ALL=C']
  const again = ['-p', 'Restart=on-failure', '-p', 'RestartSec=1', '-p', 'StartLimitIntervalSec=0']
  // systemd would put variables of its own in for a single $.
  const guard = ['/bin/sh', '-c', GUARD.replaceAll('$', '$$$$'), 'sh', vm, String(graceSeconds), jobUnit(job)]
  const options = ['--collect', '--quiet', `--unit=${unit}`, ...environment, ...again]
  await expectZero(shell, ['systemd-run', ...options, '--', ...guard])
}

/** Safe to do again, also for a guard that there never was. */
export async function disarmThawGuard(shell: Shell, job: string): Promise<void> {
  await shell.run(['systemctl', 'stop', '--quiet', guardOf(job), atOnceOf(job)])
}
