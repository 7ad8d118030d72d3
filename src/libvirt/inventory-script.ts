/**
 * One look at a host, for `sh -c SCRIPT sh MARK`. Nothing is put into this text: the mark comes as an argument, and all
 * that is read from the host and used again are UUIDs that look like ones. Names of VMs never reach a shell.
 *
 * - Sections begin with a line of the mark, a word, and for those of a VM its UUID. The mark cannot be guessed, so no
 *   VM's name or definition can forge one.
 * - virsh gets 40 VMs at a time, since one argument may have 128 KiB.
 * - What goes to the monitor of a QEMU (`domstats`, `domjobinfo`) may hang with that QEMU: it comes last, with a deadline
 *   of its own. `--nowait` passes over a VM that is busy.
 */
export const INVENTORY_SCRIPT = `
mark=$1
LC_ALL=C LIBVIRT_DEFAULT_URI=qemu:///system
export LC_ALL LIBVIRT_DEFAULT_URI
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
section df; timeout -s KILL 3 df -P -B 1
if ! command -v virsh >/dev/null; then section no-virsh; section end; exit 0; fi
section version; timeout -s KILL 15 virsh version 2>&1
section list
list=$(timeout -s KILL 15 virsh list --all --uuid 2>&1); status=$?
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
command_for() {
  case $1 in
    calm)
      printf 'echo %s state %s; domstate %s --reason; echo %s info %s; dominfo %s; echo %s xml %s; dumpxml %s; ' \\
        "$mark" "$2" "$2" "$mark" "$2" "$2" "$mark" "$2" "$2"
      printf 'echo %s snapshots %s; snapshot-list %s --name; echo %s checkpoints %s; checkpoint-list %s --name; ' \\
        "$mark" "$2" "$2" "$mark" "$2" "$2" ;;
    job) printf 'echo %s job %s; domjobinfo %s --rawstats; ' "$mark" "$2" "$2" ;;
    stats) printf 'echo %s stats %s; domstats %s --block --raw --nowait; ' "$mark" "$2" "$2" ;;
  esac
}
ask() {
  batch= count=0
  for uuid in $uuids; do
    batch="$batch$(command_for "$1" "$uuid")" count=$((count + 1))
    [ $count -lt 40 ] || { timeout -s KILL "$2" virsh "$batch"; batch= count=0; }
  done
  [ -z "$batch" ] || timeout -s KILL "$2" virsh "$batch"
}
echo
ask calm 15
ask job 3
ask stats 3
section end
`
