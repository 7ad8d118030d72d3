import * as z from 'zod'
import type { JournalEntry } from '../../shared/model/job.ts'
import { ofType } from '../../shared/job-report.ts'
import {
  CaptureDisk,
  CapturePlan,
  extraStep,
  GO_ON_STEP,
  STOOD_STEP,
  PLAN_STEP,
  pivotStep,
  stayStep,
  SAVE_STEP,
  writeStep
} from '../capture/capture-plan.ts'
import type { Began, Pivoted } from '../capture/commit-overlay.ts'
import { HeldDisk, HOLD_STEP, SAMPLES_STEP } from '../capture/hold-disks.ts'
import { MAKE_STEP, PlacedFile, PLACED_STEP, PLACE_STEP, type Placed } from '../capture/overlay-owner.ts'
import { SEEN_STEP } from '../evidence/seen.ts'
import { LogPosition } from '../evidence/vm-history.ts'
import { VmBefore } from '../evidence/vm-before.ts'
import { VmProcess } from '../evidence/vm-process.ts'

/** Those that tell of the overlays that there are now: a backup that is planned anew makes others, of the same names. */
export function sinceLastPlan(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  const plan = entries.findLastIndex((entry) => entry.type === 'step' && entry.step === PLAN_STEP)
  return entries.slice(Math.max(0, plan))
}

/** What the journal of a backup says; only what was announced can have happened. */
export class BackupTrace {
  readonly plan: CapturePlan | undefined
  readonly before: VmBefore
  /** How the images stood when their VM had gone over to overlays. Undefined: it was not noted. */
  readonly held: readonly HeldDisk[] | undefined
  /** The host has not been booted since. */
  readonly bootId: string | undefined
  /** Disks that a snapshot took along, and that were found only when overlays were committed. */
  readonly extras: readonly CaptureDisk[]
  /** The VM was paused by this job, and nothing of the job has ended that. A newer plan of the job changes nothing of it. */
  readonly wePaused: boolean
  /** That pause was not seen to come: in this boot of the host it may be on its way still. */
  readonly pauseMayCome: boolean
  /** How the VM is to stand: as its owner had it last, as far as this job has seen. */
  readonly stateBefore: CapturePlan['stateBefore'] | undefined
  private readonly data: ReadonlyMap<string, Record<string, unknown>>
  private readonly finished: ReadonlySet<string>
  private readonly steps: readonly string[]
  /** What was announced since the last plan, in its order. */
  private readonly ofOverlays: readonly { readonly step: string; readonly data?: Record<string, unknown> | undefined }[]
  private readonly finishedOverlays: ReadonlySet<string>

  constructor(entries: readonly JournalEntry[]) {
    const steps = ofType(entries, 'step')
    this.steps = steps.map(({ step }) => step)
    this.data = new Map(steps.map(({ step, data = {} }) => [step, data]))
    const plan = this.data.get(PLAN_STEP)?.['plan']
    this.plan = plan === undefined ? undefined : CapturePlan.parse(plan)
    this.before = VmBefore.catch({}).parse(this.data.get(PLAN_STEP)?.['before'] ?? {})
    const latest = sinceLastPlan(entries)
    this.ofOverlays = ofType(latest, 'step')
    this.finishedOverlays = new Set(ofType(latest, 'step-done').map(({ step }) => step))
    this.held = this.heldBy(SAMPLES_STEP) ?? this.heldBy(HOLD_STEP)
    this.extras = this.ofOverlays.flatMap(({ step, data }) => {
      const disk = CaptureDisk.safeParse(data?.['disk']).data
      return disk !== undefined && step === extraStep(disk.target) ? [disk] : []
    })
    this.bootId = ofType(entries, 'begin')[0]?.bootId
    const stand = standOf(entries)
    this.wePaused = stand.wePaused
    this.pauseMayCome = stand.pauseMayCome
    this.stateBefore = stand.state
    this.finished = new Set(ofType(entries, 'step-done').map(({ step }) => step))
  }

  announced(step: string): boolean {
    return this.data.has(step)
  }

  /** Announced for the overlays that there are now. */
  announcedSincePlan(step: string): boolean {
    return this.announcedWith(step).length > 0
  }

  done(step: string): boolean {
    return this.finished.has(step)
  }

  /** What the step was announced with, the last time. */
  dataOf(step: string): Record<string, unknown> | undefined {
    return this.data.get(step)
  }

  /** How the VM stood just before its RAM was saved by the classic method. */
  get beforeSave(): VmBefore {
    return VmBefore.catch({}).parse(this.data.get(SAVE_STEP)?.['before'] ?? {})
  }

  /** How often a step was begun. */
  times(step: string): number {
    return this.steps.filter((each) => each === step).length
  }

