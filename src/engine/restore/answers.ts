import { capital } from '../../shared/capital.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { DomainXml } from '../../libvirt/domain-xml.ts'
import type { Checklist, Unmet } from './checklist.ts'
import { Choices, type Chosen } from './choices.ts'
import type { DisplacedVm } from './restore-plan.ts'

/** A definition that the restore goes by: that of the next start, or the RAM's. */
export interface Asking {
  readonly xml: string
  readonly domain: DomainXml
}

/** What is looked at together. */
export interface NeedsRequest {
  readonly asking: readonly Asking[]
  /** VMs that make way: what they have is free then. */
  readonly displaced: readonly DisplacedVm[]
  /** Files that come from the point where they are not here. */
  readonly brought: readonly string[]
  /** A second VM beside the first: what only one of them can have is made anew anyway. */
  readonly isCopy: boolean
}

/**
 * What becomes of all that the definitions ask of this host: said in the checklist, and done to both of them. What is chosen
 * is done the same way by a check and by a restore, since both plan by this.
 */
export class Answers {
  readonly choices: Choices
  readonly list: Checklist
  /** The VM is started, so that what is not here stops the restore; one that is only defined waits for it. */
  readonly starts: boolean
  /** The program of this host that runs the VM, where its own is not here. */
  emulator: string | undefined
  private readonly edits: ((xml: string) => string)[] = []
  private readonly seen: string[] = []

  constructor(spec: RestoreSpec, list: Checklist) {
    this.choices = new Choices(spec)
    this.list = list
    this.starts = spec.mode !== 'define'
  }

  /** `seenBy` the guest, in words: its RAM does not fit then. */
  edit(change: (xml: string) => string, seenBy?: string): void {
    this.edits.push(change)
    if (seenBy !== undefined) this.seen.push(seenBy)
  }

  apply(xml: string): string {
    return this.edits.reduce((edited, change) => change(edited), xml)
  }

  /** Why RAM does not fit a VM that these answers make. */
  get misfits(): readonly string[] {
    return this.seen
  }

  unmet(check: string, unmet: Unmet): void {
    this.list.unmet(check, this.starts, unmet)
  }

  /** What was decided earlier is said louder: nobody has typed it today. */
  done(check: string, text: string, { isAsked }: Chosen<unknown>): void {
    if (isAsked) this.list.ok(check, `${text}, as chosen`)
    else
      this.list.warning(check, `${capital(text)}, as chosen for this host before`, {
        fix: 'leave that aside with --no-remembered',
        remembered: true
      })
  }
}
