import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineAssets } from '../engine-on-host/engine-assets.ts'
import { HostEngine, type EngineWatcher } from '../engine-on-host/host-engine.ts'
import type { PlacedEngine } from '../engine-on-host/engine-call.ts'
import type { OnPlacing, UnitTrial } from '../engine-on-host/place-engine.ts'
import type { HostAddress, HostConnection } from '../ssh/host-connection.ts'
import { ofSmallAnswers } from '../ssh/small-answers.ts'
import { requireHost } from './host-book.ts'
import type { SettingsFile } from '../settings/settings-file.ts'
import type { HostRecord } from '../settings/settings-schema.ts'

/** With a fingerprint, the host must show that key; no question is asked about it. */
export type Connect = (address: HostAddress, fingerprint?: string) => Promise<HostConnection>

export const addressOf = (record: HostRecord): HostAddress => ({
  name: record.name,
  address: record.address,
  user: record.user,
  port: record.port,
  identityFile: record.identityFile
})

const ERRANDS_MS = 5000

interface Contact {
  readonly connection: HostConnection
  readonly engine: HostEngine
}

export interface ConnectionsOptions {
  readonly settings: SettingsFile
  readonly assets: EngineAssets
  readonly connect: Connect
  readonly onPlacing: (host: string, ...what: Parameters<OnPlacing>) => void
  /** A host's engine is there. What is begun here is waited for, a little, when the connections are closed. */
  readonly onContact: (placed: PlacedEngine) => Promise<void>
}

/** One connection and one engine per host, made when first asked for and shared from then on. */
export class Connections {
  private readonly options: ConnectionsOptions
  private readonly contacts = new Map<string, Promise<Contact>>()
  private readonly errands = new Set<Promise<void>>()

  constructor(options: ConnectionsOptions) {
    this.options = options
  }

  async connection(host: string): Promise<HostConnection> {
    return (await this.contact(host)).connection
  }

  /** Undefined: there is none that is open or being opened. For a question that nobody waits for a connection for. */
  async connected(host: string): Promise<HostConnection | undefined> {
    const contact = await this.contacts.get(host)?.catch(() => undefined)
    return contact?.connection.state === 'closed' ? undefined : contact?.connection
  }

  async engine(host: string): Promise<HostEngine> {
    return (await this.contact(host)).engine
  }

  /** A connection that is not kept: for a host that is about to be added. */
  async try(address: HostAddress, fingerprint: string | undefined): Promise<HostConnection> {
    return ofSmallAnswers(await this.options.connect(address, fingerprint))
  }

  /** Keeps it after all, in place of an earlier one: nobody is asked for a passphrase twice. The host's systemd is to show that it starts the engine. */
  async adopt(connection: HostConnection): Promise<void> {
    const { name } = connection.address
    await this.drop(name)
    this.contacts.set(name, Promise.resolve(this.contactOf(name, connection, 'always')))
  }

  async drop(host: string): Promise<void> {
    const contact = this.contacts.get(host)
    this.contacts.delete(host)
    await contact?.then(({ connection }) => connection.close()).catch(() => undefined)
  }

  async close(): Promise<void> {
    await Promise.race([Promise.all(this.errands), sleep(ERRANDS_MS, undefined, { ref: false })])
    await Promise.all([...this.contacts.keys()].map((host) => this.drop(host)))
  }

  /** A connection that failed or was closed is not kept: the next who asks tries again. */
  private async contact(host: string): Promise<Contact> {
    const known = this.contacts.get(host)
    if (known !== undefined && (await known).connection.state !== 'closed') return known
    const contact = this.open(requireHost(this.options.settings.read(), host))
    this.contacts.set(host, contact)
    contact.catch(() => this.contacts.delete(host))
    return contact
  }

  private async open(record: HostRecord): Promise<Contact> {
    return this.contactOf(record.name, ofSmallAnswers(await this.options.connect(addressOf(record))))
  }

  private contactOf(host: string, connection: HostConnection, trial: UnitTrial = 'when new'): Contact {
    const { assets, onPlacing } = this.options
    const watcher: EngineWatcher = {
      onPlacing: (...what) => onPlacing(host, ...what),
      onReady: (placed) => this.runErrand(placed)
    }
    const engine = new HostEngine(host, connection.shell, assets, watcher, trial)
    return { connection, engine }
  }

  /** Nobody waits for it and nobody asked for it: that it fails is of no interest. */
  private runErrand(placed: PlacedEngine): void {
    const errand = this.options.onContact(placed).catch(() => undefined)
    this.errands.add(errand)
    void errand.finally(() => this.errands.delete(errand))
  }
}
