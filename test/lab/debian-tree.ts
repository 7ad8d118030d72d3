import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { archiveAddress } from './debian-packages.ts'
import { makeWhole } from './guest-assets.ts'
import { cacheFolder } from './places.ts'
import { must } from './run.ts'

const hostPackages = [
  'systemd-sysv',
  'dbus',
  'libpam-systemd',
  'openssh-server',
  'sudo',
  'iproute2',
  'qemu-system-x86',
  'qemu-utils',
  'libvirt-daemon-system',
  'libvirt-clients',
  'rsync',
  'e2fsprogs'
]

/** A minimal Debian 13 with libvirt, installed once from the archive that this machine's apt uses. */
export async function trixieTree(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder, 'trixie')
  if (!existsSync(folder)) {
    say('installing Debian 13 for gamma: about a minute, once')
    await makeWhole(folder, installTrixie)
  }
  return folder
}

async function installTrixie(target: string): Promise<void> {
  const archive = await archiveAddress()
  const settings = ['--variant=minbase', '--mode=root', '--quiet', `--include=${hostPackages.join(',')}`]
  const source = `deb ${archive} trixie main`
  await must(['mmdebstrap', ...settings, 'trixie', target, source], { timeoutMs: 900_000 })
  rmSync(join(target, 'var/cache/apt'), { recursive: true, force: true })
  writeFileSync(join(target, 'etc/apt/sources.list'), '')
}
