import type { Element } from '@xmldom/xmldom'
import { elementsIn, parseXml } from '../../src/libvirt/xml.ts'

/** A VM as libvirt of a host has it, each thing in libvirt's own words. */
export interface VmState {
  readonly uuid: string
  readonly name: string
  readonly state: string
  /** Why it is in that state: `booted`, `user`, `crashed` ... */
  readonly reason: string
  readonly persistent: string
  readonly autostart: string
  readonly managedSave: string
  /** libvirt's number of this run, `-` while it is off; and the boot of its host, since libvirt counts anew with each. */
  readonly runId: string
  /** Disks and media as they are now, and as they are after the next start. */
  readonly liveDisks: readonly string[]
  readonly definedDisks: readonly string[]
  readonly snapshots: readonly string[]
  readonly currentSnapshot: string
  readonly checkpoints: readonly string[]
  /** The definitions, one device a line; see {@link definitionLines}. */
  readonly liveDefinition: readonly string[]
  readonly definition: readonly string[]
}

/** A file in a folder that holds images, firmware variables or saved RAM. */
export interface SeenFile {
  readonly inode: string
  readonly mode: string
  /** User and group. With dynamic ownership another one while a VM runs on it. */
  readonly owner: string
}

/** All that the oracle wants to know of a host, read at one moment. */
export interface HostLook {
  readonly vms: readonly VmState[]
  /** Each image that a VM names, with all images below it: top first. Empty: it cannot be read. */
  readonly chains: ReadonlyMap<string, readonly string[]>
  /** Every file in the folders of images and libvirt's own folders, by path. */
  readonly files: ReadonlyMap<string, SeenFile>
  /** Name, state, autostart and persistence of each network. */
  readonly networks: readonly string[]
  /** Each file of each complete point, with its checksum. */
  readonly points: ReadonlyMap<string, string>
  /** On disk, by images, points and what was kept aside; the file system itself is shared with the whole machine. */
  readonly usedBytes: number
  /** What no finished job leaves, wherever it comes from: jobs, overlays, units, processes, half points. */
  readonly traces: readonly string[]
}

/**
 * One script for all of it. virsh is started three times only, and a point's file is hashed again only if its inode, size or
 * times (of its content or its inode) have changed since the last look: even a test that puts them back changes the last.
 * Arguments: folders that held images at the baseline.
 */
