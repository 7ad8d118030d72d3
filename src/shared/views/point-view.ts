import * as z from 'zod'
import { PointId, PolicyName, Uuid } from '../model/ids.ts'
import { Method } from '../model/point.ts'
import { Bytes, Milliseconds, Moment } from '../model/figures.ts'

/** The last time that every byte was read and compared. */
export const Verdict = z.object({ at: Moment, good: z.boolean() })
export type Verdict = z.infer<typeof Verdict>

/** A store that has a point. */
export const PlaceView = z.object({
  kind: z.enum(['host', 'local']),
  /** Undefined: this computer. */
  host: z.string().optional(),
  dir: z.string(),
  /** As the operator names it: `alpha`, `alpha:/srv/points`, `/mnt/usb`. Names the place in questions. */
  label: z.string(),
  /** False: it did not answer when it was last asked, so what it has is what was last known. */
  reachable: z.boolean(),
  /** Of its own copy. */
  verified: Verdict.optional(),
  /** Of its own copy, where copies differ in that. To have it as it is there, the place is named. */
  hasMemory: z.boolean().optional()
})
export type PlaceView = z.infer<typeof PlaceView>

export const LONGEST_NOTE = 2000

/** What is known beside a point; kept next to it in its store. */
export const PointMarks = z.object({
  pinned: z.boolean(),
  note: z.string().max(LONGEST_NOTE).optional(),
  verified: Verdict.optional()
})
export type PointMarks = z.infer<typeof PointMarks>

/** What is to be another; an empty note is none. */
export const MarksChange = PointMarks.partial()
export type MarksChange = z.infer<typeof MarksChange>

export const PointView = z.object({
  id: PointId,
  vm: z.object({ uuid: Uuid, name: z.string() }),
  /** The host it was taken on, as it is called here. */
  host: z.string(),
  /** It is none of ours: the name is the point's own word. */
  isHostUnknown: z.boolean().optional(),
  /** It is one of ours, which never told of it: that it was taken there is the point's own word. */
  notToldBy: z.string().optional(),
  takenAt: Moment,
  method: Method,
  hasMemory: z.boolean(),
  disks: z.array(z.object({ target: z.string(), source: z.string() })).readonly(),
  sizeBytes: Bytes,
  pauseMs: Milliseconds,
  /** RAM alone, of all that it takes. */
  memoryBytes: Bytes.optional(),
  policy: PolicyName.optional(),
  warnings: z.array(z.string()).readonly(),
  places: z.array(PlaceView).readonly(),
  /** Labels of places that have another point of this id: where it is named, one of its own is named too. */
  rivals: z.array(z.string()).readonly().optional(),
  /** Hosts that have told of it before, beside those of its places. */
  toldBy: z.array(z.string()).readonly().optional(),
  /** This computer keeps it, or has put it where it is: that is nobody's word alone. */
  isOurs: z.boolean().optional(),
  marks: PointMarks
})
export type PointView = z.infer<typeof PointView>

/** What looks like a point and cannot be read or trusted. */
export const BrokenPoint = z.object({ where: z.string(), path: z.string(), reason: z.string() })
export type BrokenPoint = z.infer<typeof BrokenPoint>

/**
 * `known` is false until every store has been asked once: only then may a VM be called unprotected. One that is on a host already
 * when those of that host have been asked, and of this computer: `knownOf` names such hosts while others have still to be asked.
 */
export const PointsView = z.object({
  points: z.array(PointView).readonly(),
  broken: z.array(BrokenPoint).readonly(),
  known: z.boolean(),
  knownOf: z.array(z.string()).readonly().optional()
})
export type PointsView = z.infer<typeof PointsView>
