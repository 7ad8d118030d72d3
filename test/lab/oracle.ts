import type { LabHost } from './host.ts'
import { sleep } from './run.ts'

/** How a host stood before a job: what must be so again when it is over. */
export interface Baseline {
  readonly vms: readonly VmState[]
  /** On disk, by images, points and what was kept aside; the file system itself is shared with the whole machine. */
  readonly usedBytes: number
  /** Each file of each complete point, with its checksum. */
  readonly points: ReadonlyMap<string, string>
}

export interface VmState {
  readonly uuid: string
  readonly state: string
  readonly liveDisks: string
  readonly definedDisks: string
  readonly chains: string
}

const SCRIPT = `
export LC_ALL=C
for vm in $(virsh -q list --all --uuid); do
  echo "VM $vm"
  echo "STATE $(virsh -q domstate $vm)"
  echo "LIVE $(virsh -q domblklist $vm | tr -s ' \\n' ' ')"
  echo "DEFINED $(virsh -q domblklist --inactive $vm 2>/dev/null | tr -s ' \\n' ' ')"
  chain=""
  for image in $(virsh -q domblklist $vm | awk '$2 ~ "^/" {print $2}'); do
    chain="$chain $(qemu-img info -U --backing-chain "$image" 2>/dev/null | awk '/^image:/ {print $2}' | tr '\\n' '<')"
  done
  echo "CHAIN $chain"
  case "$(virsh -q domstate $vm)" in "shut off") ;; *)
    echo "JOB $(virsh -q domjobinfo $vm | awk '/^Job type:/ {print $3}')"
    for disk in $(virsh -q domblklist $vm | awk '$2 ~ "^/" {print $1}'); do
      virsh -q blockjob $vm $disk | grep -v 'No current' | sed "s/^/BLOCKJOB $disk /"
    done
    if virsh -q qemu-agent-command $vm --timeout 1 '{"execute":"guest-fsfreeze-status"}' 2>/dev/null | grep -q frozen; then echo FROZEN; fi
  esac
done
find /var/lib/libvirt/images /srv -name '*.stillpoint-*' 2>/dev/null | sed 's/^/STRAY /'
ls -A /run/stillpoint 2>/dev/null | sed 's/^/RUN /'
systemctl list-units --all --plain --no-legend 'stillpoint-job-*' 'stillpoint-run-*' 'stillpoint-thaw-*' | sed 's/^/UNIT /'
ps -eo comm,args | grep -E '^(qemu-nbd|qemu-storage-da|qemu-img|flock|virtnbdbackup)' | sed 's/^/PROCESS /'
for store in /var/lib/stillpoint/points /srv/points; do
  [ -d $store ] || continue
  find $store -mindepth 2 -maxdepth 2 -type d ! -path '*/.incoming/*' | while read -r dir; do
    [ -e "$dir/manifest.json" ] || echo "HALF $dir"
  done
  find $store -mindepth 2 -maxdepth 2 -name '*.marks.json*' | while read -r marks; do
    [ -d "\${marks%.marks.json}" ] || echo "MARKS $marks"
  done
  find $store -mindepth 3 -type f ! -path '*/.incoming/*' -exec sha256sum {} + | sed 's/^/FILE /'
done
echo "USED $(du -scB1 /var/lib/libvirt/images /var/lib/stillpoint/points /var/lib/stillpoint/aside /srv 2>/dev/null | awk '/total/ {print $1}')"
`

async function look(host: LabHost): Promise<{ baseline: Baseline; leftovers: string[] }> {
  const lines = (await host.must(SCRIPT)).split('\n')
  const vms: VmState[] = []
  const points = new Map<string, string>()
  const leftovers: string[] = []
  let usedBytes = 0
  for (const line of lines) {
    const [word = '', ...rest] = line.split(' ')
    const text = rest.join(' ').trim()
    const vm = vms.at(-1)
    const set = (change: Partial<VmState>): void => {
      if (vm !== undefined) vms.splice(-1, 1, { ...vm, ...change })
    }
    if (word === 'VM') vms.push({ uuid: text, state: '', liveDisks: '', definedDisks: '', chains: '' })
    else if (word === 'STATE') set({ state: text })
    else if (word === 'LIVE') set({ liveDisks: text })
    else if (word === 'DEFINED') set({ definedDisks: text })
    else if (word === 'CHAIN') set({ chains: text })
    else if (word === 'JOB' && text !== 'None' && text !== '') leftovers.push(`libvirt job: ${text}`)
    else if (word === 'FILE') points.set(text.slice(66), text.slice(0, 64))
    else if (word === 'USED') usedBytes = Number(text)
    else if (['BLOCKJOB', 'FROZEN', 'STRAY', 'RUN', 'UNIT', 'PROCESS', 'HALF', 'MARKS'].includes(word))
      leftovers.push(line)
  }
  return { baseline: { vms, points, usedBytes }, leftovers }
}

export async function takeBaseline(host: LabHost): Promise<Baseline> {
  return (await look(host)).baseline
}

export interface OracleOptions {
  /** Bytes that may be missing afterwards: a new point, what a guest wrote. */
  readonly roomTaken?: number
  /** VMs that the test itself has changed. */
  readonly except?: readonly string[]
}

/**
 * What a job left that it must not leave, in words; empty if all invariants of a finished job hold. Units need a moment
 * to be collected, so it looks again for a few seconds before it complains.
 */
export async function leftoversOf(host: LabHost, before: Baseline, options: OracleOptions = {}): Promise<string[]> {
  for (let tries = 20; ; tries--) {
    const complaints = await complaintsNow(host, before, options)
    if (complaints.length === 0 || tries === 0) return complaints
    await sleep(250)
  }
}

async function complaintsNow(host: LabHost, before: Baseline, options: OracleOptions): Promise<string[]> {
  const { baseline: now, leftovers } = await look(host)
  const vms = before.vms
    .filter(({ uuid }) => options.except?.includes(uuid) !== true)
    .flatMap((vm) =>
      differences(
        vm,
        now.vms.find(({ uuid }) => uuid === vm.uuid)
      )
    )
  const points = [...before.points].flatMap(([path, sum]) =>
    now.points.get(path) === sum ? [] : [`changed or gone: ${path}`]
  )
  const missing = now.usedBytes - before.usedBytes - (options.roomTaken ?? 64 * 1024 * 1024)
  return [...leftovers, ...vms, ...points, ...(missing > 0 ? [`room lost: ${missing} bytes`] : [])]
}

function differences(before: VmState, now: VmState | undefined): string[] {
  if (now === undefined) return [`VM ${before.uuid} is gone`]
  const keys = ['state', 'liveDisks', 'definedDisks', 'chains'] as const
  return keys.flatMap((key) =>
    before[key] === now[key] ? [] : [`${key} of ${before.uuid}: was «${before[key]}», is «${now[key]}»`]
  )
}