export const LOOK_SCRIPT = `
export LC_ALL=C LIBVIRT_DEFAULT_URI=qemu:///system
uuids=$(virsh -q list --all --uuid) || exit 1
echo @@BOOT; cat /proc/sys/kernel/random/boot_id
part() { printf "; echo '\\n@@%s\\n'; " "$1"; }
questions="$(part NETWORKS)net-list --all"
for vm in $uuids; do
  questions+="$(part "VM $vm")dominfo $vm$(part STATE)domstate --reason $vm$(part "JOB $vm")domjobinfo $vm"
  questions+="$(part LIVE)domblklist --details $vm$(part DEFINED)domblklist --inactive --details $vm"
  questions+="$(part SNAPSHOTS)snapshot-list --parent $vm$(part CURRENT)snapshot-current --name $vm"
  questions+="$(part CHECKPOINTS)checkpoint-list --parent $vm"
  questions+="$(part XML)dumpxml $vm$(part NEXT)dumpxml --inactive --security-info $vm"
done
answers=$(virsh -q "$questions" 2>/dev/null) # what fails says nothing: no current snapshot, no job in a VM that is off
echo "$answers"

questions=
while read -r vm disk; do questions+="$(part "BLOCKJOB $vm $disk")blockjob $vm $disk"; done < <(awk '
  /^@@/ {part = $1} /^@@VM/ {vm = $2; off = 0} /^State: *shut off/ {off = 1}
  part == "@@LIVE" && !off && $4 ~ "^/" {print vm, $3}' <<<"$answers")
for vm in $(awk '/^@@VM/ {vm = $2} /^Managed save: *yes/ {print vm}' <<<"$answers"); do
  questions+="$(part "SAVED $vm")managedsave-dumpxml $vm"
done
for vm in $(awk '/^@@VM/ {vm = $2; runs = 0} /^State: *running/ {runs = 1}
  /org.qemu.guest_agent.0.*state=.connected/ && runs {print vm}' <<<"$answers" | sort -u); do
  questions+="$(part "FREEZE $vm")qemu-agent-command $vm --timeout 5 {\\\\\\"execute\\\\\\":\\\\\\"guest-fsfreeze-status\\\\\\"}"
done
[ -z "$questions" ] || virsh -q "$questions" 2>/dev/null

images=$(awk '/^@@/ {part = $1}
  (part == "@@LIVE" || part == "@@DEFINED") && $4 ~ "^/" {sub(/^ *[^ ]+ +[^ ]+ +[^ ]+ +/, ""); print}' <<<"$answers" | sort -u)
chain() { # on one line, so that several may print at a time
  below=$(qemu-img info -U --backing-chain -- "$1" 2>/dev/null | sed -n 's/^image: //p' | tr '\\n' '\\t')
  printf '%s\\t|\\t%s\\n' "$1" "$below"
}
echo; echo @@CHAINS
chains=$(while read -r image; do [ -z "$image" ] || chain "$image" & done <<<"$images"; wait)
echo "$chains"

# libvirt's own folders, those of all images, and those that the caller knows.
libvirt=/var/lib/libvirt
folders=$({
  printf '%s\\n' $libvirt/images $libvirt/qemu/nvram $libvirt/qemu/save $libvirt/qemu/snapshot "$@"
  tr '\\t' '\\n' <<<"$chains" | sed -n 's|^\\(/.*\\)/[^/]*$|\\1|p'
} | grep -vE '^(/dev|/proc|/sys|/run)(/|$)|^$' | sort -u | while read -r folder; do [ -d "$folder" ] && echo "$folder"; done)
mapfile -t folders <<<"$folders"
echo @@FILES
find -- "\${folders[@]}" -maxdepth 1 ! -type d -printf '%i %m %u:%g %p\\n'
tr '\\t' '\\n' <<<"$chains" | grep '^/' | sort -u | while read -r image; do stat -Lc '%i %a %U:%G %n' -- "$image" 2>/dev/null; done

stores=$({
  printf '%s\\n' /var/lib/stillpoint/points /srv/points
  grep -o '"/[^"]*"' /var/lib/stillpoint/stores.json 2>/dev/null | tr -d '"'
  find /srv /mnt /media -maxdepth 4 -name .stillpoint-store.json -printf '%h\\n'
} | sort -u | while read -r store; do [ -d "$store" ] && echo "$store"; done)
known=/run/stillpoint-lab-hashes
touch $known
echo @@TRACES
find $libvirt /srv /mnt /media "\${folders[@]}" -maxdepth 6 ! -name .stillpoint-store.json \\
  \\( -name '*.stillpoint*' -o -regextype posix-extended -regex '.*/[^/]+\\.[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}' \\) -printf 'STRAY %p\\n' | sort -u
find /run/stillpoint -mindepth 1 -printf 'RUN %P\\n' 2>/dev/null
find /tmp /var/tmp /dev/shm -maxdepth 1 -name '*stillpoint*' -printf 'TEMPORARY %p\\n'
{
  systemctl list-units --all --plain --no-legend 'stillpoint-*'
  find /etc/systemd/system /run/systemd/system /run/systemd/transient -maxdepth 1 -name 'stillpoint-*' -printf '%f file\\n'
} | grep -vE '^stillpoint-(policy-.*|tell)\\.(timer|service) ' |
  grep -vE '^stillpoint-(recover|watch)\\.(timer|service) +(file|loaded +inactive)' | sed 's/^/UNIT /'
ps -eo comm,args | grep -E '^(qemu-nbd|qemu-storage-da|qemu-img|flock|virtnbdbackup)' | sed 's/^/PROCESS /'
find /proc/[0-9]*/fd \\( -lname '/run/stillpoint/*' -o -lname '*.stillpoint-*' \\) -printf 'OPEN %l by %h\\n' 2>/dev/null | sort -u
while read -r store; do
  [ -n "$store" ] || continue
  find "$store" -mindepth 2 -maxdepth 2 -type d ! -path '*/.incoming/*' ! -path '*/.trash/*' | while read -r dir; do
    [ -e "$dir/manifest.json" ] || echo "HALF $dir"
  done
  find "$store" -mindepth 2 -maxdepth 2 -name '*.marks.json*' | while read -r marks; do
    [ -d "\${marks%.marks.json}" ] || echo "MARKS $marks"
  done
done <<<"$stores"

echo @@POINTS
seen=$(while read -r store; do
  [ -n "$store" ] && find "$store" -mindepth 3 -type f ! -path '*/.incoming/*' -printf '%i/%s/%T@/%C@\\t%p\\n'
done <<<"$stores")
new=$(awk -F '\\t' 'NR == FNR {known[$1 "\\t" $3]; next} $0 != "" && !($0 in known)' $known - <<<"$seen")
[ -z "$new" ] || while IFS=$'\\t' read -r stamp path; do
  sum=$(cksum <"$path") && printf '%s\\t%s\\t%s\\n' "$stamp" "$sum" "$path"
done <<<"$new" >>$known
awk -F '\\t' 'NR == FNR {sum[$1 "\\t" $3] = $2; next} $0 != "" {print sum[$0] "\\t" $2}' $known - <<<"$seen"

echo @@USED
du -scB1 -- "\${folders[@]}" /var/lib/stillpoint/points /var/lib/stillpoint/aside /srv 2>/dev/null | awk '/total$/ {print $1}'
`

