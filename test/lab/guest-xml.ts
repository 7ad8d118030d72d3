import { guestFolder } from './root-tree.ts'

export interface GuestOptions {
  readonly name: string
  /** Default: random. */
  readonly uuid?: string | undefined
  /** Default: 256. */
  readonly ramMiB?: number | undefined
  /** Default: 1. */
  readonly vcpus?: number | undefined
  /** One or two disks with ext4. Default: 1. */
  readonly disks?: 1 | 2 | undefined
  /** Of each disk. Default: 64. */
  readonly diskMiB?: number | undefined
  /** Noise on the first disk, so that there is something to copy. Default: 0. */
  readonly fillerMiB?: number | undefined
  /** Default: qcow2. */
  readonly format?: 'qcow2' | 'raw' | undefined
  /** Where the images go on the host. Default: /var/lib/libvirt/images. */
  readonly imageFolder?: string | undefined
  /** Time between two ticks, without the work of one. Default: 200. At 25, a guest ticks about 30 times a second, which takes a fifth of a processor. */
  readonly tickMs?: number | undefined
  /** Rewrites so much RAM over and over at this rate. */
  readonly rewrite?: { readonly mib: number; readonly mibPerSecond: number } | undefined
  /** Writes checksummed records without pause and verifies them at boot and on request. */
  readonly checking?: boolean | undefined
  /** Runs qemu-guest-agent. */
  readonly agent?: boolean | undefined
  /** Plugs a network card into this libvirt network. Default: no card. */
  readonly network?: string | undefined
  /** Default: q35. */
  readonly machine?: string | undefined
  /** An image of this machine with a system of its own, which boots from its first disk instead of ticking. */
  readonly system?: string | undefined
  /** More devices, as libvirt XML. */
  readonly devicesXml?: string | undefined
}

export interface GuestDisk {
  readonly target: string
  readonly path: string
  readonly format: 'qcow2' | 'raw'
}

/** Where a guest of this UUID writes its serial port on whatever host it runs. */
export const serialLog = (uuid: string) => `/var/log/stillpoint-guest/${uuid}.log`

/** Images are named by UUID: a guest's name may be anything. */
export function guestDisks(uuid: string, options: GuestOptions): GuestDisk[] {
  const format = options.format ?? 'qcow2'
  const folder = options.imageFolder ?? '/var/lib/libvirt/images'
  const targets = options.disks === 2 ? ['vda', 'vdb'] : ['vda']
  return targets.map((target) => ({ target, format, path: `${folder}/${uuid}-${target}.${format}` }))
}

export function guestXml(uuid: string, options: GuestOptions): string {
  return `<domain type='qemu'>
  <name>${escapeXml(options.name)}</name>
  <uuid>${uuid}</uuid>
  <memory unit='MiB'>${options.ramMiB ?? 256}</memory>
  <vcpu>${options.vcpus ?? 1}</vcpu>
  <os>
    <type arch='x86_64' machine='${options.machine ?? 'q35'}'>hvm</type>
    <kernel>${guestFolder}/vmlinux</kernel>
    <initrd>${guestFolder}/initrd</initrd>
    <cmdline>${kernelCommandLine(options)}</cmdline>
  </os>
  <features><acpi/><apic/><tcg><tb-cache unit='MiB'>64</tb-cache></tcg></features>
  <devices>
${guestDisks(uuid, options).map(diskXml).join('\n')}
    <controller type='usb' model='none'/>
    <serial type='file'><source path='${serialLog(uuid)}' append='on'/><target port='0'/></serial>
    <serial type='pty'><target port='1'/></serial>
    ${options.agent ? agentXml : ''}
    ${options.network === undefined ? '' : networkXml(options.network)}
    ${options.devicesXml ?? ''}
    <memballoon model='none'/>
  </devices>
</domain>
`
}

const agentXml = `<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`

function networkXml(network: string): string {
  return `<interface type='network'><source network='${escapeXml(network)}'/><model type='virtio'/></interface>`
}

function diskXml({ target, path, format }: GuestDisk): string {
  return `    <disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='${escapeXml(path)}'/><target dev='${target}' bus='virtio'/></disk>`
}

function kernelCommandLine(options: GuestOptions): string {
  const { tickMs = 200, rewrite, checking, agent, system } = options
  const words = ['console=ttyS0', 'quiet', 'loglevel=3', 'mitigations=off', 'random.trust_cpu=on']
  words.push('no_timer_check') // which a machine that is busy with others does not stand
  words.push('cryptomgr.notests', 'rcupdate.rcu_expedited=1', 'lsm=', 'audit=0') // a quarter of a boot, emulated
  words.push('nolapic_timer') // to measure it takes a fifth of a boot
  if (system !== undefined) return [...words, 'sp.system=vda', 'systemd.show_status=0'].join(' ')
  words.push(`sp.tick=${tickMs}`)
  if (rewrite) words.push(`sp.rewrite=${rewrite.mib}:${rewrite.mibPerSecond}`)
  if (checking) words.push('sp.check=1')
  if (agent) words.push('sp.agent=1')
  return words.join(' ')
}

function escapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    "'": '&apos;',
    '"': '&quot;'
  }
  return text.replace(/[&<>'"]/g, (character) => named[character] ?? character)
}
