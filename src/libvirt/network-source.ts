import type { Element } from '@xmldom/xmldom'
import { secretNameOf } from './secrets.ts'
import { attribute, childAt, childrenOf } from './xml.ts'

/** A disk that a server on the network holds, as its definition says it. Whatever it says: nothing here is trusted. */
export interface NetworkSource {
  readonly protocol: string
  /** Export of an NBD server, `TARGET/LUN` of iSCSI, `POOL/IMAGE` of RBD. */
  readonly name: string
  readonly hosts: readonly {
    readonly name: string | undefined
    readonly port: string | undefined
    readonly transport: string
    readonly socket: string | undefined
  }[]
  readonly tls: boolean
  /** QEMU encrypts what it writes there. */
  readonly encrypted?: true
  /** libvirt's secret, by UUID or by what it is for. */
  readonly login?: { readonly user: string; readonly secret: string }
  /** How an iSCSI client calls itself. */
  readonly initiator?: string
  /** Settings of Ceph, in a file of this host. */
  readonly config?: string
  /** Of an RBD image. */
  readonly snapshot?: string
}

/** `<auth>` stands in the source or, as in older definitions, beside it. */
export function networkSourceOf(disk: Element | undefined): NetworkSource | undefined {
  const source = childAt(disk, 'source')
  const protocol = attribute(source, 'protocol')
  if (protocol === undefined) return undefined
  return {
    protocol,
    name: attribute(source, 'name') ?? '',
    hosts: childrenOf(source, 'host').map((host) => ({
      name: attribute(host, 'name'),
      port: attribute(host, 'port'),
      transport: attribute(host, 'transport') ?? 'tcp',
      socket: attribute(host, 'socket')
    })),
    tls: attribute(source, 'tls') === 'yes',
    ...(isEncrypted(disk) && { encrypted: true as const }),
    ...loginOf(childAt(source, 'auth') ?? childAt(disk, 'auth')),
    ...textIn('initiator', attribute(childAt(source, 'initiator', 'iqn'), 'name')),
    ...textIn('config', attribute(childAt(source, 'config'), 'file')),
    ...textIn('snapshot', attribute(childAt(source, 'snapshot'), 'name'))
  }
}

const isEncrypted = (disk: Element | undefined): boolean =>
  childAt(disk, 'source', 'encryption') !== undefined || childAt(disk, 'encryption') !== undefined

function loginOf(auth: Element | undefined): Pick<NetworkSource, 'login'> {
  const secret = childAt(auth, 'secret')
  const name = secretNameOf(secret, attribute(secret, 'type') ?? '')
  return auth === undefined ? {} : { login: { user: attribute(auth, 'username') ?? '', secret: name ?? '' } }
}

const textIn = <K extends string>(key: K, text: string | undefined): Partial<Record<K, string>> =>
  text === undefined ? {} : ({ [key]: text } as Record<K, string>)

/** How `qemu-img` opens the disk, or why it cannot. */
export type QemuName = { readonly image: string } | { readonly unsupported: string }

/** Protocols whose disks are in points, where QEMU on the host has a driver for them: some packages leave it out. */
export const READ_PROTOCOLS = ['nbd', 'iscsi', 'rbd'] as const
type ReadProtocol = (typeof READ_PROTOCOLS)[number]
const isRead = (protocol: string): protocol is ReadProtocol => READ_PROTOCOLS.some((each) => each === protocol)

/**
 * A `json:` name, as `qemu-img` takes it beside `-f FORMAT`. What comes from the definition is put in as values only: none
 * of it can become an option, another driver or a file. docs: qemu-img(1), BlockdevOptionsNbd, -Iscsi, -Rbd
 */
export function qemuNameOf(source: NetworkSource, format: string): QemuName {
  const { protocol } = source
  if (!isRead(protocol)) return unsupported(`disks over ${protocol} are not supported yet`)
  if (source.tls) return unsupported('its server is spoken to encrypted, which is not supported yet')
  if (source.encrypted) return unsupported('it is encrypted, which on a server is not supported yet')
  if (format !== 'raw' && format !== 'qcow2') return unsupported(`format ${format} over the network is not supported`)
  const file = NODES[protocol](source)
  return typeof file === 'string'
    ? unsupported(file)
    : { image: `json:${JSON.stringify({ driver: format, file: { driver: protocol, ...file } })}` }
}

type Node = Readonly<Record<string, unknown>>

