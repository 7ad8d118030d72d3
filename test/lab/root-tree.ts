import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { must } from './run.ts'

/** Where a host's files are on the machine that carries the lab. */
export interface HostFolders {
  readonly lower: string
  readonly upper: string
  readonly work: string
  /** The host's root as it sees it, while nothing is mounted over it from inside. */
  readonly tree: string
}

export interface TreeContents {
  readonly hostname: string
  readonly authorizedKey: string
  /** All hosts of the lab, so that they know one another by name. */
  readonly addresses: Readonly<Record<string, string>>
  readonly qemuUser: QemuUser
  /** Kernel and initramfs for guests, copied to `guestFolder`. */
  readonly guestFiles: readonly string[]
  /** Folders of the machine that no host may see. */
  readonly hidden: readonly string[]
}

export const guestFolder = '/usr/share/stillpoint-guest'

/** What a Debian root holds; anything else on the machine's top level stays hidden from the hosts. */
const ordinaryRoots =
  'bin boot dev etc home lib lib32 lib64 libx32 media mnt opt proc root run sbin srv sys tmp usr var'

/** Folders that a host begins with as good as empty, with their modes. */
const freshFolders: readonly (readonly [string, number])[] = [
  ['/boot', 0o755],
  ['/etc/libvirt/qemu', 0o755],
  ['/etc/ssh', 0o755],
  ['/etc/sudoers.d', 0o750],
  ['/etc/systemd/system', 0o755],
  ['/home', 0o755],
  ['/media', 0o755],
  ['/mnt', 0o755],
  ['/opt', 0o755],
  ['/root', 0o700],
  ['/srv', 0o755],
  ['/tmp', 0o1777],
  ['/usr/local', 0o755],
  ['/var/lib/libvirt', 0o755],
  ['/var/lib/systemd', 0o755],
  ['/var/log', 0o755],
  ['/var/tmp', 0o1777]
]

/** No host has these: the product brings what it needs, and the machine's own state is none of the hosts' business. */
const absentFiles = [
  '/etc/machine-id',
  '/etc/resolv.conf',
  '/etc/fstab',
  '/usr/bin/node',
  '/usr/bin/nodejs',
  '/usr/bin/npm',
  '/usr/bin/npx',
  '/var/lib/stillpoint',
  '/var/lib/dbus/machine-id'
]

/** Makes a root for a host out of a lower tree that stays as it is. Whatever an earlier root held is gone. */
export async function buildTree(folders: HostFolders, contents: TreeContents): Promise<void> {
  for (const folder of [folders.upper, folders.work]) rmSync(folder, { recursive: true, force: true })
  for (const folder of [folders.upper, folders.work, folders.tree]) mkdirSync(folder, { recursive: true })
  await hideLowerFiles(folders, contents.hidden)
  await mountTree(folders)
  for (const [path, mode] of freshFolders) makeFolder(folders.tree, path, mode)
  writeIdentity(folders.tree, contents)
  makeLibvirtFolders(folders.tree)
  writeFileSync(join(folders.tree, QEMU_SETTINGS), qemuSettings(contents.qemuUser))
  for (const file of contents.guestFiles)
    cpSync(file, join(folders.tree, guestFolder, file.slice(dirname(file).length)))
  await writeSshServer(folders.tree)
  await addUsers(folders.tree, contents.authorizedKey)
  const present = units.filter((unit) => existsSync(join(folders.tree, 'lib/systemd/system', unit)))
  await must(['systemctl', '--quiet', `--root=${folders.tree}`, 'enable', ...present])
}

