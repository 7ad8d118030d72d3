import { describeFailure } from '../../../shared/failure-words.ts'
import { failureOf } from '../../../shared/failure.ts'
import { formatBytes } from '../../../shared/format.ts'
import type { Inventory } from '../../../shared/model/host.ts'
import type { Shell } from '../../../shared/shell.ts'
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

/** Arguments: tools. Says who we are, whether systemd runs the machine, and which tools are missing. */
const LOOK = `
id -u
if [ -d /run/systemd/system ]; then echo systemd; else echo other; fi
for tool in "$@"; do command -v "$tool" >/dev/null 2>&1 || echo "missing $tool"; done
`

/** A checklist of what Stillpoint needs of a host. Changes nothing there. @throws only the connection's failures */
export async function probeHost(shell: Shell): Promise<Probe> {
  const { stdout } = await shell.run(['sh', '-c', LOOK, 'sh', ...TOOLS.map(([tool]) => tool)])
  const [uid = '', init = '', ...missing] = stdout.trim().split('\n')
  const inventory = await takeInventory(shell).catch((error: unknown) => failureOf(error))
  const seen = 'kind' in inventory ? undefined : inventory
  const items = [root(uid), systemd(init), ...tools(missing)]
  items.push(seen === undefined ? noLibvirt(inventory) : libvirt(seen), ...(seen === undefined ? [] : [room(seen)]))
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
    : item('root', 'problem', `commands run as user ${uid}`, 'Log in as root, or allow sudo without a password.')

const systemd = (init: string): ProbeItem =>
  init === 'systemd'
    ? item('systemd', 'ok', 'systemd runs this host')
    : item(
        'systemd',
        'problem',
        'systemd does not run this host',
        'Jobs must go on without a connection, which needs systemd: such a host cannot be used.'
      )

function tools(missing: readonly string[]): ProbeItem[] {
  const lacking = TOOLS.filter(([tool]) => missing.includes(`missing ${tool}`))
  if (lacking.length === 0) return [item('tools', 'ok', 'all programs are there')]
  return lacking.map(([tool, install]) => item('tools', 'problem', `${tool} is missing`, `apt install ${install}`))
}

const libvirt = ({ libvirt, qemu, domains }: Inventory): ProbeItem =>
  item('libvirt', 'ok', `libvirt ${libvirt}, QEMU ${qemu}, ${domains.length} ${domains.length === 1 ? 'VM' : 'VMs'}`)

function noLibvirt(failure: Inventory | ReturnType<typeof failureOf>): ProbeItem {
  const { title, explanation, nextStep } =
    'kind' in failure ? describeFailure(failure) : { title: '', explanation: '', nextStep: '' }
  return item(
    'libvirt',
    'problem',
    `libvirt does not answer: ${title}. ${explanation}`,
    nextStep === '' ? 'systemctl status libvirtd' : nextStep
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