/** Each as libvirt hands it to QEMU; or why it cannot be. */
const NODES: Readonly<Record<ReadProtocol, (source: NetworkSource) => Node | string>> = {
  nbd(source) {
    const server = nbdServer(source.hosts)
    return server === undefined ? 'its definition does not name one NBD server' : { server, export: source.name }
  },
  iscsi({ hosts, name, login, initiator }) {
    const portal = iscsiPortal(hosts)
    const [, target, lun = '0'] = /^([^/]+)(?:\/(\d{1,5}))?$/.exec(name) ?? []
    if (portal === undefined || target === undefined) return 'its definition does not name one iSCSI server and LUN'
    return {
      transport: 'tcp',
      portal,
      target,
      lun: Number(lun),
      ...(initiator !== undefined && { 'initiator-name': initiator }),
      ...(login !== undefined && { user: login.user, 'password-secret': loginObject(login.secret) })
    }
  },
  rbd({ hosts, name, login, config, snapshot }) {
    const [, pool, namespace, image] = /^([^/]+)\/(?:([^/]+)\/)?([^/]+)$/.exec(name) ?? []
    const server = hosts.map(cephMonitor)
    if (image === undefined || server.includes(undefined)) return 'its definition does not name one RBD image'
    if (config?.startsWith('/') === false) return 'its definition does not name the whole path of its settings of Ceph'
    return {
      pool,
      ...(namespace !== undefined && { namespace }),
      image,
      ...(snapshot !== undefined && { snapshot }),
      ...(config !== undefined && { conf: config }),
      ...(server.length > 0 && { server }),
      ...(login !== undefined && {
        user: login.user,
        'auth-client-required': ['cephx', 'none'],
        'key-secret': loginObject(login.secret)
      })
    }
  }
}

type Server = NetworkSource['hosts'][number]

const NBD_PORT = '10809'
const ISCSI_PORT = '3260'
const CEPH_PORT = '6789'

function nbdServer([host, ...others]: readonly Server[]): Node | undefined {
  if (host === undefined || others.length > 0) return undefined
  if (host.transport === 'unix')
    return host.socket?.startsWith('/') === true ? { type: 'unix', path: host.socket } : undefined
  const address = tcpAddress(host, NBD_PORT)
  return address && { type: 'inet', ...address }
}

function iscsiPortal([host, ...others]: readonly Server[]): string | undefined {
  const address = host === undefined || others.length > 0 ? undefined : tcpAddress(host, ISCSI_PORT)
  if (address === undefined) return undefined
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

const cephMonitor = (host: Server): Node | undefined => tcpAddress(host, CEPH_PORT)

function tcpAddress({ name, port, transport }: Server, usual: string): { host: string; port: string } | undefined {
  if (transport !== 'tcp' || name === undefined || name === '') return undefined
  return /^\d{1,5}$/.test(port ?? usual) ? { host: name, port: port ?? usual } : undefined
}

const LOGIN = 'login.'
const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/

/** What QEMU is to call the key for a login. Its names have letters and digits only, and those of secrets anything. */
const loginObject = (secret: string): string =>
  `${LOGIN}${UUID.test(secret) ? secret : `x${Buffer.from(secret).toString('hex')}`}`

/** Those that a `json:` name needs: what to call each key, and libvirt's name for the secret. */
export function loginsIn(name: string): { readonly object: string; readonly secret: string }[] {
  const objects = [...name.matchAll(/"(?:key|password)-secret":"(login\.(?:x[0-9a-f]*|[0-9a-f-]{36}))"/g)]
  return [...new Set(objects.map(([, object = '']) => object))].map((object) => {
    const secret = object.slice(LOGIN.length)
    return { object, secret: UUID.test(secret) ? secret : Buffer.from(secret.slice(1), 'hex').toString() }
  })
}

const URL_PROTOCOLS = ['http', 'https', 'ftp', 'ftps']

/** The same of a medium, which may also lie behind a URL. Undefined: QEMU's tools cannot be asked for it here. */
export function mediumNameOf(source: NetworkSource): string | undefined {
  const [host, ...others] = source.hosts
  // A point may name any server: this host logs in to none for it.
  if (source.login !== undefined) return undefined
  if (!URL_PROTOCOLS.includes(source.protocol)) {
    const name = qemuNameOf(source, 'raw')
    return 'image' in name ? name.image : undefined
  }
  if (host?.name === undefined || others.length > 0) return undefined
  const port = host.port === undefined ? '' : `:${host.port}`
  const url = `${source.protocol}://${host.name}${port}/${source.name.replace(/^\/+/, '')}`
  return `json:${JSON.stringify({ driver: 'raw', file: { driver: source.protocol, url } })}`
}

const unsupported = (reason: string): QemuName => ({ unsupported: reason })
