import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bootTree,
  crash,
  forgetContainer,
  insideOf,
  removeLeftProcesses,
  waitUntilServing,
  type BootedHost
} from './boot.ts'
import { defineGuest, findGuest, type Guest, type GuestOptions } from './guest.ts'
import {
  cableName,
  connectHost,
  disconnectHost,
  namespaceName,
  removeOwnLinks,
  setCable,
  type LabNetwork
} from './network.ts'
import { isAlive, type ProcessIdentity } from './processes.ts'
import {
  buildTree,
  mountTree,
  QEMU_SETTINGS,
  qemuSettings,
  type HostFolders,
  type QemuUser,
  type TreeContents
} from './root-tree.ts'
import { LabError, must, run, waitFor, type Outcome, type RunOptions } from './run.ts'

/** `machine`: the Debian of the machine that carries the lab. `trixie`: Debian 13. */
export type HostBase = 'machine' | 'trixie'

/** What a lab writes down about a host, for its other processes and for the clean-up after a crash. */
export interface HostNotes extends Partial<BootedHost> {
  readonly base: HostBase
  readonly address: string
  readonly hostKey: string
  readonly hostKeySha256: string
  readonly qemuUser: QemuUser
}

export interface HostSetting {
  readonly lab: string
  readonly network: LabNetwork
  readonly name: string
  readonly folder: string
  readonly identityFile: string
  /** The read-only tree below the host's own files. */
  readonly lower: string
  readonly contents: Omit<TreeContents, 'qemuUser'>
}

/** One host of a lab. Several processes may hold the same host: what changes is read anew from its notes. */
export class LabHost {
  readonly name: string
  readonly port = 22
  readonly user = 'root'
  readonly identityFile: string
  readonly #setting: HostSetting

  constructor(setting: HostSetting) {
    this.name = setting.name
    this.identityFile = setting.identityFile
    this.#setting = setting
  }

  get address(): string {
    return this.notes.address
  }

  get base(): HostBase {
    return this.notes.base
  }

  /** The server's public key as `known_hosts` has it: type and base64. */
  get hostKey(): string {
    return this.notes.hostKey
  }

  /** The fingerprint as OpenSSH prints it: `SHA256:` and base64 without padding. */
  get hostKeySha256(): string {
    return this.notes.hostKeySha256
  }

  /** The pid, on the lab's machine, of the host's process 1. Fails while the host is off. */
  get machinePid(): number {
    return this.#init().pid
  }

  get isOn(): boolean {
    const { init } = this.notes
    return init !== undefined && isAlive(init)
  }

