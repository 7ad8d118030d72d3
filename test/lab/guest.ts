import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { buildDisk, copyDisk } from './guest-disk.ts'
import { guestDisks, guestXml, serialLog, type GuestDisk, type GuestOptions } from './guest-xml.ts'
import type { LabHost } from './host.ts'
import { LabError, PATIENCE_MS, waitFor } from './run.ts'
import {
  parseBoots,
  parseRewriteRates,
  parseTicks,
  parseVerifyReports,
  type Boot,
  type Tick,
  type VerifyReport
} from './ticks.ts'

export type { GuestDisk, GuestOptions } from './guest-xml.ts'

/** `freeze-takes=N`: its freeze hook lasts so many seconds. `agent-stop`, `agent-go`: its agent hangs, and goes on. `sleep`: suspend to RAM. */
export type Order = `freeze-takes=${number}` | 'agent-stop' | 'agent-go' | 'sleep'
export type GuestCommand = 'verify' | 'poweroff' | 'reboot' | Order

/** Ticks seen while somebody watched, with the host's time of each. */
export interface TickRecorder {
  readonly ticks: readonly Tick[]
  stop(): readonly Tick[]
}

/** Makes the disks of a guest on a host and defines it there. */
export async function defineGuest(host: LabHost, options: GuestOptions): Promise<Guest> {
  const uuid = options.uuid ?? randomUUID()
  const disks = guestDisks(uuid, options)
  for (const [index, disk] of disks.entries()) {
    if (index === 0 && options.system !== undefined) {
      await copyDisk(host, disk, options.system)
      continue
    }
    await buildDisk(host, disk, {
      sizeMiB: options.diskMiB ?? 64,
      fillerMiB: index === 0 ? (options.fillerMiB ?? 0) : 0
    })
  }
  const xml = guestXml(uuid, options)
  await host.must('cat | virsh -q define /dev/stdin', { stdin: xml }) // Node hands over a socket, which nobody can open
  return new Guest(host, { uuid, name: options.name, disks })
}

/** A guest that libvirt of this host knows, wherever it was made. A UUID is safer than a name. */
export async function findGuest(host: LabHost, nameOrUuid: string): Promise<Guest> {
  const xml = await host.must(['virsh', '-q', 'dumpxml', '--domain', nameOrUuid])
  const uuid = /<uuid>([^<]+)<\/uuid>/.exec(xml)?.[1] ?? ''
  const name = (await host.must(['virsh', '-q', 'domname', uuid])).trimEnd()
  return new Guest(host, { uuid, name, disks: disksIn(xml) })
}

/** One guest on one host. The same guest on another host is {@link Guest.on} that host. */
export class Guest {
  readonly host: LabHost
  readonly uuid: string
  readonly name: string
  readonly disks: readonly GuestDisk[]

  constructor(host: LabHost, { uuid, name, disks }: Pick<Guest, 'uuid' | 'name' | 'disks'>) {
    this.host = host
    this.uuid = uuid
    this.name = name
    this.disks = disks
  }

  /** The same guest as another host has it, for instance after a restore there. */
  on(host: LabHost): Guest {
    return new Guest(host, this)
  }

  start(): Promise<string> {
    return this.virsh('start', this.uuid)
  }

  /** Pulls the plug. */
  destroy(): Promise<string> {
    return this.virsh('destroy', this.uuid)
  }

  /** Asks the guest to shut down by its power button and waits until it has. */
  async shutdown(): Promise<void> {
    await this.virsh('shutdown', '--mode', 'acpi', this.uuid)
    await waitFor(`${this.name} to shut down`, async () => ((await this.state()) === 'shut off' ? true : undefined))
  }

  /** Forgets the definition and deletes disks and serial log. */
  async undefine(): Promise<void> {
    await this.virsh('undefine', this.uuid, '--nvram', '--checkpoints-metadata', '--snapshots-metadata')
    await this.host.must(['rm', '-f', '--', serialLog(this.uuid), ...this.disks.map((disk) => disk.path)])
  }

  /** As libvirt says it: running, paused, shut off and so on. */
  async state(): Promise<string> {
    return (await this.virsh('domstate', this.uuid)).trim()
  }

  /** The definition as it runs, or with `--inactive` as it is stored. */
  xml(...flags: readonly string[]): Promise<string> {
    return this.virsh('dumpxml', this.uuid, ...flags)
  }

  virsh(...words: readonly string[]): Promise<string> {
    return this.host.must(['virsh', '-q', ...words])
  }

