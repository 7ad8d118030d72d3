import * as z from 'zod'
import { shorten } from '../safe-text.ts'
import { JobId, Uuid } from '../model/ids.ts'
import { PolicyId, RunId } from '../model/policy.ts'

/** Where in the window something is. `adding` and `firstSteps` open what the menu asks for. */
export const GoTo = z.discriminatedUnion('screen', [
  z.object({ screen: z.literal('overview'), firstSteps: z.boolean().optional() }),
  z.object({ screen: z.literal('job'), job: z.string() }),
  z.object({ screen: z.literal('vm'), host: z.string(), vm: z.string() }),
  z.object({ screen: z.literal('hosts'), host: z.string().optional(), adding: z.boolean().optional() }),
  z.object({ screen: z.enum(['restore', 'schedules', 'activity', 'downtime', 'settings']) })
])
export type GoTo = z.infer<typeof GoTo>

const OfHost = z.object({ host: z.string() })

/** What a notice is about, so that it can be seen whether that is over: a notice about several things is, when each is. */
export const Subject = z.discriminatedUnion('what', [
  /** A job that failed, until a later one of its kind goes well for its VM on its host (older notices do not say which). */
  OfHost.partial().extend({ what: z.literal('job'), job: JobId, kind: z.string(), vm: Uuid, endedAt: z.string() }),
  /** A run, until a later one of its policy goes well. */
  OfHost.extend({ what: z.literal('run'), policy: PolicyId, run: RunId }),
  /** Old points that were not pruned, until a later run of that policy prunes. */
  OfHost.extend({ what: z.literal('pruning'), policy: PolicyId, run: RunId }),
  /** Something that a policy says of itself (`problemInShort`; older notices have all of it), until it no longer does. */
  OfHost.extend({ what: z.literal('problem'), policy: PolicyId, problem: z.string() }),
  /** A message that waits, until it does no longer. */
  OfHost.extend({ what: z.literal('message'), message: z.string() }),
  /** The host cannot say which policies it has, until it can. */
  OfHost.extend({ what: z.literal('policies') })
])
export type Subject = z.infer<typeof Subject>

/** Enough to see whether it is still the same. */
export const problemInShort = (problem: string): string => shorten(problem, 500)

/** Something that the operator should hear, once: in the inbox, and where they want it as a notification. */
export const NoticeView = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  severity: z.enum(['good', 'info', 'warning', 'failure']),
  title: z.string(),
  text: z.string(),
  goTo: GoTo.optional(),
  about: z.array(Subject).readonly().optional(),
  /** Whose noise it would be if there were too many of its kind. */
  host: z.string().optional(),
  acknowledged: z.boolean()
})
export type NoticeView = z.infer<typeof NoticeView>

/** A question that only a person can answer, in the middle of connecting. */
export const Question = z.object({ id: z.string(), kind: z.literal('passphrase'), identityFile: z.string() })
export type Question = z.infer<typeof Question>
