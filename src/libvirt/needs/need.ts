/**
 * What a definition asks of its host: everything that lies outside of the guest. `where` says where the definition asks it,
 * as a short path: `devices/disk[vda]/source`, `os/loader`.
 */
export type Need = { readonly where: string } & Asked
export type NeedKind = Need['kind']
export type NeedOf<K extends NeedKind> = Extract<Need, { readonly kind: K }>

export type Asked =
  | DiskNeed
  | FileNeed
  | SecretNeed
  | FirmwareNeed
  | TpmNeed
  | { readonly kind: 'emulator'; readonly path: string }
  | { readonly kind: 'machine'; readonly type: string; readonly arch: string; readonly machine: string }
  | CpuNeed
  | MemoryNeed
  | PinNeed
  | InterfaceNeed
  | ListenNeed
  | SocketNeed
  | DeviceNeed
  | FolderNeed
  | ScriptNeed
  | DisplayNeed
  | { readonly kind: 'label'; readonly model: string; readonly type: string; readonly label: string }
  | { readonly kind: 'partition'; readonly path: string }
  | { readonly kind: 'privilege'; readonly what: string }
  | ForeignNeed
  | PrefixedNeed
  | ControlNeed
  | UnknownNeed

/** A disk or a medium in a drive, or an image below it. Without a medium there is no need. */
export interface DiskNeed {
  readonly kind: 'disk'
  /** As the guest's definition names it: `vda`. */
  readonly target: string
  /** `disk`, `lun`, `cdrom`, `floppy` */
  readonly device: string
  /** `file`, `block`, `network`, `volume`, `dir`, `nvme`, `vhostuser`, `vhostvdpa`, or a word of a newer libvirt. */
  readonly type: string
  /** `image`: what the guest reads. `below`: in its backing chain. `mirror`: being copied to. `data`: data file of a qcow2. */
  readonly role: 'image' | 'below' | 'mirror' | 'data'
  /** Path or device; `pool/volume`; of a server `protocol:name` with its addresses. */
  readonly source: string
  /** As what its bytes are read. Undefined: the definition does not say, and libvirt takes it for raw. */
  readonly format: string | undefined
  readonly readOnly: boolean
}

/** A file that is no disk. */
export interface FileNeed {
  readonly kind: 'file'
  readonly what:
    | 'kernel'
    | 'initrd'
    | 'device tree'
    | 'ACPI table'
    | 'firmware configuration'
    | 'option ROM'
    | 'memory'
    | 'port'
    | 'log'
    | 'sound recording'
    | 'smartcard database'
    | 'certificate'
    | 'video acceleration'
    | 'login'
    | 'lock'
    | 'random numbers'
  readonly path: string
  /** QEMU or libvirt writes to it. */
  readonly writes: boolean
}

/** A secret that libvirt keeps. */
export interface SecretNeed {
  readonly kind: 'secret'
  readonly uuid: string | undefined
  readonly usage: string | undefined
  readonly of: 'encryption' | 'login' | 'TPM' | 'other'
}

/** The firmware image and its variables. */
export interface FirmwareNeed {
  readonly kind: 'firmware'
  /** `automatic`: libvirt chooses an image that fits. */
  readonly what: 'image' | 'variables' | 'template' | 'automatic'
  /** Of `automatic`: `efi` or `bios`. */
  readonly path: string
  readonly format: string | undefined
  /** Of variables that are no file: `block`, `network`, ... */
  readonly type: string
  /** Of an image: the guest may change it. */
  readonly writes?: boolean
}

export interface TpmNeed {
  readonly kind: 'tpm'
  /** `emulator`, `passthrough`, `external`. */
  readonly backend: string
  /** Where its state, device or socket is, where the definition says so. */
  readonly path: string | undefined
}

export interface CpuNeed {
  readonly kind: 'cpu'
  readonly mode: string
  readonly model: string | undefined
  readonly vcpus: number
  /** Features that the guest must be given. */
  readonly features: readonly string[]
}

