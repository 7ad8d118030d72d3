import { hostname } from 'node:os'
import { fail } from '../../shared/failure.ts'
import type { Channels, ChannelsChange, ChannelsView } from '../../shared/model/channels.ts'
import type { Shell } from '../../shared/shell.ts'
import { policyFiles } from '../policy/policy-file.ts'
import { hostTimeZone } from './host-time.ts'
import { changed, viewOf } from './change-channels.ts'
import { readChannels, TELL_FILES, writeChannels, type TellFiles } from './channels-file.ts'
import { sendMail } from './mail.ts'
import { dropOutbox, wakeOutbox } from './outbox.ts'
import { ensureTellTimer } from './tell-timer.ts'
import { testMessage } from './test-message.ts'
import { postWebhook } from './webhook.ts'

/** Without secrets. Of settings that cannot be read: none. */
export function channelsView(files: TellFiles = TELL_FILES): ChannelsView {
  try {
    return viewOf(readChannels(files))
  } catch {
    return {}
  }
}

/** What waits is tried again with the new settings; what waits for a channel that is gone is dropped. */
export async function putChannels(
  shell: Shell,
  change: ChannelsChange,
  files: TellFiles = TELL_FILES
): Promise<ChannelsView> {
  const channels = changed(readOrNone(change, files), change)
  await writeChannels(channels, files)
  for (const channel of ['mail', 'webhook'] as const)
    await (channels[channel] === undefined ? dropOutbox(channel, files) : wakeOutbox(channel, files))
  await ensureTellTimer(shell, files)
  return viewOf(channels)
}

/** Settings that cannot be read stand in nobody's way who sets all of them. */
function readOrNone(change: ChannelsChange, files: TellFiles): Channels {
  if (change.mail === undefined || change.webhook === undefined) return readChannels(files)
  try {
    return readChannels(files)
  } catch {
    return {}
  }
}

/** Sends a real message now. @throws `not-told` with what the server said, `usage` where there is no such channel */
export async function testChannel(
  channel: 'mail' | 'webhook',
  files: TellFiles = TELL_FILES
): Promise<{ text: string }> {
  const { mail, webhook } = readChannels(files)
  const message = testMessage(await nameOfHost(), new Date(), hostTimeZone())
  if (channel === 'webhook') return webhook === undefined ? missing('webhook') : postWebhook(webhook, message)
  if (mail === undefined) return missing('mail')
  const { text, refused } = await sendMail(mail, message)
  if (refused.length === 0) return { text: `${mail.server} took it for ${mail.to.join(', ')}: ${text}` }
  return fail({
    kind: 'not-told',
    channel,
    detail: `${mail.server} refused ${refused.join(', ')}, and took it for the others.`,
    fix: 'Check these addresses.'
  })
}

/** As the operator calls it, which its policies know; else as it calls itself. */
async function nameOfHost(): Promise<string> {
  const { policies } = await policyFiles()
  return policies.toSorted((a, b) => b.changedAt.localeCompare(a.changedAt))[0]?.hostName ?? hostname()
}

const missing = (channel: 'mail' | 'webhook'): never =>
  fail({ kind: 'usage', message: `This host has no ${channel} settings yet.` })
