import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { knownHostName } from '../../src/main/core/ssh/known-hosts.ts'
import type { Safety } from '../../src/shared/safety.ts'
import type { Measured, Order, Outcome, Seen, Told } from './core-process.ts'
import type { TestSshd } from '../contract/sshd.ts'

/** For what would never come: far more than it takes on the slowest machine. */
const GUARD_MS = 120_000

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A host as a core is to know it. */
export interface KnownHost {
  readonly name: string
  readonly sshd: TestSshd
}

const ROOT = join(import.meta.dirname, '../..')

/** One file, as the core is shipped: Node's own translation of TypeScript has more memory than all that a core knows. */
export async function buildCore(into: string): Promise<string> {
  const outfile = join(into, 'core-process.mjs')
  await build({
    ...{ entryPoints: [join(import.meta.dirname, 'core-process.ts')], outfile, bundle: true, logLevel: 'warning' },
    ...{ platform: 'node', format: 'esm', target: 'node24', external: ['cpu-features', '*.node'] },
    banner: {
      js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename"
    }
  })
  return outfile
}

/** A core in a process of its own, with these hosts in its settings. */
export class WatchedCore {
  readonly folder: string
  private readonly dir: string
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, Waiting>()
  private readonly lookers = new Set<() => void>()
  private readonly latest = new Map<string, Seen>()
  private orders = 0
  private problem: Error | undefined

  /** `built`: by `buildCore`. */
  constructor(built: string, hosts: readonly [KnownHost, ...KnownHost[]]) {
    this.dir = mkdtempSync(join(tmpdir(), 'stillpoint-two-hosts-'))
    this.folder = join(this.dir, 'settings')
    writeSettings(this.folder, hosts)
    const { SSH_AUTH_SOCK: _, ...env } = process.env
    this.child = fork(built, [this.folder, ROOT, ...hosts.map(({ name }) => name)], {
      execArgv: ['--expose-gc'],
      env: { ...env, HOME: hosts[0].sshd.home },
      serialization: 'json'
    })
    this.child.on('message', (told: Told) => this.hear(told))
    this.child.once('exit', (code, signal) => this.fails(new Error(`the core ended: ${code ?? signal ?? ''}`)))
  }

  seen(host: string): Seen | undefined {
    return this.latest.get(host)
  }

  ask(order: Extract<Order, { readonly host: string }>): Promise<Outcome> {
    return this.order(order) as Promise<Outcome>
  }

  refresh(host: string): Promise<void> {
    return this.order({ do: 'refresh', host }) as Promise<void>
  }

  /** How safe the VMs of a host are, as it knows at this moment. */
  safety(host: string): Promise<Readonly<Record<string, Safety>>> {
    return this.order({ do: 'safety', host }) as Promise<Readonly<Record<string, Safety>>>
  }

  measure(how: 'collects' | 'as it is'): Promise<Measured> {
    return this.order({ do: 'measure', collects: how === 'collects' }) as Promise<Measured>
  }

  /** Milliseconds, for a processor, since it began. */
  waitedMs(): Promise<number> {
    return this.order({ do: 'waited' }) as Promise<number>
  }

  /** The address of the window over this core. */
  openDoor(): Promise<string> {
    return this.order({ do: 'door' }) as Promise<string>
  }

  /** Resolves with the milliseconds that it took until the core has seen it. */
  async untilSeen(host: string, what: string, isSo: (seen: Seen) => boolean): Promise<number> {
    const began = performance.now()
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const look = (): void => {
      const seen = this.latest.get(host)
      if (this.problem !== undefined) reject(this.problem)
      else if (seen !== undefined && isSo(seen)) resolve(performance.now() - began)
    }
    const late = setTimeout(
      () => reject(new Error(`${what} was never seen: ${JSON.stringify(this.latest.get(host)).slice(0, 1500)}`)),
      GUARD_MS
    )
    this.lookers.add(look)
    look()
    return promise.finally(() => {
      clearTimeout(late)
      this.lookers.delete(look)
    })
  }

  async stop(): Promise<void> {
    if (this.problem === undefined) {
      await this.order({ do: 'close' }).catch(() => undefined)
      this.child.disconnect()
      await once(this.child, 'exit')
    }
    rmSync(this.dir, { recursive: true, force: true })
  }

  private order(order: Order): Promise<unknown> {
    if (this.problem !== undefined) return Promise.reject(this.problem)
    // Whoever tidies up the temporary folder takes all hosts from the core, which then waits for none.
    if (!existsSync(this.folder)) return Promise.reject(new Error(`somebody has deleted ${this.folder}`))
    const id = this.orders++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.waiting.set(id, { resolve, reject })
    const late = setTimeout(() => reject(new Error(`no answer from the core: ${JSON.stringify(order)}`)), GUARD_MS)
    this.child.send({ id, order })
    return promise.finally(() => {
      clearTimeout(late)
      this.waiting.delete(id)
    })
  }

  private hear(told: Told): void {
    if ('seen' in told) {
      this.latest.set(told.about, told.seen)
      this.lookers.forEach((look) => look())
    } else if (told.error !== undefined) this.waiting.get(told.id)?.reject(new Error(told.error))
    else this.waiting.get(told.id)?.resolve(told.result)
  }

  private fails(error: Error): void {
    this.problem = error
    this.waiting.forEach(({ reject }) => reject(error))
    this.lookers.forEach((look) => look())
  }
}

function writeSettings(folder: string, hosts: readonly KnownHost[]): void {
  const addedAt = '2026-01-01T00:00:00.000Z'
  openSettings(folder).update((settings) => ({
    ...settings,
    hosts: hosts.map(({ name, sshd: { address, identity } }) => ({
      ...{ name, address: address.address, port: address.port, identityFile: identity, addedAt },
      ...(address.user !== undefined && { user: address.user })
    }))
  }))
  const known = hosts.map(({ sshd }) => `${knownHostName('127.0.0.1', sshd.port)} ${sshd.hostKey()}\n`)
  writeFileSync(join(folder, 'known_hosts'), known.join(''))
}
