/** Definitions that a point would reach a host with, as somebody would make them who wants to get out of a VM. */

export interface Hostile {
  readonly what: string
  /** Inside of `devices`, `os` and `domain`. */
  readonly devices?: string
  readonly os?: string
  readonly domain?: string
  /** Attributes of the root: what a prefix means. */
  readonly root?: string
  /**
   * What the operator would have to type for it; for one that libvirt's foreign elements hold, its beginning. Undefined: it
   * does not come through in any case, or the host's own takes its place.
   */
  readonly item?: string
}

const QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0'
const drive = (device: string, type: string, source: string): string =>
  `<disk type='${type}' device='${device}'><driver name='qemu' type='raw'/><source ${source}/><target dev='sdz' bus='sata'/></disk>`

/** Those of which it is known that they got through once. */
export const HOSTILE: readonly Hostile[] = [
  { what: 'a CD of /etc/shadow', devices: drive('cdrom', 'file', "file='/etc/shadow'"), item: 'read=/etc/shadow' },
  {
    what: 'a floppy of /etc/shadow',
    devices: drive('floppy', 'file', "file='/etc/shadow'"),
    item: 'write=/etc/shadow'
  },
  { what: 'a CD of a device', devices: drive('cdrom', 'block', "dev='/dev/null'"), item: 'read=/dev/null' },
  { what: 'a floppy of a device', devices: drive('floppy', 'block', "dev='/dev/null'"), item: 'write=/dev/null' },
  { what: 'a folder as FAT', devices: drive('floppy', 'dir', "dir='/etc'"), item: 'write=dir:/etc' },
  { what: 'a medium that is not there', devices: drive('cdrom', 'file', "file='/nowhere/a.iso'") },
  {
    what: 'a disk that is not in the point',
    devices: drive('disk', 'file', "file='/etc/shadow'"),
    item: 'write=/etc/shadow'
  },
  {
    what: 'a serial port into cron',
    devices: "<serial type='file'><source path='/etc/cron.d/x'/></serial>",
    item: 'write=/etc/cron.d/x'
  },
  {
    what: 'a console into cron',
    devices: "<console type='file'><source path='/etc/cron.d/x'/><target type='serial'/></console>",
    item: 'write=/etc/cron.d/x'
  },
  {
    what: 'the log of a port in cron',
    devices: "<serial type='pty'><log file='/etc/cron.d/x' append='on'/></serial>",
    item: 'write=/etc/cron.d/x'
  },
  {
    what: 'the root by virtiofs',
    devices: "<filesystem type='mount'><driver type='virtiofs'/><source dir='/'/><target dir='x'/></filesystem>",
    item: 'share=virtiofs:/'
  },
  {
    what: 'a program as file server',
    devices:
      "<filesystem type='mount'><driver type='virtiofs'/><binary path='/tmp/x'/><source dir='/'/><target dir='x'/></filesystem>",
    item: 'run=/tmp/x'
  },
  {
    what: 'the root by 9p',
    devices: "<filesystem type='mount'><source dir='/'/><target dir='x'/><readonly/></filesystem>",
    item: 'see=/'
  },
  {
    what: 'a PCI device',
    devices:
      "<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></hostdev>",
    item: 'device=pci:0000:01:00.0'
  },
  {
    what: 'a network script',
    devices: "<interface type='ethernet'><script path='/tmp/x'/></interface>",
    item: 'run=/tmp/x'
  },
  {
    what: 'a vhost-user socket',
    devices: "<interface type='vhostuser'><source type='unix' path='/run/x' mode='client'/></interface>",
    item: 'card=vhostuser:client:/run/x'
  },
  {
    what: 'the socket of another service',
    devices:
      "<channel type='unix'><source mode='connect' path='/run/docker.sock'/><target type='virtio' name='x'/></channel>",
    item: 'connect=/run/docker.sock'
  },
  {
    what: 'random numbers of /etc/shadow',
    devices: "<rng model='virtio'><backend model='random'>/etc/shadow</backend></rng>",
    item: 'read=/etc/shadow'
  },
  {
    what: 'memory of /etc/shadow',
    devices: "<memory model='nvdimm'><source><path>/etc/shadow</path></source></memory>",
    item: 'write=/etc/shadow'
  },
  { what: 'a kernel of /etc/shadow', os: '<kernel>/etc/shadow</kernel>', item: 'read=/etc/shadow' },
  { what: 'an initrd of /etc/shadow', os: '<initrd>/etc/shadow</initrd>', item: 'read=/etc/shadow' },
  { what: 'firmware of /etc/shadow', os: "<loader type='rom'>/etc/shadow</loader>", item: 'read=/etc/shadow' },
  { what: 'firmware variables in /etc/shadow', os: '<nvram>/etc/shadow</nvram>', item: 'write=/etc/shadow' },
  {
    what: 'firmware variables after /etc/shadow',
    os: "<nvram template='/etc/shadow'/>",
    item: 'read=/etc/shadow'
  },
  {
    what: 'an ACPI table of /etc/shadow',
    os: "<acpi><table type='slic'>/etc/shadow</table></acpi>",
    item: 'read=/etc/shadow'
  },
  { what: 'no security label', domain: "<seclabel type='none' model='apparmor'/>", item: 'label=apparmor:none' },
  {
    what: 'root as user of QEMU',
    domain: "<seclabel type='static' model='dac' relabel='yes'><label>+0:+0</label></seclabel>",
    item: 'label=dac:static:label +0:+0'
  },
  { what: 'a program for QEMU', devices: '<emulator>/bin/sh</emulator>', item: 'emulator=/bin/sh' },
  {
    what: 'VNC to everybody',
    devices: "<graphics type='vnc' port='5999' listen='0.0.0.0'/>",
    item: 'listen=vnc:0.0.0.0'
  },
  {
    what: 'the keyboard',
    devices: "<input type='evdev'><source dev='/dev/input/event0'/></input>",
    item: 'device=input:/dev/input/event0'
  },
  {
    what: 'memory of other VMs',
    devices: "<shmem name='x'><model type='ivshmem-plain'/></shmem>",
    item: 'device=shared memory:x'
  },
  {
    what: 'TPM state elsewhere',
    devices: "<tpm model='tpm-crb'><backend type='emulator'><source type='dir' path='/etc'/></backend></tpm>",
    item: 'tpm=emulator:/etc'
  },
  {
    what: 'a database of smartcards',
    devices:
      "<smartcard mode='host-certificates'><certificate>a</certificate><certificate>b</certificate><certificate>c</certificate><database>/etc</database></smartcard>",
    item: 'read=/etc'
  },
  {
    what: 'arguments for QEMU',
    root: `xmlns:qemu='${QEMU}'`,
    domain: "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>",
    item: 'qemu-commandline=#'
  },
  {
    what: 'arguments for QEMU by another prefix',
    root: `xmlns:q='${QEMU}'`,
    domain: "<q:commandline><q:arg value='-S'/></q:commandline>",
    item: 'qemu-commandline=#'
  },
  {
    what: 'arguments for QEMU without a prefix',
    domain: `<commandline xmlns='${QEMU}'><arg value='-S'/></commandline>`,
    item: 'qemu-commandline=#'
  },
  {
    what: 'properties of QEMU devices',
    root: `xmlns:q='${QEMU}'`,
    domain:
      "<q:override><q:device alias='net0'><q:frontend><q:property name='romfile' type='string' value='/etc/shadow'/></q:frontend></q:device></q:override>",
    item: 'qemu-override=#'
  }
]