/** One part of the script's answer: its heading's words and its lines. */
interface Part {
  readonly heading: string
  /** What the heading is about: a VM, and perhaps a disk of it. */
  readonly about: readonly string[]
  readonly lines: readonly string[]
}

/** Understands what {@link LOOK_SCRIPT} printed. */
export function parseLook(answer: string): HostLook {
  const parts = partsOf(answer)
  const linesOf = (heading: string): readonly string[] => parts.find((part) => part.heading === heading)?.lines ?? []
  return {
    vms: parts.flatMap((part, at) => (part.heading === 'VM' ? [vmOf(part, parts.slice(at), linesOf('BOOT')[0])] : [])),
    chains: new Map(linesOf('CHAINS').map(chainOf)),
    files: new Map(linesOf('FILES').map(fileOf)),
    networks: linesOf('NETWORKS').map(oneSpaced),
    points: new Map(
      linesOf('POINTS').map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))])
    ),
    usedBytes: Number(linesOf('USED')[0] ?? 0),
    traces: [...linesOf('TRACES').map(oneSpaced), ...parts.flatMap(tracesIn)]
  }
}

/** What belongs to a VM names it in its heading, so that nothing depends on the order. */
function partsOf(answer: string): Part[] {
  const parts: { heading: string; about: string[]; lines: string[] }[] = []
  for (const line of answer.split('\n')) {
    const [heading = '', ...about] = line.slice(2).split(' ')
    if (line.startsWith('@@')) parts.push({ heading, about, lines: [] })
    else if (line.trim() !== '') parts.at(-1)?.lines.push(line)
  }
  return parts
}

function vmOf(info: Part, parts: readonly Part[], boot = ''): VmState {
  const [uuid = ''] = info.about
  const end = parts.findIndex((part, at) => at > 0 && part.heading === 'VM')
  const own = end < 0 ? parts : parts.slice(0, end)
  const linesOf = (heading: string): readonly string[] => own.find((part) => part.heading === heading)?.lines ?? []
  const said = (label: string): string =>
    info.lines
      .find((line) => line.startsWith(`${label}:`))
      ?.slice(label.length + 1)
      .trim() ?? ''
  const [, state = '', reason = ''] = /^(.*?)(?: \((.*)\))?$/.exec(linesOf('STATE')[0] ?? '') ?? []
  return {
    uuid,
    name: said('Name'),
    state,
    reason,
    persistent: said('Persistent'),
    autostart: said('Autostart'),
    managedSave: said('Managed save'),
    runId: `${said('Id')} ${boot}`,
    liveDisks: linesOf('LIVE').map(oneSpaced),
    definedDisks: linesOf('DEFINED').map(oneSpaced),
    snapshots: linesOf('SNAPSHOTS').map(oneSpaced).toSorted(),
    currentSnapshot: linesOf('CURRENT')[0] ?? '',
    checkpoints: linesOf('CHECKPOINTS').map(oneSpaced).toSorted(),
    liveDefinition: definitionLines(linesOf('XML').join('\n')),
    definition: definitionLines(linesOf('NEXT').join('\n'))
  }
}

