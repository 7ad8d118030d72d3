import { setTimeout as sleep } from 'node:timers/promises'
import { takeInventory } from '../../../libvirt/inventory.ts'
import { failureOf, type Failure } from '../../../shared/failure.ts'
import type { Inventory } from '../../../shared/model/host.ts'
import type { Argv, Shell } from '../../../shared/shell.ts'
import type { Core } from '../core.ts'
import { FolderWords, WATCH_FOLDERS, type Folder } from './folder-script.ts'
import { SharedRun } from './shared-run.ts'

/** What is heard of one host. */
export interface HostListener {
  connecting(): void
  up(inventory: Inventory): void
  /** It answers, for the first time or again: jobs, policies and points can be asked for. @throws what asking fails with */
  contact(): Promise<void>
  /** Something has moved in these folders. @throws what asking fails with */
  moved(folders: readonly Folder[]): Promise<void>
  down(failure: Failure): void
}

const LOOK_EVERY_MS = 60_000
const ALIVE_WITHIN_MS = 4000
const SETTLE_MS = 1000
/** A host looks at its folders once a second: whatever comes more often is one question. */
const ASK_AGAIN_MS = 1000
const FIRST_BACK_OFF_MS = 2000
const LONGEST_BACK_OFF_MS = 60_000

/** Keeps an eye on one host: comes back by itself, looks at once when asked to, and when libvirt or a job moves. */
export class HostWatch {
  private readonly core: Core
  private readonly host: string
  private readonly listener: HostListener
  private readonly stopped = new AbortController()
  private hurry = new AbortController()
  private isInContact = false

  constructor(core: Core, host: string, listener: HostListener) {
    this.core = core
    this.host = host
    this.listener = listener
    void this.run()
  }

  /** Looks now: also at a host that is down, without waiting for the next try. */
  refresh(): void {
    this.hurry.abort()
  }

  /** After a sleep: what is known counts as old until it has been seen again, and a connection that has died is let go at once. */
  wake(): void {
    this.listener.connecting()
    this.refresh()
    void this.comeBack()
  }

  stop(): void {
    this.stopped.abort()
    this.hurry.abort()
  }

  /** A connection that has lived through the sleep is asked what happened meanwhile; without one that is asked anyway. */
  private async comeBack(): Promise<void> {
    const wasInContact = this.isInContact
    try {
      const { shell } = await this.core.connections.connection(this.host)
      await shell.run(['true'], { timeoutMs: ALIVE_WITHIN_MS })
      if (wasInContact && this.isInContact) await this.listener.contact()
    } catch {
      await this.core.connections.drop(this.host)
    }
  }

  /** A method, so that the compiler does not take it for settled. */
  private isOver(): boolean {
    return this.stopped.signal.aborted
  }

  private async run(): Promise<void> {
    let backOffMs = FIRST_BACK_OFF_MS
    while (!this.isOver()) {
      const startedAt = Date.now()
      try {
        this.listener.connecting()
        await this.contact()
      } catch (error) {
        if (!this.isOver()) this.listener.down(failureOf(error))
      }
      // A host that was up for a while is tried again soon; several hosts do not all come back in one instant.
      backOffMs =
        Date.now() - startedAt > LOOK_EVERY_MS ? FIRST_BACK_OFF_MS : Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS)
      if (await this.pause(backOffMs * (0.75 + Math.random() / 2))) backOffMs = FIRST_BACK_OFF_MS
    }
  }

  /** Until the connection breaks, or this is stopped. */
  private async contact(): Promise<void> {
    const { shell } = await this.core.connections.connection(this.host)
    await this.look(shell)
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, this.stopped.signal])
    try {
      this.isInContact = true
      await this.listener.contact()
      await Promise.race([
        this.keepLooking(shell, signal),
        this.watchFolders(shell, signal),
        this.watchVms(shell, signal)
      ])
    } finally {
      this.isInContact = false
      ended.abort()
    }
  }

  private async keepLooking(shell: Shell, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.pause(LOOK_EVERY_MS)
      if (signal.aborted) return
      await this.look(shell)
    }
  }

  private async look(shell: Shell): Promise<void> {
    this.listener.up(await takeInventory(shell))
  }

  /** Also of jobs that another laptop or the terminal has begun, and of runs that nobody here began. */
  private async watchFolders(shell: Shell, signal: AbortSignal): Promise<void> {
    const moved = new Set<Folder>()
    const ask = new SharedRun(async () => {
      const folders = [...moved]
      moved.clear()
      await this.listener.moved(folders)
    }, ASK_AGAIN_MS)
    const words = new FolderWords()
    await this.stream(shell, WATCH_FOLDERS, signal, (chunk) => {
      const folders = words.take(chunk)
      folders.forEach((folder) => moved.add(folder))
      return folders.length === 0 ? undefined : ask
    })
  }

  /**
   * libvirt says when a VM starts, stops, pauses or is defined; what it says is not kept. Where it does not, the next look
   * tells. One look for all that happens within a second: a capture pauses and resumes its VM, and must not be disturbed by
   * it.
   */
  private async watchVms(shell: Shell, signal: AbortSignal): Promise<void> {
    const look = new SharedRun(async () => {
      await sleep(SETTLE_MS, undefined, { ref: false })
      if (!signal.aborted) await this.look(shell)
    })
    while (!signal.aborted) {
      const events: Argv = ['virsh', '-q', '-c', 'qemu:///system', 'event', '--event', 'lifecycle', '--loop']
      await this.stream(shell, events, signal, () => look)
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Until it ends, or what is done about it fails. */
  private async stream(
    shell: Shell,
    argv: Argv,
    signal: AbortSignal,
    heard: (chunk: Uint8Array) => SharedRun | undefined
  ): Promise<void> {
    const failed = new AbortController()
    let problem: unknown
    let asked: Promise<void> | undefined
    const onStdout = (chunk: Uint8Array): void => {
      const before = asked
      asked = heard(chunk)?.ask() ?? before
      if (asked === before) return // as long as there is a flood nothing is held for a piece of it
      asked?.catch((error: unknown) => {
        problem ??= error
        failed.abort()
      })
    }
    const ended = AbortSignal.any([signal, failed.signal])
    await shell.run(argv, { onStdout, signal: ended, timeoutMs: Infinity }).catch((error: unknown) => {
      if (problem === undefined) throw error
    })
    if (problem !== undefined) throw problem as Error
  }

  /** True if it was cut short. */
  private async pause(ms: number): Promise<boolean> {
    if (this.isOver()) return true
    this.hurry = new AbortController()
    return sleep(ms, undefined, { signal: this.hurry.signal, ref: false }).then(
      () => false,
      () => true
    )
  }
}
