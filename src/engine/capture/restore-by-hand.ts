import { safeText } from '../../shared/safe-text.ts'
import { isMedium, type Manifest, type PointDisk } from '../../shared/model/point.ts'

/** `RESTORE.md`: how to bring this point back with nothing but virsh and qemu-img. Names of VMs stay out of the commands. */
export function restoreByHand(manifest: Omit<Manifest, 'files'>): string {
  const images = '/var/lib/libvirt/images'
  const disks = manifest.disks.map((disk) => ({
    ...disk,
    placed: `${images}/${manifest.id}-${disk.target}.${extension(disk.originalFormat)}`
  }))
  const convert = disks.map(
    (disk) => `qemu-img convert -p -f qcow2 -O ${extension(disk.originalFormat)} ${disk.file} ${disk.placed}`
  )
  const edits = disks.map((disk) => `   - ${disk.target}: \`<source file='${disk.placed}'/>\`${wasNoFile(disk)}`)
  const nvram =
    manifest.nvram === undefined
      ? []
      : [`   - firmware state: copy \`${manifest.nvram.file}\` to where \`<nvram>\` points`]
  return [
    '# Restoring this point without Stillpoint',
    '',
    `Taken ${manifest.takenAt} by method ${manifest.method}. VM UUID \`${manifest.vm.uuid}\`.`,
    'Run as root on the target host, in the folder of this file.',
    '',
    '1. Check that nothing has changed: compare `sha256sum` of each file with `manifest.json`.',
    '2. Copy the disks. Never let a VM write to the files of the point itself:',
    '',
    '   ```sh',
    ...convert.map((line) => `   ${line}`),
    '   ```',
    '',
    ...asItRan(manifest),
    '3. In a copy of `domain.xml` named `new.xml`, set these sources, keep an `<encryption>` that they hold, and remove every `<backingStore>`:',
    ...edits,
    ...nvram,
    ...(manifest.boot ?? []).map((boot) =>
      isMedium(boot)
        ? `   - medium: copy \`${boot.file}\` to \`${safeText(boot.originalPath)}\`, if nothing is there`
        : `   - ${boot.role}: copy \`${boot.file}\` to where \`<${boot.role}>\` points, if nothing is there`
    ),
    `4. \`virsh define new.xml\``,
    ...(manifest.memory === undefined ? startSteps() : resumeSteps(manifest.memory.file, manifest.vm.uuid)),
    ''
  ].join('\n')
}

function asItRan({ memory, stateBefore }: Pick<Manifest, 'memory' | 'stateBefore'>): string[] {
  if (memory !== undefined || stateBefore === 'shut off') return []
  return [
    '   `domain.xml` is how the VM would have started next, with all disks of this point; `running.xml` is how it ran.',
    ''
  ]
}

/** A disk that was a device or on a server comes back as a file. */
const wasNoFile = ({ originalType }: PointDisk): string =>
  originalType === 'file' ? '' : " in place of its old source and `<auth>`, and `type='file'` on `<disk>`"

const extension = (format: string): string => (format === 'raw' ? 'raw' : 'qcow2')

function startSteps(): string[] {
  return ['5. `virsh start` the VM. It boots as after a power cut.']
}

function resumeSteps(memory: string, uuid: string): string[] {
  return [
    '5. To go on where the VM was, with its RAM, give the RAM image the same paths:',
    '',
    '   ```sh',
    `   virsh save-image-dumpxml --security-info ${memory} > memory-new.xml   # then edit it as in step 3`,
    `   virsh restore ${memory} --xml memory-new.xml --running`,
    `   virsh domtime ${uuid} --sync   # if the guest agent runs`,
    '   ```',
    '',
    '   Or, for an ordinary boot from the same disks, `virsh start` it instead.'
  ]
}
