import { MISSING_DRIVERS_SCRIPT } from './block-drivers.ts'
import { SESSION_VMS_SCRIPT } from './session-vms.ts'

/**
 * One look at a host, for `sh -c SCRIPT sh MARK`. Nothing is put into this text: the mark comes as an argument, and all
 * that is read from the host and used again are UUIDs that look like ones. Names of VMs never reach a shell.
 *
 * - Sections begin with a line of the mark, a word, and for those of a VM its UUID. The mark cannot be guessed, so no
 *   VM's name or definition can forge one.
 * - virsh gets 100 VMs at a time, since one argument may have 128 KiB.
 * - What goes to the monitor of a QEMU (`domstats`, `domjobinfo`) may hang with that QEMU: it comes last, with a deadline
 *   of its own. `--nowait` passes over a VM that is busy.
 */
export const INVENTORY_SCRIPT = `
mark=$1
LC_ALL=C LIBVIRT_DEFAULT_URI=qemu:///system
export LC_ALL LIBVIRT_DEFAULT_URI
set -f
section() { printf '\\n%s %s\\n' "$mark" "$1"; }
section begin
section hostname; cat /proc/sys/kernel/hostname
section machine-id; cat /etc/machine-id
section boot-id; cat /proc/sys/kernel/random/boot_id
section os; cat /etc/os-release || cat /usr/lib/os-release
section architecture; uname -m
section cpus; getconf _NPROCESSORS_ONLN
section cpuinfo; grep -m 1 -i '^model name' /proc/cpuinfo
section meminfo; grep -E '^(MemTotal|MemAvailable):' /proc/meminfo
section loadavg; cat /proc/loadavg
section time-zone; readlink /etc/localtime || cat /etc/timezone
section df; timeout -s KILL 3 df -P -B 1
section session-vms${SESSION_VMS_SCRIPT}section missing-drivers${MISSING_DRIVERS_SCRIPT}if ! command -v virsh >/dev/null; then section no-virsh; section end; exit 0; fi
section version
first() { list=$(timeout -s KILL 10 virsh "version; echo $mark list; list --all --uuid" 2>&1); status=$?; }
first
# A libvirtd that was just ending for want of work is started anew for the next who comes.
case $list in *'Connection reset by peer'*|*'End of file'*) sleep 1; first ;; esac
printf '%s\\n' "$list"
section list-status; echo $status
[ $status -eq 0 ] || { section end; exit 0; }

uuids=
for word in $list; do
  case $word in
    *[!0-9a-f-]*) ;;
    ????????-????-????-????-????????????) uuids="$uuids $word" ;;
  esac
done
# No subshell for each VM: 150 of them cost more than all of virsh.
calm= job= stats= count=0
ask() {
  timeout -s KILL 15 virsh "$calm"
  timeout -s KILL 3 virsh "$job$stats"
  calm= job= stats= count=0
}
echo
for u in $uuids; do
  calm="\${calm}echo $mark state $u; domstate $u --reason; echo $mark info $u; dominfo $u; echo $mark xml $u; dumpxml $u; "
  calm="\${calm}echo $mark snapshots $u; snapshot-list $u --name; echo $mark checkpoints $u; checkpoint-list $u --name; "
  job="\${job}echo $mark job $u; domjobinfo $u --rawstats; "
  stats="\${stats}echo $mark stats $u; domstats $u --block --raw --nowait; "
  count=$((count + 1))
  [ $count -lt 100 ] || ask
done
[ $count -eq 0 ] || ask
section end
`