  /** Everything that the guest has said on its serial port on this host. */
  log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'latin1') : ''
  }

  ticks(): Tick[] {
    return parseTicks(this.log())
  }

  lastTick(): Tick | undefined {
    return parseTicks(this.log().slice(-4000)).at(-1)
  }

  /** How the guest found its disks, at each of its boots on this host. */
  boots(): Boot[] {
    return parseBoots(this.log())
  }

  /** What a rewriting guest measured of itself, in MiB per second. */
  rewriteRates(): number[] {
    return parseRewriteRates(this.log())
  }

  /** Waits until the counter has reached `counter`. */
  waitForTick(counter: number, timeoutMs = PATIENCE_MS): Promise<Tick> {
    return waitFor(`tick ${counter} of ${this.name}`, () => this.#tickFrom(counter), { timeoutMs, everyMs: 25 })
  }

  /** Waits until `count` more ticks have come, whatever they count: the guest is alive. One that was restored begins again. */
  waitForMoreTicks(count = 5, timeoutMs = PATIENCE_MS): Promise<Tick> {
    const from = this.log().length
    const come = (): Tick | undefined => {
      const last = this.#tickFrom(0)
      return parseTicks(this.log().slice(from)).length >= count ? last : undefined
    }
    return waitFor(`${count} more ticks of ${this.name}`, come, { timeoutMs, everyMs: 25 })
  }

  /** Waits until the agent answers. */
  async waitForAgent(timeoutMs = PATIENCE_MS): Promise<void> {
    const ping = ['virsh', '-q', 'qemu-agent-command', this.uuid, '{"execute":"guest-ping"}']
    const answered = async () => ((await this.host.run(ping)).exitCode === 0 ? true : undefined)
    await waitFor(`the agent of ${this.name}`, answered, { timeoutMs })
  }

  /** Waits until a rewriting guest has filled its RAM and keeps rewriting. */
  async waitForRewriting(timeoutMs = PATIENCE_MS): Promise<void> {
    const filled = () => (/^REWRITE \d+ FILLED/m.test(this.log()) ? true : undefined)
    await waitFor(`${this.name} to rewrite its RAM`, filled, { timeoutMs })
  }

  verifyReports(): VerifyReport[] {
    return parseVerifyReports(this.log())
  }

  /** Makes a checking guest read all its records back past its page cache. */
  async requestVerify(timeoutMs = PATIENCE_MS): Promise<VerifyReport> {
    const before = this.verifyReports().length
    await this.command('verify')
    return waitFor(`the verification of ${this.name}`, () => this.verifyReports().at(before), { timeoutMs })
  }

  /** Says a word to the guest; `guest/init` knows what each means. */
  async command(word: GuestCommand): Promise<void> {
    const terminal = /<serial type='pty'>\s*<source path='([^']+)'/.exec(await this.xml())?.[1] ?? ''
    // QEMU looks once a second whether somebody has opened the terminal, and only then reads from it.
    await this.host.must(['sh', '-c', '{ printf "%s\\n" "$2"; sleep 2; } > "$1"', 'sh', terminal, word])
  }

  /** Says it again until the guest says that it did it: QEMU listens to its terminal only now and then. */
  async order(order: Order): Promise<void> {
    const done = (): number => this.log().split(`DID ${order}`).length
    const before = done()
    const say = async (): Promise<true | undefined> => {
      if (done() === before) await this.command(order)
      return done() > before ? true : undefined
    }
    await waitFor(`${this.name} to ${order}`, say, { timeoutMs: 120_000 })
  }

  /** Watches the serial port and notes when each tick arrives, give or take 3 ms while the process is idle. */
  recordTicks(): TickRecorder {
    const file = openSync(this.#logFile, 'r')
    const ticks: Tick[] = []
    let offset = fstatSync(file).size
    let rest = ''
    let discarding = offset > 0
    const timer = setInterval(() => {
      const chunk = Buffer.alloc(fstatSync(file).size - offset)
      if (chunk.length === 0) return
      const hostMs = Date.now()
      offset += readSync(file, chunk, 0, chunk.length, offset)
      const text = rest + chunk.toString('latin1')
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      const whole = discarding ? text.slice(text.indexOf('\n') + 1, end) : text.slice(0, end)
      if (end > 0) discarding = false
      ticks.push(...parseTicks(whole).map((tick) => ({ ...tick, hostMs })))
    }, 3)
    const stop = () => {
      clearInterval(timer)
      closeSync(file)
      return ticks
    }
    return { ticks, stop }
  }

  #tickFrom(counter: number): Tick | undefined {
    const last = this.lastTick()
    const panic = /Kernel panic[^\n]*/.exec(this.log().slice(-4000))?.[0]
    if (panic !== undefined)
      throw new LabError(`the kernel of ${this.name} has stopped (emulated RAM? docs/decisions/0008): ${panic}`)
    return last !== undefined && last.counter >= counter ? last : undefined
  }

  get #logFile(): string {
    return join(this.host.tree, serialLog(this.uuid))
  }
}

function disksIn(xml: string): GuestDisk[] {
  const disks = [...xml.matchAll(/<disk type='file' device='disk'>.*?<\/disk>/gs)].map(([disk]) => disk)
  return disks.map((disk) => ({
    target: /<target dev='([^']+)'/.exec(disk)?.[1] ?? '',
    path: /<source file='([^']+)'/.exec(disk)?.[1] ?? '',
    format: /<driver [^>]*type='raw'/.test(disk) ? 'raw' : 'qcow2'
  }))
}