/** Mounts the root of a host, also one that was switched off and is to find its disk as it left it. */
export async function mountTree({ lower, upper, work, tree }: HostFolders): Promise<void> {
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},index=off,xino=off`
  await must(['mount', '-t', 'overlay', 'stillpoint-lab', '-o', options, tree])
}

/** What a host starts; a Debian may lack some of them. */
const units = [
  'ssh.service',
  'libvirtd.service',
  'libvirtd.socket',
  'libvirtd-ro.socket',
  'libvirtd-admin.socket',
  'virtlogd.socket',
  'virtlockd.socket'
]

/** Hides by whiteouts, laid down before the mount: much faster than removing whole folders through it. */
async function hideLowerFiles({ lower, upper }: HostFolders, hidden: readonly string[]): Promise<void> {
  const known = ordinaryRoots.split(' ')
  const strangers = readdirSync(lower).filter((name) => !known.includes(name))
  const fresh = freshFolders.map(([path]) => path)
  const paths = [...strangers.map((name) => `/${name}`), ...fresh, ...absentFiles]
  const more = hidden.filter((path) => !paths.some((other) => path === other || path.startsWith(`${other}/`)))
  for (const path of [...paths, ...more]) {
    if (!existsSync(join(lower, path))) continue
    copyParents({ lower, upper }, dirname(path))
    await must(['mknod', join(upper, path), 'c', '0', '0'])
  }
}

/** Folders above a whiteout, with the owner and mode that they have below. */
function copyParents({ lower, upper }: Pick<HostFolders, 'lower' | 'upper'>, path: string): void {
  if (existsSync(join(upper, path))) return
  copyParents({ lower, upper }, dirname(path))
  const { mode, uid, gid } = statSync(join(lower, path))
  mkdirSync(join(upper, path))
  chmodSync(join(upper, path), mode & 0o7777)
  chownSync(join(upper, path), uid, gid)
}

function makeFolder(tree: string, path: string, mode: number): void {
  mkdirSync(join(tree, path), { recursive: true })
  chmodSync(join(tree, path), mode)
}

function writeIdentity(tree: string, contents: TreeContents): void {
  const lines = Object.entries(contents.addresses).map(([name, address]) => `${address} ${name}\n`)
  const write = (path: string, text: string) => writeFileSync(join(tree, path), text)
  write('/etc/machine-id', `${randomUUID().replaceAll('-', '')}\n`)
  write('/etc/hostname', `${contents.hostname}\n`)
  // Without a name for itself and with a name server out of reach, a host waits ten seconds at every VM start.
  write('/etc/hosts', `127.0.0.1 localhost\n${lines.join('')}`)
  write('/etc/resolv.conf', '')
  write('/etc/fstab', '')
  write('/etc/stillpoint-lab', 'This host belongs to a lab and may be wiped at any time.\n')
  write('/etc/environment', '')
  makeFolder(tree, '/usr/local/bin', 0o755)
  makeFolder(tree, '/usr/local/sbin', 0o755)
  makeFolder(tree, '/var/log/journal', 0o755)
  makeFolder(tree, '/var/log/stillpoint-guest', 0o755)
  makeFolder(tree, guestFolder, 0o755)
}

function makeLibvirtFolders(tree: string): void {
  for (const folder of ['boot', 'images', 'qemu']) makeFolder(tree, `/var/lib/libvirt/${folder}`, 0o711)
  makeFolder(tree, '/var/log/libvirt/qemu', 0o755)
  makeFolder(tree, '/etc/libvirt/qemu/networks/autostart', 0o755)
}

/**
 * `stock`: as Debian ships it, to the letter: QEMU runs as `libvirt-qemu` in a mount namespace of its own, images are given
 * to it while a VM runs and given back after (dynamic ownership). `root`: QEMU may do everything, and nobody changes owners.
 */
export type QemuUser = 'stock' | 'root'

export const QEMU_SETTINGS = '/etc/libvirt/qemu.conf'

/** The sandbox asks for nothing special: what a stock host lacks here (AppArmor, control groups) libvirt does without. */
export function qemuSettings(user: QemuUser): string {
  if (user === 'stock') return ''
  const settings = ['security_driver = "none"', 'cgroup_controllers = []', 'namespaces = []', 'remember_owner = 0']
  return `${[...settings, 'user = "root"', 'group = "root"'].join('\n')}\n`
}

/** A server of its own with a new key: a rebuilt host is a stranger to those who knew the old one. */
async function writeSshServer(tree: string): Promise<void> {
  const key = join(tree, '/etc/ssh/ssh_host_ed25519_key')
  await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
  const settings = [
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM yes',
    'UseDNS no',
    'PrintMotd no',
    'AcceptEnv LANG LC_*',
    'Subsystem sftp /usr/lib/openssh/sftp-server'
  ]
  writeFileSync(join(tree, '/etc/ssh/sshd_config'), `${settings.join('\n')}\n`)
}

/** `admin` may become root without a password, `nosudo` may not; both log in with the lab's key, and so does root. */
async function addUsers(tree: string, authorizedKey: string): Promise<void> {
  for (const user of ['admin', 'nosudo']) {
    await must(['chroot', tree, '/usr/sbin/useradd', '--create-home', '--shell', '/bin/bash', user])
    authorize(tree, `/home/${user}`, authorizedKey)
    await must(['chroot', tree, '/bin/chown', '-R', `${user}:${user}`, `/home/${user}`])
  }
  authorize(tree, '/root', authorizedKey)
  writeFileSync(join(tree, '/root/.profile'), '')
  const sudoers = join(tree, '/etc/sudoers.d/stillpoint-lab')
  writeFileSync(sudoers, 'admin ALL=(ALL:ALL) NOPASSWD: ALL\n', { mode: 0o440 })
}

function authorize(tree: string, home: string, authorizedKey: string): void {
  makeFolder(tree, join(home, '.ssh'), 0o700)
  writeFileSync(join(tree, home, '.ssh/authorized_keys'), authorizedKey, { mode: 0o600 })
}
