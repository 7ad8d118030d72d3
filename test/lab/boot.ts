import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { containerInit, identify, killAndWait, removeControlGroup, type ProcessIdentity } from './processes.ts'
import { LabError, run, waitFor } from './run.ts'

export interface BootedHost {
  /** systemd-nspawn, outside. */
  readonly supervisor: ProcessIdentity
  /** Process 1 of the host, by its number on this machine. */
  readonly init: ProcessIdentity
}

export interface BootPlan {
  readonly name: string
  readonly tree: string
  readonly namespace: string
  readonly consoleLog: string
  readonly onSupervisor: (supervisor: ProcessIdentity) => void
}

/** Boots a root with its own systemd. Answers as soon as its process 1 is there; see {@link waitUntilServing}. */
export async function bootTree(plan: BootPlan): Promise<BootedHost> {
  const group = controlGroup(plan.namespace)
  mkdirSync(group, { recursive: true })
  const supervisor = startSupervisor(plan, group)
  plan.onSupervisor(supervisor)
  const init = await waitFor(
    `process 1 of ${plan.name}`,
    () => {
      if (!identify(supervisor.pid)) throw new LabError(`${plan.name} did not boot, see ${plan.consoleLog}`)
      return containerInit(supervisor)
    },
    { everyMs: 20 }
  )
  return { supervisor, init }
}

/** Waits until a host's SSH server and libvirt answer. */
export async function waitUntilServing(name: string, address: string, init: ProcessIdentity): Promise<void> {
  await waitFor(`the SSH server of ${name}`, () => greeting(address), { everyMs: 50 })
  const question = [...insideOf(init), 'virsh', '-q', '-c', 'qemu:///system', 'uri']
  await waitFor(`libvirt on ${name}`, async () => ((await run(question)).exitCode === 0 ? true : undefined))
}

/** A command before which a program runs as root inside a host, with that host's idea of an environment. */
export function insideOf(init: ProcessIdentity): string[] {
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const namespaces = ['-t', String(init.pid), '-m', '-u', '-i', '-n', '-p', '-C']
  const environment = [`PATH=${path}`, 'HOME=/root', 'USER=root', 'LANG=C.UTF-8', 'TERM=dumb']
  return ['nsenter', ...namespaces, '-r', '-w', '--', 'env', '-i', '-C', '/root', ...environment]
}

/** Ends a host as a power cut does: with its process 1 everything in it dies at once. */
export async function crash(processes: readonly (ProcessIdentity | undefined)[], namespace: string): Promise<void> {
  for (const process of processes) if (process) await killAndWait(process)
  await removeLeftProcesses(namespace)
}

/** Kills what is still in a host's control group, also if nobody knows the pid of its process 1 any more. */
export async function removeLeftProcesses(namespace: string): Promise<void> {
  for (const root of groupRoots()) await removeControlGroup(join(root, namespace))
}

/** Removes what systemd-nspawn leaves in /run when it is killed. The tree must still be mounted. */
export function forgetContainer(namespace: string, tree: string): void {
  const { dev, ino } = statSync(tree)
  rmSync(`/run/systemd/nspawn/locks/inode-${dev}:${ino}`, { force: true })
  rmSync(`/run/systemd/nspawn/propagate/${namespace}`, { recursive: true, force: true })
}

/** Where control groups of version 2 and, for systemd's own bookkeeping, of version 1 are mounted. */
function groupRoots(): string[] {
  return ['/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup'].filter((path) =>
    existsSync(join(path, 'cgroup.procs'))
  )
}

function controlGroup(namespace: string): string {
  const [root = '/sys/fs/cgroup'] = groupRoots()
  return join(root, namespace)
}

function startSupervisor(plan: BootPlan, group: string): ProcessIdentity {
  const log = openSync(plan.consoleLog, 'a')
  const nspawn = ['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--boot', '-D', plan.tree]
  const settings = [
    `--machine=${plan.namespace}`,
    `--network-namespace-path=/run/netns/${plan.namespace}`,
    `--hostname=${plan.name}`,
    '--capability=CAP_NET_ADMIN',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=pipe'
  ]
  const enterGroup = `echo $$ > ${group}/cgroup.procs && exec "$@"`
  const child = spawn('sh', ['-c', enterGroup, 'sh', ...nspawn, ...settings], {
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      PATH: process.env['PATH'] ?? '',
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
      SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network'
    }
  })
  closeSync(log)
  child.unref()
  const supervisor = child.pid === undefined ? undefined : identify(child.pid)
  if (!supervisor) throw new LabError(`cannot start systemd-nspawn, see ${plan.consoleLog}`)
  return supervisor
}

function greeting(address: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22, timeout: 1000 })
    const end = (answer: true | undefined) => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', (data) => end(data.toString().startsWith('SSH-') ? true : undefined))
    socket.on('error', () => end(undefined))
    socket.on('timeout', () => end(undefined))
  })
}