function chainOf(line: string): [string, string[]] {
  const [image = '', below = ''] = line.split('\t|\t')
  return [image, below.split('\t').filter((path) => path !== '')]
}

function fileOf(line: string): [string, SeenFile] {
  const [inode = '', mode = '', owner = '', ...path] = line.split(' ')
  return [path.join(' '), { inode, mode, owner }]
}

/** What virsh says about a VM and a finished job does not leave. */
function tracesIn({ heading, about, lines }: Part): string[] {
  const text = lines.map(oneSpaced).join(', ')
  if (heading === 'BLOCKJOB')
    return lines.some((line) => !line.includes('No current')) ? [`BLOCKJOB ${about.join(' ')} ${text}`] : []
  if (heading === 'JOB') return text === '' || /Job type: None/.test(text) ? [] : [`JOB ${about.join(' ')} ${text}`]
  if (heading === 'FREEZE')
    return text.includes('"thawed"') ? [] : [`FREEZE ${about.join(' ')} ${text || 'its agent does not say'}`]
  if (heading === 'SAVED')
    return lines.filter((line) => OURS.test(line)).map((line) => `SAVED ${about.join(' ')} ${oneSpaced(line)}`)
  return []
}

/** In a name: an overlay or a staged file of ours, also one that libvirt named after a snapshot of ours. */
export const OURS = /\.stillpoint\b|\.\d{8}T\d{6}Z-[0-9a-f]{6}/

const oneSpaced = (line: string): string => line.trim().replace(/\s+/g, ' ')

/**
 * A definition in a form that libvirt's own rewriting does not change: devices in any order, no whitespace, nothing that
 * libvirt gives anew with each start or snapshot. One line for each device and each setting.
 */
export function definitionLines(xml: string): string[] {
  const root = xml.trim() === '' ? undefined : parseXml(xml, 'definition').documentElement
  if (root === undefined || root === null) return []
  const parts = elementsIn(root).flatMap((part) => (part.tagName === 'devices' ? elementsIn(part) : [part]))
  return parts.map(canonical).toSorted()
}

const GIVEN_ANEW: Readonly<Record<string, readonly string[]>> = {
  source: ['index'],
  backingStore: ['index'],
  // Of a channel: whether the guest's agent has begun to listen.
  target: ['state']
}

/** Of a terminal, whose number its host gives. */
const isTerminal = ({ name, value }: Pick<Attr, 'name' | 'value'>): boolean =>
  name === 'path' && /^\/dev\/pts\/\d+$/.test(value)

function canonical(element: Element): string {
  const attributes = [...element.attributes]
    .filter((attribute) => GIVEN_ANEW[element.tagName]?.includes(attribute.name) !== true && !isTerminal(attribute))
    .map(({ name, value }) => ` ${name}='${value}'`)
    .toSorted()
  const children = elementsIn(element).filter((child) => !isOwnAlias(child))
  const content = children.length > 0 ? children.map(canonical).toSorted().join('') : (element.textContent ?? '').trim()
  return `<${element.tagName}${attributes.join('')}>${content}</${element.tagName}>`
}

/** libvirt names devices for itself, and after a restart names some no more; names of the owner's begin with `ua-`. */
const isOwnAlias = (element: Element): boolean =>
  element.tagName === 'alias' && element.getAttribute('name')?.startsWith('ua-') !== true
