import * as z from 'zod'
import { EngineName, EngineText, EngineWord } from '../engine-limits.ts'
import { Count, Moment } from './figures.ts'

/** How a host tells: its mail and webhook settings. Secrets stay on the host and are only ever written. */
const Text = z.string().min(1).max(500)
const Secret = z.string().min(1).max(4096)

const MailFields = {
  server: Text,
  port: z.number().int().min(1).max(65_535),
  /** `starttls` and `tls` check the server's certificate against its name. */
  security: z.enum(['starttls', 'tls', 'none']),
  user: Text.optional(),
  from: z.string().min(3).max(320),
  to: z.array(z.string().min(3).max(320)).min(1).max(20),
  /** PEM of a certificate authority of one's own. */
  ca: z.string().max(65_536).optional()
}
export const WEBHOOK_FORMS = ['json', 'ntfy', 'slack', 'teams', 'gotify'] as const
const WebhookFields = { form: z.enum(WEBHOOK_FORMS) }

export const MailChannel = z.strictObject({ ...MailFields, password: Secret.optional() })
export type MailChannel = z.infer<typeof MailChannel>
/** The address may itself be the secret (Slack, Teams), so it counts as one. */
export const WebhookChannel = z.strictObject({ ...WebhookFields, url: z.url().max(2000), token: Secret.optional() })
export type WebhookChannel = z.infer<typeof WebhookChannel>

/** As it lies on the host, root-only. */
export const Channels = z.strictObject({ mail: MailChannel.optional(), webhook: WebhookChannel.optional() })
export type Channels = z.infer<typeof Channels>

/** As it may be shown. */
export const ChannelsView = z.object({
  mail: z.object({ ...MailFields, hasPassword: z.boolean() }).optional(),
  /** `where`: scheme and host of the address, for instance `https://ntfy.example.org`. */
  webhook: z.object({ ...WebhookFields, where: EngineName, hasToken: z.boolean() }).optional()
})
export type ChannelsView = z.infer<typeof ChannelsView>

/** `null` takes a channel away, what is left out stays. A secret that is left out stays as it is on the host. */
export const ChannelsChange = z.strictObject({
  mail: MailChannel.nullable().optional(),
  webhook: WebhookChannel.partial({ url: true }).nullable().optional()
})
export type ChannelsChange = z.infer<typeof ChannelsChange>

/** A message that waits on the host for its next try. */
export const OutboxItem = z.object({
  id: EngineWord,
  channel: z.enum(['mail', 'webhook']),
  subject: EngineText,
  at: Moment,
  tries: Count,
  lastError: EngineText,
  /** Undefined: given up. */
  nextTryAt: Moment.optional()
})
export type OutboxItem = z.infer<typeof OutboxItem>
