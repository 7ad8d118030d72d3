import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageBehind, unpackPackage } from './debian-packages.ts'
import { cacheFolder } from './places.ts'
import { LabError, must, run } from './run.ts'

const scriptFolder = fileURLToPath(new URL('guest/', import.meta.url))

/** Kernel and initramfs that every guest boots, as files on this machine; made once and again when a part changes. */
export async function guestFiles(say: (line: string) => void): Promise<readonly string[]> {
  const kernel = await kernelFolder(say)
  const agent = await agentFolder(say)
  const key = contentKey(kernel, agent)
  const folder = join(cacheFolder, `guest-${key}`)
  const files = [join(folder, 'vmlinux'), join(folder, 'initrd')]
  if (!files.every((file) => existsSync(file))) {
    say('building the initramfs of the guests')
    await makeWhole(folder, (unfinished) => buildGuestFiles(unfinished, kernel, agent))
  }
  return files
}

/** Builds a cache entry under another name first, so that what has its final name is complete. */
export async function makeWhole(folder: string, build: (unfinished: string) => Promise<void>): Promise<void> {
  mkdirSync(cacheFolder, { recursive: true })
  const unfinished = mkdtempSync(`${folder}.new-`)
  chmodSync(unfinished, 0o755)
  try {
    await build(unfinished)
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

async function kernelFolder(say: (line: string) => void): Promise<string> {
  const name = await packageBehind('linux-image-cloud-amd64')
  return unpackedPackage(name, say)
}

async function agentFolder(say: (line: string) => void): Promise<string> {
  return unpackedPackage('qemu-guest-agent', say)
}

async function unpackedPackage(name: string, say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder, `package-${name}`)
  if (!existsSync(folder)) {
    say(`fetching ${name}`)
    await makeWhole(folder, (unfinished) => unpackPackage(name, unfinished))
  }
  return folder
}

function contentKey(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  hash.update(readFileSync(fileURLToPath(import.meta.url)))
  for (const part of parts) hash.update(part)
  for (const script of readdirSync(scriptFolder).sort())
    hash.update(script).update(readFileSync(join(scriptFolder, script)))
  return hash.digest('hex').slice(0, 12)
}

async function buildGuestFiles(target: string, kernel: string, agent: string): Promise<void> {
  const root = join(target, 'root')
  for (const folder of ['bin', 'sbin', 'lib', 'lib64', 'guest', 'modules', 'etc/acpi/PWRF'])
    mkdirSync(join(root, folder), { recursive: true })
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  symlinkSync('busybox', join(root, 'bin/sh'))
  for (const script of readdirSync(scriptFolder)) copyFileSync(join(scriptFolder, script), join(root, 'guest', script))
  placeScript(root, 'init', 'init')
  placeScript(root, 'shutdown', 'sbin/shutdown')
  placeScript(root, 'freeze-hook', 'sbin/freeze-hook')
  placeScript(root, 'poweroff', 'etc/acpi/PWRF/00000080') // where busybox looks when the power button is pressed
  symlinkSync('../bin/busybox', join(root, 'sbin/hwclock')) // the agent sets the clock with this very path
  await copyModules(kernel, root)
  await copyProgram('/sbin/e2fsck', root)
  await copyProgram(join(agent, 'usr/sbin/qemu-ga'), root)
  const [image] = readdirSync(join(kernel, 'boot')).filter((name) => name.startsWith('vmlinuz-'))
  if (image === undefined) throw new LabError(`no kernel below ${kernel}`)
  await unpackKernel(join(kernel, 'boot', image), join(target, 'vmlinux'))
  await must(['sh', '-c', 'find . | cpio -o -H newc --quiet > ../initrd'], { cwd: root })
  rmSync(root, { recursive: true })
}

/** What a kernel may be packed with: how that begins, and what unpacks it. */
const PACKERS: readonly (readonly [string, string])[] = [
  ['02214c18', 'lz4'],
  ['28b52ffd', 'zstd'],
  ['fd377a58', 'xz'],
  ['1f8b08', 'gzip']
]

/**
 * A guest that emulates its processor takes long to unpack what this machine unpacks at once; QEMU starts a kernel that is
 * an ELF file too. Source: Documentation/arch/x86/boot.rst of the kernel (setup_sects, payload_offset, payload_length).
 */
async function unpackKernel(image: string, target: string): Promise<void> {
  const packed = readFileSync(image)
  const begin = (packed.readUInt8(0x1f1) + 1) * 512 + packed.readUInt32LE(0x248)
  const payload = packed.subarray(begin, begin + packed.readUInt32LE(0x24c))
  const [, program] = PACKERS.find(([magic]) => payload.subarray(0, 8).toString('hex').startsWith(magic)) ?? []
  if (program === undefined) throw new LabError(`${image} is packed in a way that the lab does not know`)
  // Four bytes with its size follow what is packed; gzip has them as its own.
  const file = `${target}.packed`
  writeFileSync(file, program === 'gzip' ? payload : payload.subarray(0, -4))
  await must(['sh', '-c', `${program} -dc < "$1" > "$2"`, 'sh', file, target])
  rmSync(file)
}

function placeScript(root: string, script: string, place: string): void {
  writeFileSync(join(root, place), readFileSync(join(scriptFolder, script)), { mode: 0o755 })
}

async function copyModules(kernel: string, root: string): Promise<void> {
  const all = (
    await must(
      ['find', join(kernel, 'lib/modules'), join(kernel, 'usr/lib/modules'), '-name', '*.ko*', '-print'].filter(
        (path) => !path.startsWith('/') || existsSync(path)
      )
    )
  ).split('\n')
  for (const name of readFileSync(join(scriptFolder, 'modules'), 'utf8').split('\n').filter(Boolean)) {
    const file = all.find((path) => /^(.*)\.ko(\.xz)?$/.exec(basename(path))?.[1] === name)
    if (file === undefined) throw new LabError(`the kernel has no module ${name}`)
    const unpack = file.endsWith('.xz') ? `xz -dc "$1" > "$2"` : `cp "$1" "$2"`
    await must(['sh', '-c', unpack, 'sh', file, join(root, 'modules', `${name}.ko`)])
  }
}

/** A program of this machine with the libraries that it asks for. */
async function copyProgram(file: string, root: string): Promise<void> {
  copyFileSync(file, join(root, 'sbin', basename(file)))
  const listed = await run(['ldd', file])
  if (/not found/.test(listed.stdout)) throw new LabError(`${file} lacks libraries on this machine:\n${listed.stdout}`)
  for (const [, library = ''] of listed.stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(/gm)) {
    const folder = basename(library).startsWith('ld-linux') ? 'lib64' : 'lib'
    copyFileSync(library, join(root, folder, basename(library)))
  }
}
