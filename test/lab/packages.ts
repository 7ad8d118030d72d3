import { readFileSync } from 'node:fs'
import { LabError, must, run } from './run.ts'

/** What the machine that carries the lab needs; its own root file system is also that of the Debian 12 hosts. */
const machinePackages = [
  'qemu-system-x86',
  'qemu-utils',
  'libvirt-daemon-system',
  'libvirt-clients',
  'openssh-server',
  'openssh-client',
  'sudo',
  'systemd-container',
  'systemd-sysv',
  'dbus',
  'iproute2',
  'busybox-static',
  'cpio',
  'xz-utils',
  'lz4',
  'zstd',
  'mmdebstrap',
  'rsync',
  'e2fsprogs',
  'ovmf',
  'swtpm',
  'swtpm-tools',
  // For iscsi.test.ts: a server, and QEMU's driver.
  'tgt',
  'qemu-block-extra',
  // For mail.test.ts: a mail server, and certificates for it.
  'python3-aiosmtpd',
  'openssl'
]

/** What looking at the window needs beside that. */
export const BROWSER_PACKAGES = ['chromium', 'firefox-esr', 'fonts-dejavu-core']

/** What a clock that is not now needs. */
export const CLOCK_PACKAGES = ['faketime']

/** Installs what is missing with apt. Refuses, with the reason, where that cannot be done. */
export async function ensurePackages(
  say: (line: string) => void = () => undefined,
  more: readonly string[] = []
): Promise<void> {
  refuseForeignSystem()
  const missing = await missingPackages([...machinePackages, ...more])
  if (missing.length === 0) return
  const prefix = await rootPrefix()
  say(`installing ${missing.join(' ')}`)
  const env = { ...definedEnvironment(), DEBIAN_FRONTEND: 'noninteractive' }
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-y', '-q']
  await must([...apt, 'update'], { env, timeoutMs: 300_000 })
  await must([...apt, 'install', '--no-install-recommends', ...missing], { env, timeoutMs: 1_200_000 })
}

/** Fails unless this process may do what a lab needs: namespaces, mounts and control groups belong to root. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new LabError('a lab needs root: start it as root, or through the command line')
}

/** How to run a command as root from here: nothing to add as root, otherwise sudo without a password. */
export async function rootPrefix(): Promise<string[]> {
  if (process.getuid?.() === 0) return []
  const sudo = await run(['sudo', '-n', 'true']).catch(() => undefined)
  if (sudo?.exitCode === 0) return ['sudo', '-n']
  throw new LabError('a lab needs root: run this as root, or allow `sudo -n` for this user')
}

function refuseForeignSystem(): void {
  if (process.platform !== 'linux') throw new LabError(`a lab needs Debian Linux; this is ${process.platform}`)
  const release = readRelease()
  const family = `${/^ID=(.*)$/m.exec(release)?.[1] ?? ''} ${/^ID_LIKE=(.*)$/m.exec(release)?.[1] ?? ''}`
  if (!/\bdebian\b/.test(family)) throw new LabError(`a lab needs Debian or a relative; this is "${family.trim()}"`)
  if (process.arch !== 'x64') throw new LabError(`a lab needs an x86-64 machine; this is ${process.arch}`)
}

function readRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

async function missingPackages(wanted: readonly string[]): Promise<string[]> {
  const query = await run(['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted])
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0])
  )
  return wanted.filter((name) => !installed.has(name))
}

function definedEnvironment(): Record<string, string> {
  const pairs = Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return Object.fromEntries(pairs)
}
