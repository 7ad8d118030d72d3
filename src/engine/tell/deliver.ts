import { setTimeout as sleep } from 'node:timers/promises'
import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf } from '../../shared/failure.ts'
import type { Channels } from '../../shared/model/channels.ts'
import type { Told } from '../../shared/model/policy.ts'
import { readChannels, TELL_FILES, type TellFiles } from './channels-file.ts'
import { sendMail } from './mail.ts'
import type { Message } from './message.ts'
import { afterFailure, drop, isDue, keep, readOutbox, sweepOutbox, type Waiting } from './outbox.ts'
import { postWebhook } from './webhook.ts'

/** The timer leaves alone for so long what is being sent for the first time. */
const FIRST_TRY_MS = 120_000
/** A run waits no longer for its messages. */
const PATIENCE_MS = 50_000

/** The message for each channel there is, on disk: from now on it is not forgotten. */
export async function post(
  message: Message,
  channels: Channels,
  to: readonly string[],
  files: TellFiles = TELL_FILES
): Promise<Waiting[]> {
  const nextTryAt = new Date(Date.now() + FIRST_TRY_MS).toISOString()
  const items = (['mail', 'webhook'] as const)
    .filter((channel) => channels[channel] !== undefined)
    .map((channel): Waiting => ({
      version: 1,
      channel,
      message,
      to: channel === 'mail' ? [...to] : [],
      tries: 0,
      lastError: '',
      nextTryAt
    }))
  for (const item of items) await keep(item, files)
  return items
}

/** Sends these at once, each channel by itself. What takes too long goes on waiting in the outbox. */
export function deliverNow(
  items: readonly Waiting[],
  channels: Channels,
  files: TellFiles = TELL_FILES
): Promise<Told[]> {
  return Promise.all(items.map((item) => Promise.race([deliver(item, channels, files), tooSlow(item)])))
}

const tooSlow = async ({ channel }: Waiting): Promise<Told> => {
  await sleep(PATIENCE_MS, undefined, { ref: false })
  return { channel, ok: false, text: 'no answer yet; it is tried again' }
}

/** One try. Taken: out of the outbox. Not taken: back, with its next try. Recipients who have it do not get it again. */
export async function deliver(item: Waiting, channels: Channels, files: TellFiles = TELL_FILES): Promise<Told> {
  const { channel } = item
  try {
    const { text, refused } = await send(item, channels)
    if (refused.length > 0) {
      const error = `refused for ${refused.join(', ')}; the others have it`
      await keep(afterFailure({ ...item, to: [...refused] }, error, new Date()), files)
      return { channel, ok: false, text: error }
    }
    await drop(item, files)
    return { channel, ok: true, text }
  } catch (error) {
    const text = describeFailure(failureOf(error)).explanation
    await keep(afterFailure(item, text, new Date()), files)
    return { channel, ok: false, text }
  }
}

async function send(
  { channel, message, to }: Waiting,
  { mail, webhook }: Channels
): Promise<{ text: string; refused: readonly string[] }> {
  if (channel === 'mail' && mail !== undefined) return sendMail(mail, message, to)
  if (channel === 'webhook' && webhook !== undefined) return { ...(await postWebhook(webhook, message)), refused: [] }
  throw new Error(`no ${channel} settings`)
}

/**
 * Tries what is due, oldest first. A channel that fails is let be until the next time: a server that is down costs one
 * deadline, not one for each message.
 */
export async function flushOutbox(files: TellFiles = TELL_FILES): Promise<void> {
  const channels = readChannels(files)
  const due = readOutbox(files).filter((item) => isDue(item, new Date()))
  await Promise.all(
    (['mail', 'webhook'] as const).map(async (channel) => {
      for (const item of due.filter((each) => each.channel === channel && channels[channel] !== undefined))
        if (!(await deliver(item, channels, files)).ok) break
    })
  )
  await sweepOutbox(new Date(), files)
}
