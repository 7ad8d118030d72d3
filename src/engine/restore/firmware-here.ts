import { readdir, readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseFirmwareDescriptor, type FirmwareBuild } from '../../libvirt/firmware-builds.ts'

/** What an administrator put there goes before what a package did, file by file. Source: QEMU's docs/interop/firmware.json. */
const FOLDERS = ['/etc/qemu/firmware', '/usr/share/qemu/firmware']

/** UEFI firmware of this host, the preferred first. `root` is another folder in tests. */
export async function firmwareHere(root = ''): Promise<FirmwareBuild[]> {
  const files = new Map<string, string>()
  for (const folder of FOLDERS)
    for (const name of await readdir(root + folder).catch(() => []))
      if (name.endsWith('.json') && !files.has(name)) files.set(name, `${root}${folder}/${name}`)
  const builds: FirmwareBuild[] = []
  for (const path of [...files.values()].sort((a, b) => basename(a).localeCompare(basename(b)))) {
    const build = parseFirmwareDescriptor(await readFile(path, 'utf8').catch(() => ''))
    if (build !== undefined) builds.push(build)
  }
  return builds
}

/** Firmware and variables of one build go together by their sizes. Undefined: there is no such file. */
export const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined
  )
