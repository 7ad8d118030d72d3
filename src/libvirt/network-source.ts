import type { Element } from '@xmldom/xmldom'
import { attribute, childAt, childrenOf } from './xml.ts'

/** A disk that a server on the network holds, as its definition says it. Whatever it says: nothing here is trusted. */
export interface NetworkSource {
  readonly protocol: string
  /** Of an NBD server: the export. */
  readonly name: string
  readonly hosts: readonly {
    readonly name: string | undefined
    readonly port: string | undefined
    readonly transport: string
    readonly socket: string | undefined
  }[]
  readonly tls: boolean
}

export function networkSourceOf(source: Element | undefined): NetworkSource | undefined {
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
    tls: attribute(source, 'tls') === 'yes' || childAt(source, 'encryption') !== undefined
  }
}

/** How `qemu-img` opens the disk, or why it cannot. */
export type QemuName = { readonly image: string } | { readonly unsupported: string }

const NBD_PORT = 10_809

/**
 * A `json:` name, as `qemu-img` takes it beside `-f FORMAT`. What comes from the definition is put in as values only: none
 * of it can become an option, another driver or a file. docs: qemu-img(1), BlockdevOptionsNbd
 */
export function qemuNameOf(source: NetworkSource, format: string): QemuName {
  if (source.protocol !== 'nbd') return unsupported(`disks over ${source.protocol} are not supported yet`)
  if (source.tls) return unsupported('its server is spoken to encrypted, which is not supported yet')
  if (format !== 'raw' && format !== 'qcow2') return unsupported(`format ${format} over the network is not supported`)
  const server = nbdServer(source.hosts)
  if (server === undefined) return unsupported('its definition does not name one NBD server')
  const file = { driver: 'nbd', server, export: source.name }
  return { image: `json:${JSON.stringify({ driver: format, file })}` }
}

const URL_PROTOCOLS = ['http', 'https', 'ftp', 'ftps']

/** The same of a medium, which may also lie behind a URL. Undefined: QEMU's tools cannot be asked for it here. */
export function mediumNameOf(source: NetworkSource): string | undefined {
  const [host, ...others] = source.hosts
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

function nbdServer([host, ...others]: NetworkSource['hosts']): Readonly<Record<string, string>> | undefined {
  if (host === undefined || others.length > 0) return undefined
  if (host.transport === 'unix')
    return host.socket?.startsWith('/') === true ? { type: 'unix', path: host.socket } : undefined
  if (host.transport !== 'tcp' || host.name === undefined || host.name === '') return undefined
  const port = host.port ?? String(NBD_PORT)
  return /^\d{1,5}$/.test(port) ? { type: 'inet', host: host.name, port } : undefined
}