/** Others of the same kinds. */
export const MORE: readonly Hostile[] = [
  {
    what: 'an option ROM of /etc/shadow',
    devices: "<interface type='network'><source network='lan'/><rom file='/etc/shadow'/></interface>",
    item: 'read=/etc/shadow'
  },
  {
    what: 'firmware configuration of /etc/shadow',
    domain: "<sysinfo type='fwcfg'><entry name='opt/x' file='/etc/shadow'/></sysinfo>",
    item: 'read=/etc/shadow'
  },
  {
    what: 'a program of a package as kernel, which would lose its rights',
    os: '<kernel>/usr/bin/env</kernel>',
    item: 'read=/usr/bin/env'
  },
  {
    what: 'a library as initrd, which would be QEMU’s',
    os: '<initrd>/usr/lib/os-release</initrd>',
    item: 'read=/usr/lib/os-release'
  },
  {
    what: 'a helper of a package as ACPI table',
    os: '<acpi><table type="raw">/usr/lib/os-release</table></acpi>',
    item: 'read=/usr/lib/os-release'
  },
  {
    what: 'a unit of a package as firmware configuration',
    domain: "<sysinfo type='fwcfg'><entry name='opt/x' file='/usr/lib/os-release'/></sysinfo>",
    item: 'read=/usr/lib/os-release'
  },
  { what: 'a device tree', os: '<dtb>/etc/shadow</dtb>', item: 'read=/etc/shadow' },
  {
    what: 'firmware variables on a device, beside a file',
    os: "<nvram type='block'><source dev='/dev/null' file='/var/lib/libvirt/qemu/nvram/x.fd'/></nvram>",
    item: 'write=/dev/null'
  },
  {
    what: 'a pipe',
    devices: "<serial type='pipe'><source path='/etc/x'/></serial>",
    item: 'write=/etc/x'
  },
  {
    what: 'a device as port',
    devices: "<parallel type='dev'><source path='/dev/mem'/></parallel>",
    item: 'device=dev:/dev/mem'
  },
  {
    what: 'a port to everybody',
    devices: "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='4555'/></serial>",
    item: 'listen=serial:0.0.0.0:4555'
  },
  {
    what: 'a port to a server',
    devices: "<serial type='tcp'><source mode='connect' host='198.51.100.1' service='25'/></serial>",
    item: 'connect=198.51.100.1:25'
  },
  {
    what: 'a socket where another VM has its agent',
    devices:
      "<channel type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/channel/target/../../x.sock'/><target type='virtio' name='x'/></channel>",
    item: 'make-socket=/var/lib/libvirt/qemu/channel/target/../../x.sock'
  },
  {
    what: 'a log of another VM',
    devices: "<serial type='file'><source path='/var/log/libvirt/qemu/other.log'/></serial>",
    item: 'write=/var/log/libvirt/qemu/other.log'
  },
  {
    what: 'a log of its own somewhere else',
    devices:
      "<serial type='file'><source path='/var/log/../../etc/cron.d/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11.log'/></serial>",
    item: 'write=/var/log/../../etc/cron.d/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11.log'
  },
  {
    what: 'a network card of the host',
    devices: "<interface type='direct'><source dev='eth0' mode='passthrough'/></interface>",
    item: 'card=direct:passthrough:eth0'
  },
  {
    what: "somebody's tap",
    devices: "<interface type='ethernet'><target dev='tap0' managed='no'/></interface>",
    item: 'card=ethernet:tap0'
  },
  {
    what: 'the log of a network program',
    devices: "<interface type='user'><backend type='passt' logFile='/etc/x'/></interface>",
    item: 'write=/etc/x'
  },
  {
    what: 'a port that leads into the guest',
    devices:
      "<interface type='user'><backend type='passt'/><portForward proto='tcp' address='0.0.0.0'><range start='22'/></portForward></interface>",
    item: 'listen=network card:0.0.0.0:22'
  },
  {
    what: 'a screen on a socket',
    devices: "<graphics type='vnc' socket='/run/x.sock'/>",
    item: 'make-socket=/run/x.sock'
  },
  {
    what: 'a screen by an element',
    devices: "<graphics type='vnc'><listen type='address' address='::'/></graphics>",
    item: 'listen=vnc:::'
  },
  {
    what: 'graphics of the host',
    devices: "<graphics type='egl-headless'><gl rendernode='/dev/dri/card0'/></graphics>",
    item: 'device=dev:/dev/dri/card0'
  },
  {
    what: 'a recording of sound',
    devices: "<audio id='1' type='file' path='/etc/x'/>",
    item: 'write=/etc/x'
  },
  {
    what: 'a partition',
    domain: '<resource><partition>/system.slice</partition></resource>',
    item: 'partition=/system.slice'
  },
  {
    what: 'raw commands to a disk',
    devices:
      "<disk type='file' device='lun' rawio='yes'><source file='/nowhere/a.img'/><target dev='vda' bus='scsi'/></disk>",
    item: 'privilege=raw-I/O'
  },
  {
    what: 'a reservation manager',
    devices:
      "<disk type='file' device='disk'><source file='/nowhere/a.img'><reservations managed='no'><source type='unix' path='/run/x' mode='client'/></reservations></source><target dev='vdq' bus='scsi'/></disk>"
  },
  {
    what: 'a second source behind the first',
    devices:
      "<disk type='file' device='cdrom'><source file='/nowhere/a.iso'/><source file='/etc/shadow'/><target dev='sdz' bus='sata'/></disk>"
  },
  {
    what: 'two drives of one name',
    devices: drive('cdrom', 'file', "file='/nowhere/a.iso'") + drive('cdrom', 'file', "file='/etc/shadow'"),
    item: 'read=/etc/shadow'
  },
  {
    what: 'a source in a namespace that a reader by name passes over',
    devices:
      "<disk type='file' device='cdrom'><q:source xmlns:q='urn:x' file='/etc/shadow'/><target dev='sdz' bus='sata'/></disk>"
  },
  {
    what: 'a device that nobody knows',
    devices: "<teleport model='x'/>",
    item: 'teleport=a device that Stillpoint does not know'
  },
  {
    what: 'a path in an element that nobody knows',
    domain: "<newfangled><thing value='/etc/shadow'/></newfangled>",
    item: 'thing-value=/etc/shadow'
  },
  {
    what: 'metadata where it is none',
    devices: "<metadata><x path='/etc/shadow'/></metadata>",
    item: 'metadata=a device that Stillpoint does not know'
  },
  {
    what: 'a tap that somebody has',
    devices: "<interface type='ethernet'><target dev='tap-vpn'/></interface>",
    item: 'card=ethernet:tap-vpn'
  },
  {
    what: 'a service that vouches for it',
    domain: "<launchSecurity type='tdx'><quoteGenerationService path='/run/x.sock'/></launchSecurity>",
    item: 'quoteGenerationService-path=/run/x.sock'
  },
  { what: 'a boot loader', domain: '<bootloader>/tmp/x</bootloader>', item: 'run=/tmp/x' },
  {
    what: 'a TPM of the host',
    devices: "<tpm model='tpm-crb'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
    item: 'tpm=passthrough:/dev/tpm0'
  },
  {
    what: 'TPM state elsewhere, behind a device that is its own',
    devices:
      "<tpm model='tpm-crb'><backend type='emulator'><device path='/var/lib/libvirt/swtpm/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11/tpm2'/><source type='dir' path='/etc'/></backend></tpm>",
    item: 'tpm=emulator:/etc'
  },
  {
    what: 'TPM state elsewhere by a second source',
    devices:
      "<tpm model='tpm-crb'><backend type='emulator'><source type='dir' path='/var/lib/libvirt/swtpm/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11/tpm2'/><source type='file' path='/etc/shadow'/></backend></tpm>",
    item: 'tpm=emulator:/etc/shadow'
  },
  {
    what: 'a crash record in a file',
    devices: "<pstore backend='acpi-erst'><path>/etc/x</path></pstore>",
    item: 'write=/etc/x'
  },
  {
    what: 'a line end in a name of the host',
    devices: "<interface type='bridge'><source bridge='br0&#10;x'/></interface>",
    item: 'control=#'
  },
  {
    what: 'a line end in the address of the machine',
    devices: "<interface type='network'><mac address='52:54:00:00:00:01&#10;x'/><source network='lan'/></interface>",
    item: 'control=#'
  },
  {
    what: 'a line end in a text',
    domain: "<sysinfo type='smbios'><system><entry name='serial'>a&#10;x</entry></system></sysinfo>",
    item: 'control=#'
  },
  {
    what: 'dumps of memory when the guest likes',
    devices: "<watchdog model='itco' action='dump'/>",
    item: 'privilege=dumps-of-its-memory'
  },
  {
    what: 'dumps of memory when it crashes',
    domain: '<on_crash>coredump-restart</on_crash>',
    item: 'privilege=dumps-of-its-memory'
  },
  {
    what: 'a processor for itself',
    domain: "<cputune><vcpusched vcpus='0' scheduler='fifo' priority='99'/></cputune>",
    item: 'privilege=real-time-scheduling-fifo'
  },
  {
    what: 'graphics of the host that libvirt chooses',
    devices: "<graphics type='egl-headless'/>",
    item: 'device=graphics:any'
  },
  {
    what: 'graphics of the host for its screen',
    devices: "<graphics type='spice'><gl enable='yes'/></graphics>",
    item: 'device=graphics:any'
  },
  {
    what: 'a screen in a network',
    devices: "<graphics type='vnc'><listen type='network' network='default'/></graphics>",
    item: 'listen=vnc:network default'
  },
  {
    what: 'a port at all addresses',
    devices: "<serial type='tcp'><source mode='bind' host='' service='4555'/></serial>",
    item: 'listen=serial::4555'
  },
  {
    what: 'a log that others read',
    devices: `<serial type='file'><source path='/var/log/nginx/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11error.log'/></serial>`,
    item: 'write=/var/log/nginx/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11error.log'
  },
  {
    what: 'a device by an octal number',
    devices:
      "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='010' slot='0x00' function='0x0'/></source></hostdev>",
    item: 'device=pci:0000:08:00.0'
  },
  {
    what: 'a USB device by an octal number',
    devices: "<hostdev mode='subsystem' type='usb'><source><vendor id='010'/><product id='0x0010'/></source></hostdev>",
    item: 'device=usb:0008:0010'
  },
  {
    what: 'the serial numbers of the host',
    os: "<smbios mode='host'/>",
    item: 'privilege=serial-numbers-of-this-host'
  },
  {
    what: 'an address of the host',
    devices: "<interface type='ethernet'><source><ip address='8.8.8.8' family='ipv4' prefix='8'/></source></interface>",
    item: 'privilege=host-address-8.8.8.8/8'
  },
  {
    what: 'a route of the host',
    devices:
      "<interface type='ethernet'><source><route family='ipv4' address='0.0.0.0' prefix='1' gateway='10.0.0.2'/></source></interface>",
    item: 'privilege=host-route-0.0.0.0/1-by-10.0.0.2'
  },
  {
    what: 'a route of the host in IPv6',
    devices:
      "<interface type='ethernet'><source><route family='ipv6' address='2000::' prefix='3' gateway='fd00::2'/></source></interface>",
    item: 'privilege=host-route-2000::/3-by-fd00::2'
  },
  {
    what: 'an address in IPv6 that nobody knows',
    domain: "<newfangled reach='fd00::1'/>",
    item: 'newfangled-reach=fd00::1'
  },
  {
    what: 'a tap that somebody has, on a bridge',
    devices: "<interface type='bridge'><source bridge='lo'/><target dev='tap-vpn'/></interface>",
    item: 'card=bridge:lo:tap-vpn'
  },
  {
    what: 'frames so small that its bridge is good for nobody',
    devices: "<interface type='bridge'><source bridge='lo'/><mtu size='68'/></interface>",
    item: 'privilege=an-MTU-of-68-for-its-bridge'
  },
  {
    what: 'a port of this host for itself',
    devices: "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='5432'/><protocol type='raw'/></serial>",
    item: 'listen=serial:127.0.0.1:5432'
  },
  {
    what: 'the cache of the processors',
    domain:
      "<cputune><cachetune vcpus='0'><cache id='0' level='3' type='both' size='11' unit='MiB'/></cachetune></cputune>",
    item: 'privilege=a-part-of-the-processors-for-itself-(resctrl)'
  },
  {
    what: 'a graphics program of the host',
    devices: "<video><driver name='vhostuser'/><model type='virtio'/></video>",
    item: 'privilege=a-program-of-this-host-for-its-graphics'
  },
  {
    what: 'a screen on a message bus',
    devices: "<graphics type='dbus'/>",
    item: 'privilege=a-screen-on-a-message-bus'
  },
  {
    what: 'trust in the addresses that the guest says',
    devices: "<interface type='direct' trustGuestRxFilters='yes'><source dev='lo' mode='vepa'/></interface>",
    item: 'privilege=trust-in-the-MAC-addresses-that-the-guest-names'
  },
  {
    what: 'firmware of a package to write to',
    os: "<loader readonly='no' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>",
    item: 'write=/usr/share/OVMF/OVMF_CODE_4M.fd'
  },
  {
    what: 'firmware of a package that nobody says is read only',
    os: "<loader type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>",
    item: 'write=/usr/share/OVMF/OVMF_CODE_4M.fd'
  },
  {
    what: 'the tap of another VM',
    devices: "<interface type='ethernet'><target dev='vnet5' managed='no'/></interface>",
    item: 'card=ethernet:vnet5'
  },
  {
    what: 'what listens on the host for itself alone',
    devices: "<interface type='user'/>",
    item: 'card=user'
  },
  {
    what: "another VM's agent by a serial port",
    devices:
      "<serial type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/channel/target/domain-5-web/org.qemu.guest_agent.0'/></serial>",
    item: 'make-socket=/var/lib/libvirt/qemu/channel/target/domain-5-web/org.qemu.guest_agent.0'
  },
  {
    what: "another VM's agent by a channel that is none of libvirt's",
    devices:
      "<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/5-web/org.qemu.guest_agent.0'/><target type='guestfwd' address='10.0.2.1' port='4600'/></channel>",
    item: 'make-socket=/run/libvirt/qemu/channel/5-web/org.qemu.guest_agent.0'
  },
  {
    what: "another VM's agent, which is there",
    devices:
      "<channel type='unix'><source mode='connect' path='/run/libvirt/qemu/channel/5-web/org.qemu.guest_agent.0'/><target type='virtio' name='x'/></channel>",
    item: 'connect=/run/libvirt/qemu/channel/5-web/org.qemu.guest_agent.0'
  }
]