  /** False if the lab's start was cut short before this host's root was complete. */
  get isMade(): boolean {
    return existsSync(this.#notesFile)
  }

  get notes(): HostNotes {
    if (!this.isMade) throw new LabError(`${this.name} was never completed: take the lab down, or up again`)
    return JSON.parse(readFileSync(this.#notesFile, 'utf8')) as HostNotes
  }

  /** The host's own disk, seen from the machine, also while it is off. Absolute links in it lead astray. */
  get tree(): string {
    return this.#folders.tree
  }

  /** What systemd of this host wrote on its console. */
  get consoleLog(): string {
    return join(this.#setting.folder, 'console.log')
  }

  /** Runs a program, or a bash script if given as one string, as root inside the host. A few milliseconds. */
  run(command: readonly string[] | string, options: RunOptions = {}): Promise<Outcome> {
    const argv = typeof command === 'string' ? ['bash', '-c', command] : command
    return run([...insideOf(this.#init()), ...argv], options)
  }

  /** As {@link run}, for what has to succeed; answers its stdout. */
  must(command: readonly string[] | string, options: RunOptions = {}): Promise<string> {
    const argv = typeof command === 'string' ? ['bash', '-c', command] : command
    return must([...insideOf(this.#init()), ...argv], options)
  }

  async writeFile(path: string, content: string | Uint8Array): Promise<void> {
    await this.must(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat > "$1"', 'sh', path], { stdin: content })
  }

  async readFile(path: string): Promise<string> {
    return this.must(['cat', '--', path])
  }

  /** A file system of its own and of exactly this size, for whatever should run full. */
  async mountSmall(path: string, sizeMiB: number, { knowsStores = false } = {}): Promise<void> {
    if (!knowsStores) await this.must('rm -f /var/lib/stillpoint/stores.json /var/lib/stillpoint/store-mounts.json')
    await this.must(['mkdir', '-p', '--', path])
    await this.must(['mount', '-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0755`, 'small', path])
  }

  async unmount(path: string): Promise<void> {
    await this.must(['umount', '--', path])
  }

  /** Makes a guest's disks and defines it; it is not started yet. */
  defineGuest(options: GuestOptions): Promise<Guest> {
    return defineGuest(this, options)
  }

  /** A guest that came here by another way, such as a restore. */
  guest(uuid: string): Promise<Guest> {
    return findGuest(this, uuid)
  }

  /** Builds the root from nothing and boots it. */
  async create(base: HostBase, address: string, qemuUser: QemuUser): Promise<void> {
    mkdirSync(this.#setting.folder, { recursive: true })
    await buildTree(this.#folders, { ...this.#setting.contents, qemuUser })
    const keyFile = join(this.tree, '/etc/ssh/ssh_host_ed25519_key.pub')
    const hostKey = readFileSync(keyFile, 'utf8').trim()
    const hostKeySha256 = (await must(['ssh-keygen', '-lf', keyFile])).split(' ')[1] ?? ''
    this.#write({ base, address, hostKey, hostKeySha256, qemuUser })
    await connectHost(this.#setting.lab, this.#setting.network, this.name, address)
    await this.powerOn()
    await this.must(startDefaultNetwork)
  }

  /** The same name and address with a fresh root and a new host key; whatever was on the old one is gone. */
  async rebuild(): Promise<void> {
    const { base, address, qemuUser } = this.notes
    await this.remove()
    await this.create(base, address, qemuUser)
  }

  /** As whom QEMU runs from the next start of a VM on. VMs that run go on as they are. */
  async runQemuAs(user: QemuUser): Promise<void> {
    if (this.notes.qemuUser === user) return
    await this.writeFile(QEMU_SETTINGS, qemuSettings(user))
    await this.must('systemctl restart libvirtd && virsh -q uri')
    this.#write({ ...this.notes, qemuUser: user })
  }

  /** Boots the root as it is and waits until SSH and libvirt answer. */
  async powerOn(): Promise<void> {
    if (this.isOn) return
    const { name, consoleLog } = this
    const { tree } = this.#folders
    if (!existsSync(join(tree, 'etc'))) await mountTree(this.#folders)
    const booted = await bootTree({
      name,
      tree,
      namespace: this.#namespace,
      consoleLog,
      onSupervisor: (supervisor) => this.#write({ ...withoutProcesses(this.notes), supervisor })
    })
    this.#write({ ...this.notes, ...booted })
    await waitUntilServing(name, this.address, booted.init)
  }

  /** Switches the host off. `hard` is a power cut: no process gets to say goodbye. */
  async powerOff(hard = false): Promise<void> {
    const { init, supervisor } = this.notes
    if (!hard && this.isOn) {
      await this.run(['systemctl', 'poweroff', '--no-block'])
      const gone = () => (supervisor && isAlive(supervisor) ? undefined : true)
      await waitFor(`${this.name} to shut down`, gone)
    }
    await crash([init, supervisor], this.#namespace)
    await removeOwnLinks(this.#setting.lab, this.name)
    this.#write(withoutProcesses(this.notes))
  }

  /** Crashes the host and boots it again from the same root. */
  async reset(): Promise<void> {
    await this.powerOff(true)
    await this.powerOn()
  }

  /** Pulls the network cable: connections hang, nobody is told. */
  cutNetwork(): Promise<void> {
    return setCable(this.#setting.network, this.name, 'down')
  }

  restoreNetwork(): Promise<void> {
    return setCable(this.#setting.network, this.name, 'up')
  }

  get isConnected(): boolean {
    const flags = `/sys/class/net/${cableName(this.#setting.network, this.name)}/flags`
    return existsSync(flags) && (Number(readFileSync(flags, 'utf8')) & 1) === 1
  }

  /** Takes away the host with everything on it. */
  async remove(): Promise<void> {
    const notes = this.isMade ? this.notes : undefined
    if (notes) await crash([notes.init, notes.supervisor], this.#namespace)
    else await removeLeftProcesses(this.#namespace)
    await disconnectHost(this.#setting.lab, this.#setting.network, this.name)
    if (existsSync(this.tree)) forgetContainer(this.#namespace, this.tree)
    if (existsSync(join(this.tree, 'etc'))) await must(['umount', this.tree])
    rmSync(this.#setting.folder, { recursive: true, force: true })
  }

  get #namespace(): string {
    return namespaceName(this.#setting.lab, this.name)
  }

  get #notesFile(): string {
    return join(this.#setting.folder, 'host.json')
  }

  get #folders(): HostFolders {
    const { folder, lower } = this.#setting
    return { lower, upper: join(folder, 'upper'), work: join(folder, 'work'), tree: join(folder, 'tree') }
  }

  #init(): ProcessIdentity {
    const { init } = this.notes
    if (!init || !isAlive(init)) throw new LabError(`${this.name} is off`)
    return init
  }

  #write(notes: HostNotes): void {
    writeFileSync(`${this.#notesFile}.new`, `${JSON.stringify(notes, undefined, 2)}\n`)
    renameSync(`${this.#notesFile}.new`, this.#notesFile)
  }
}

/** A network without a way out and without addresses: enough to plug guests in. */
const startDefaultNetwork = `
cat > /run/default-network.xml <<'XML'
<network><name>default</name><bridge name='virbr0' stp='off'/></network>
XML
virsh -q net-info default >/dev/null 2>&1 || virsh -q net-define /run/default-network.xml
virsh -q net-autostart default
virsh -q net-start default`

function withoutProcesses({ base, address, hostKey, hostKeySha256, qemuUser }: HostNotes): HostNotes {
  return { base, address, hostKey, hostKeySha256, qemuUser }
}
