import { fail } from '../../shared/failure.ts'
import type { MailChannel } from '../../shared/model/channels.ts'
import { oneLine, shorten } from '../../shared/safe-text.ts'
import { htmlOf } from './mail-html.ts'
import { mailFailure } from './mail-failure.ts'
import { textOf } from './mail-text.ts'
import { cleaned, type Message } from './message.ts'
import { smtpSend } from './smtp.ts'

export interface MailTaken {
  /** What the server answered. */
  readonly text: string
  /** Recipients it refused, while it took the mail for others. */
  readonly refused: readonly string[]
}

/** Sends it to `to`, or whoever the channel names. @throws `not-told` */
export async function sendMail(channel: MailChannel, told: Message, to: readonly string[] = []): Promise<MailTaken> {
  const recipients = to.length === 0 ? channel.to : to
  const envelope = { from: addressOf(channel.from), to: recipients.map(addressOf) }
  const mime = await mimeOf(channel, told, recipients)
  try {
    const { response, rejected } = await smtpSend(channel, envelope, mime)
    return { text: shorten(oneLine(response), 300), refused: rejected }
  } catch (error) {
    return fail(mailFailure(channel, error), error)
  }
}

/** The mail as it goes over the wire: text and HTML, with headers that mark it as a machine's. */
export async function mimeOf(
  channel: Pick<MailChannel, 'from'>,
  told: Message,
  to: readonly string[]
): Promise<Buffer> {
  // As in smtp.ts, for few.
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const message = cleaned(told)
  return new MailComposer({
    from: channel.from,
    to: [...to],
    subject: message.subject,
    date: new Date(message.at),
    messageId: messageIdOf(channel.from, message.id),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    text: textOf(message),
    html: htmlOf(message),
    disableFileAccess: true,
    disableUrlAccess: true
  })
    .compile()
    .build()
}

/** The same for each try of a message: a reader that got it already does not show it again. */
const messageIdOf = (from: string, id: string): string =>
  `<stillpoint.${id}@${addressOf(from).split('@').at(-1) ?? ''}>`

/** Of `Name <name@example.org>`. */
export const addressOf = (text: string): string => /<([^<>]+)>\s*$/.exec(text)?.[1] ?? text.trim()
