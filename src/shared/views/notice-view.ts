import * as z from 'zod'

/** Where in the window something is. `adding` and `firstSteps` open what the menu asks for. */
export const GoTo = z.discriminatedUnion('screen', [
  z.object({ screen: z.literal('overview'), firstSteps: z.boolean().optional() }),
  z.object({ screen: z.literal('job'), job: z.string() }),
  z.object({ screen: z.literal('vm'), host: z.string(), vm: z.string() }),
  z.object({ screen: z.literal('hosts'), host: z.string().optional(), adding: z.boolean().optional() }),
  z.object({ screen: z.enum(['restore', 'schedules', 'activity', 'downtime', 'settings']) })
])
export type GoTo = z.infer<typeof GoTo>

/** Something that the operator should hear, once: in the inbox, and where they want it as a notification. */
export const NoticeView = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  severity: z.enum(['good', 'info', 'warning', 'failure']),
  title: z.string(),
  text: z.string(),
  goTo: GoTo.optional(),
  acknowledged: z.boolean()
})
export type NoticeView = z.infer<typeof NoticeView>

/** A question that only a person can answer, in the middle of connecting. */
export const Question = z.object({ id: z.string(), kind: z.literal('passphrase'), identityFile: z.string() })
export type Question = z.infer<typeof Question>