const ATTRIBUTE = / (?!xmlns)([A-Za-z]+)=/g
const ELEMENT = /(<\/?)([A-Za-z_]+)(?=[\s/>])/g
const FIRST_ELEMENT = /^<([A-Za-z_]+)(?=[\s/>])(?![^>]*xmlns)/

/** Every one of them again, called so that a reader by whole names passes over it: libvirt asks for local names. */
export const DISGUISED: readonly Hostile[] = [...HOSTILE, ...MORE].flatMap((hostile) => [
  ...disguised(hostile, 'attributes of xml:', ATTRIBUTE, ' xml:$1='),
  ...disguised(hostile, 'attributes of a prefix', ATTRIBUTE, ' evil:$1='),
  ...disguised(hostile, 'elements of a prefix', ELEMENT, '$1evil:$2'),
  ...disguised(hostile, 'elements of a namespace without a prefix', FIRST_ELEMENT, "<$1 xmlns='urn:x'")
])

/** None where there is nothing to change. */
function disguised(hostile: Hostile, how: string, pattern: RegExp, by: string): Hostile[] {
  const { devices = '', os = '', domain = '', root = '' } = hostile
  const [before, after] = [[devices, os, domain], [devices, os, domain].map((xml) => xml.replace(pattern, by))]
  if (before.join() === after.join()) return []
  const [inDevices = '', inOs = '', inDomain = ''] = after
  const what = `${hostile.what}, by ${how}`
  return [{ what, root: `${root} xmlns:evil='urn:x'`, devices: inDevices, os: inOs, domain: inDomain }]
}
