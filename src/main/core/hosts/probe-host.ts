import { describeFailure } from '../../../shared/failure-words.ts'
import { failureOf } from '../../../shared/failure.ts'
import { formatBytes } from '../../../shared/format.ts'
import type { Inventory } from '../../../shared/model/host.ts'
import { shorten } from '../../../shared/safe-text.ts'
import type { Shell } from '../../../shared/shell.ts'
import { SESSION_VMS_FIX, sessionVmsText } from '../../../shared/session-vms.ts'
import { takeInventory } from '../../../libvirt/inventory.ts'

export interface ProbeItem {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'problem'
  readonly text: string
  readonly fix: string
}

export interface Probe {
  readonly items: readonly ProbeItem[]
  readonly inventory: Inventory | undefined
}

/** What every host must have; each with the package that brings it on Debian. */
const TOOLS: readonly (readonly [tool: string, install: string])[] = [
  ['virsh', 'libvirt-clients'],
  ['qemu-img', 'qemu-utils'],
  ['qemu-storage-daemon', 'qemu-system-common'],
  ['systemd-run', 'systemd'],
  ['sha256sum', 'coreutils'],
  ['gzip', 'gzip'],
  ['flock', 'util-linux']
]

/**
 * Arguments: tools. Says who we are, whether systemd runs the machine, how programs are installed, which flavour of libvirt's
 * daemons it has, which of these are not to be had, and which tools are missing. A daemon whose socket is active starts by itself.
 */
const LOOK = `
id -u
if [ -d /run/systemd/system ]; then echo systemd; else echo other; fi
for how in apt dnf zypper pacman; do command -v $how >/dev/null 2>&1 && break; how=; done
echo "\${how:-unknown}"
active() { systemctl is-active --quiet "$1.socket" || systemctl is-active --quiet "$1.service"; }
if active libvirtd; then echo libvirtd
elif active virtqemud; then
  echo virtqemud
  for daemon in virtnetworkd virtstoraged virtsecretd virtlogd; do active $daemon || echo "idle $daemon"; done
elif systemctl cat virtqemud.socket >/dev/null 2>&1 && ! systemctl cat libvirtd.service >/dev/null 2>&1; then echo virtqemud
else echo libvirtd
fi 2>/dev/null
for tool in "$@"; do command -v "$tool" >/dev/null 2>&1 || echo "missing $tool"; done
`

/** A checklist of what Stillpoint needs of a host. Changes nothing there. @throws only the connection's failures */
export async function probeHost(shell: Shell): Promise<Probe> {
  const { stdout } = await shell.run(['sh', '-c', LOOK, 'sh', ...TOOLS.map(([tool]) => tool)])
  const [uid = '', init = '', installer = '', daemon = '', ...lacking] = stdout.trim().split('\n')
  const inventory = await takeInventory(shell).catch((error: unknown) => failureOf(error))
  const seen = 'kind' in inventory ? undefined : inventory
  const items = [root(uid), systemd(init), ...tools(lacking, installer)]
  items.push(seen === undefined ? noLibvirt(inventory, daemon) : libvirt(seen), ...idleDaemons(lacking))
  if (seen !== undefined) items.push(room(seen), ...sessionVms(seen))
  return { items, inventory: seen }
}

const item = (check: string, state: ProbeItem['state'], text: string, fix = ''): ProbeItem => ({
  check,
  state,
  text,
  fix
})

const root = (uid: string): ProbeItem =>
  uid === '0'
    ? item('root', 'ok', 'commands run as root')
    : item(
        'root',
        'problem',
        `commands run as user ${shorten(uid, 40)}`,
        'Log in as root, or allow sudo without a password.'
      )

const systemd = (init: string): ProbeItem =>
  init === 'systemd'
    ? item('systemd', 'ok', 'systemd runs this host')
    : item(
        'systemd',
        'problem',
        'systemd does not run this host',
        'Jobs must go on without a connection, which needs systemd: such a host cannot be used.'
      )

function tools(lacking: readonly string[], installer: string): ProbeItem[] {
  const missing = TOOLS.filter(([tool]) => lacking.includes(`missing ${tool}`))
  if (missing.length === 0) return [item('tools', 'ok', 'all programs are there')]
  return missing.map(([tool, install]) =>
    item('tools', 'problem', `${tool} is missing`, installCommand(installer, tool, install))
  )
}

/** Where packages have other names than Debian's, the program itself names them. */
function installCommand(installer: string, tool: string, debian: string): string {
  if (installer === 'dnf' || installer === 'zypper') return `${installer} install /usr/bin/${tool}`
  if (installer === 'pacman') return `pacman -F ${tool} names the package; then pacman -S it`
  return `apt install ${debian}`
}

/** What each of libvirt's modular daemons is for. */
const DAEMONS: readonly (readonly [daemon: string, without: string])[] = [
  ['virtnetworkd', 'VMs on libvirt’s networks cannot be started or restored'],
  ['virtstoraged', 'disks that are volumes of a pool cannot be found'],
  ['virtsecretd', 'encrypted disks cannot be opened'],
  ['virtlogd', 'no VM can be started']
]

function idleDaemons(lacking: readonly string[]): ProbeItem[] {
  return DAEMONS.filter(([daemon]) => lacking.includes(`idle ${daemon}`)).map(([daemon, without]) =>
    item('libvirt', 'warning', `${daemon} is not there: ${without}`, `systemctl enable --now ${daemon}.socket`)
  )
}

function sessionVms({ sessionVms: vms }: Inventory): ProbeItem[] {
  const text = sessionVmsText(vms)
  return text === undefined ? [] : [item('session VMs', 'warning', text, SESSION_VMS_FIX)]
}

const libvirt = ({ libvirt, qemu, domains }: Inventory): ProbeItem =>
  item('libvirt', 'ok', `libvirt ${libvirt}, QEMU ${qemu}, ${domains.length} ${domains.length === 1 ? 'VM' : 'VMs'}`)

function noLibvirt(failure: Inventory | ReturnType<typeof failureOf>, daemon: string): ProbeItem {
  const { title, explanation } = 'kind' in failure ? describeFailure(failure) : { title: '', explanation: '' }
  return item(
    'libvirt',
    'problem',
    `libvirt does not answer: ${title}. ${explanation}`,
    daemon === 'virtqemud' ? 'systemctl enable --now virtqemud.socket' : 'systemctl status libvirtd'
  )
}

/** Jobs are services of the host. */
export const services = (obstacle: { readonly reason: string; readonly fix: string } | undefined): ProbeItem =>
  obstacle === undefined
    ? item('services', 'ok', 'systemd starts the engine')
    : item('services', 'problem', obstacle.reason, obstacle.fix)

const LITTLE_BYTES = 2 * 1024 ** 3

/** Of the file system that points go to unless told otherwise. */
function room({ space }: Inventory): ProbeItem {
  const own = [...space]
    .sort((a, b) => b.path.length - a.path.length)
    .find(({ path }) => '/var/lib/stillpoint/'.startsWith(path.endsWith('/') ? path : `${path}/`))
  if (own === undefined) return item('room', 'ok', 'room is checked before each backup')
  const text = `${formatBytes(own.freeBytes)} free for points`
  return own.freeBytes >= LITTLE_BYTES
    ? item('room', 'ok', text)
    : item('room', 'warning', text, 'Give backups another place: a store on a larger file system.')
}

export const isUsable = (probe: Probe): boolean => probe.items.every(({ state }) => state !== 'problem')