export interface MemoryNeed {
  readonly kind: 'memory'
  readonly bytes: number
  /** Huge pages: sizes in bytes; of the host's default size: 0. */
  readonly hugePages: readonly number[]
  /** `file`, `memfd`, `anonymous`. Undefined: not said. */
  readonly source: string | undefined
}

/** Processors or memory nodes of the host that something is bound to. */
export interface PinNeed {
  readonly kind: 'pin'
  readonly what: 'cpus' | 'nodes'
  /** In libvirt's notation: `0-3,^2`. */
  readonly set: string
}

/** What a network card is plugged into. */
export interface InterfaceNeed {
  readonly kind: 'interface'
  readonly mac: string | undefined
  /** `network`, `bridge`, `direct` (macvtap), `user`, `ethernet`, `hostdev`, `vhostuser`, `vdpa`, `server`, ... */
  readonly type: string
  /** Name of network, bridge or device; path of a socket; `address:port`. */
  readonly source: string | undefined
  /** Of `direct`: `vepa`, `bridge`, `private`, `passthrough`. */
  readonly mode: string | undefined
  /** An existing device of the host that it uses as its end of the cable. */
  readonly tap: string | undefined
}

/** An address of the host that is listened on. */
export interface ListenNeed {
  readonly kind: 'listen'
  /** `vnc`, `spice`, `rdp`, `serial`, ... */
  readonly by: string
  /** Undefined: what the host has set, which is usually itself alone. */
  readonly address: string | undefined
  /** Undefined: automatic. */
  readonly port: number | undefined
  /** Network of libvirt whose address it is. */
  readonly network: string | undefined
  readonly purpose: 'screen' | 'TLS' | 'websocket' | 'port'
  /** Of a screen: whoever comes is asked for one. */
  readonly hasPassword?: boolean
}

/** A socket, or a connection to somebody. */
export interface SocketNeed {
  readonly kind: 'socket'
  readonly by: string
  /** Path, or `address:port`. */
  readonly to: string
  /** `listens`: QEMU makes it. `connects`: somebody of the host is there already. */
  readonly how: 'listens' | 'connects'
}

/** A device of the host. */
export interface DeviceNeed {
  readonly kind: 'device'
  /** `pci`, `usb`, `mdev`, `scsi`, `scsi_host`, `storage`, `misc`, `net`, `input`, `dev`, ... */
  readonly bus: string
  /** Its address, ids or path, as one would type it: `0000:01:00.0`, `1d6b:0002`, `/dev/input/event3`. */
  readonly id: string
}

/** A folder of the host that the guest sees. */
export interface FolderNeed {
  readonly kind: 'folder'
  readonly path: string
  readonly readOnly: boolean
  readonly driver: string
}

/** A program of the host that is run for the VM. */
export interface ScriptNeed {
  readonly kind: 'program'
  readonly what: string
  readonly path: string
}

/** What QEMU must have been built with: graphics, video, sound. */
export interface DisplayNeed {
  readonly kind: 'feature'
  /** `graphics`, `video`, `sound`, `channel`, `launch security`, ... */
  readonly what: string
  /** `spice`, `qxl`, `spicevmc`, `sev`, ... */
  readonly name: string
}

/** What another namespace than libvirt's own says, whatever its prefix. It speaks to QEMU past libvirt. */
export interface ForeignNeed {
  readonly kind: 'foreign'
  readonly namespace: string
  readonly name: string
  /** All that it says, in one line. */
  readonly text: string
}

/**
 * An attribute with a prefix, or an element of a namespace within libvirt's own: libvirt asks for local names, so that it reads
 * there what everybody else passes over.
 */
export interface PrefixedNeed {
  readonly kind: 'prefixed'
  /** With its prefix. */
  readonly name: string
  /** All that it says, in one line. */
  readonly text: string
}

/** A value with line ends or other control characters in it, which libvirt might write into a file of settings, line by line. */
export interface ControlNeed {
  readonly kind: 'control'
  /** Element and attribute. */
  readonly in: string
  readonly value: string
}

/** What nobody here knows, with a path, device, address or URI in it. */
export interface UnknownNeed {
  readonly kind: 'unknown'
  readonly name: string
  readonly value: string
}