  /** How the overlay of this disk was begun to be written into its image. Engines before this one did not note how. */
  commitBegan(target: string): Began | undefined {
    const began = this.announcedWith(writeStep(target))
    if (began.length === 0) return undefined
    return began.every(({ live }) => live === false) ? 'at rest' : 'in use'
  }

  /** The empty files that libvirt was to make overlays of: it was asked for none before they were noted. */
  get placed(): Placed {
    const noted = this.announcedWith(PLACED_STEP).at(-1)
    const files = z.array(PlacedFile).catch([]).parse(noted?.['placed'])
    const isPlacing = noted === undefined && this.announcedSincePlan(PLACE_STEP)
    const isMaking = this.announcedSincePlan(MAKE_STEP) && !this.finishedOverlays.has(MAKE_STEP)
    return { isUnfinished: isPlacing || isMaking, files }
  }

  /** The QEMU that an undo has started, on images that it had compared with how they were. It is of that boot of the host. */
  get started(): { readonly process: VmProcess; readonly bootId: string } | undefined {
    return Started.safeParse(this.announcedWith(STARTED_STEP).at(-1)).data
  }

  /** What was noted when a QEMU was told to go over to the image of this disk. Undefined: none was, or it was seen not to. */
  pivoted(target: string): Pivoted | undefined {
    const told = this.ofOverlays.findLast(({ step }) => step === pivotStep(target) || step === stayStep(target))
    if (told?.step !== pivotStep(target)) return undefined
    const { data = {} } = told
    const process = VmProcess.optional().catch(undefined).parse(data['process'])
    const node = z.string().optional().catch(undefined).parse(data['node'])
    const log = LogPosition.optional().catch(undefined).parse(data['log'])
    const done = this.finishedOverlays.has(pivotStep(target))
    return { process, node, log, wasDefined: data['wasDefined'] === true, done }
  }

  private announcedWith(step: string): Record<string, unknown>[] {
    return this.ofOverlays.flatMap((each) => (each.step === step ? [each.data ?? {}] : []))
  }

  private heldBy(step: string): HeldDisk[] | undefined {
    return z.array(HeldDisk).optional().catch(undefined).parse(this.announcedWith(step).at(-1)?.['held'])
  }

  /** Announced, and not known to be over, or undone. */
  pending(step: string, undoneBy = step): boolean {
    return this.announced(step) && !this.done(undoneBy)
  }
}

/** Of an undo: it ends a pause that the job made. */
export const UNDO_PAUSE_STEP = 'undo.go-on'
export const LOAD_RAM_STEP = 'undo.load-ram'
/** Says which QEMU runs since an undo has started its VM. */
export const STARTED_STEP = 'undo.started'

const Started = z.object({ process: VmProcess, bootId: z.string() })

interface Stand {
  readonly wePaused: boolean
  readonly pauseMayCome: boolean
  readonly state: CapturePlan['stateBefore'] | undefined
}

/** Whose pause it is goes by the order in which things were said. */
function standOf(entries: readonly JournalEntry[]): Stand {
  let wePaused = false
  let pauseMayCome = false
  let state: Stand['state']
  for (const entry of entries) {
    if (entry.type === 'step-done' && ENDS_PAUSE.includes(entry.step)) wePaused = pauseMayCome = false
    if (entry.type === 'step-done' && PAUSES.includes(entry.step)) pauseMayCome = false
    if (entry.type !== 'step') continue
    const told = STATE_IN[entry.step]?.(entry.data ?? {})
    // A plan made in a pause of ours says nothing of the owner.
    if (told !== undefined && !(wePaused && entry.step === PLAN_STEP)) state = told
    if (entry.step === 'force-pause' || (entry.step === 'suspend' && state === 'running'))
      wePaused = pauseMayCome = true
  }
  return { wePaused, pauseMayCome, state }
}

const PAUSES = ['suspend', 'force-pause']
const ENDS_PAUSE = [GO_ON_STEP, STOOD_STEP, 'restore', UNDO_PAUSE_STEP, LOAD_RAM_STEP]

const State = CapturePlan.shape.stateBefore.optional().catch(undefined)
/** Steps that say how the owner had the VM. */
const STATE_IN: Readonly<Record<string, (data: Record<string, unknown>) => Stand['state']>> = {
  [PLAN_STEP]: ({ plan }) => z.object({ stateBefore: State }).catch({ stateBefore: undefined }).parse(plan).stateBefore,
  suspend: ({ stateBefore }) => State.parse(stateBefore),
  [STOOD_STEP]: ({ state }) => State.parse(state),
  [SEEN_STEP]: ({ state }) => State.parse(state)
}
