import { randomFillSync } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { GuestDisk } from './guest-xml.ts'
import type { LabHost } from './host.ts'
import { must } from './run.ts'

/** Makes a disk with ext4 and puts it where the host's libvirt will find it, also on a file system mounted inside. */
export async function buildDisk(
  host: LabHost,
  disk: GuestDisk,
  { sizeMiB, fillerMiB }: { readonly sizeMiB: number; readonly fillerMiB: number }
): Promise<void> {
  const work = mkdtempSync(join(dirname(host.tree), 'disk-'))
  try {
    const content = join(work, 'content')
    const image = join(work, 'image')
    const target = join(`/proc/${host.machinePid}/root`, disk.path)
    mkdirSync(content)
    mkdirSync(dirname(target), { recursive: true })
    if (fillerMiB > 0) writeNoise(join(content, 'filler'), fillerMiB)
    await must(['mke2fs', '-q', '-F', '-t', 'ext4', '-L', disk.target, '-d', content, image, `${sizeMiB}M`])
    await must(['qemu-img', 'convert', '-q', '-f', 'raw', '-O', disk.format, image, target])
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Puts a finished image of this machine where the host's libvirt will find it. */
export async function copyDisk(host: LabHost, disk: GuestDisk, image: string): Promise<void> {
  const target = join(`/proc/${host.machinePid}/root`, disk.path)
  mkdirSync(dirname(target), { recursive: true })
  await must(['qemu-img', 'convert', '-q', '-f', 'qcow2', '-O', disk.format, image, target])
}

function writeNoise(path: string, sizeMiB: number): void {
  const file = openSync(path, 'w')
  const block = Buffer.alloc(1024 * 1024)
  for (let written = 0; written < sizeMiB; written++) writeSync(file, randomFillSync(block))
  closeSync(file)
}
