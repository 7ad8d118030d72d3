import type { Command } from 'commander'
import { changeChannels } from '../../core/policies/policy-errands.ts'
import { fail } from '../../../shared/failure.ts'
import { formatTime } from '../../../shared/format.ts'
import { ChannelsChange, type ChannelsView, type OutboxItem } from '../../../shared/model/channels.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { Output } from './output.ts'
import type { ActionOptions } from './run-program.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'

export type OnHost = ActionOptions & { readonly host: string }

export const onHost = (command: Command): Command => command.requiredOption('--host <HOST>', 'the host that tells')

/** @throws `usage` with what does not fit */
export async function changeOn({ core, out }: Session, host: string, wanted: unknown): Promise<ExitCode> {
  const checked = ChannelsChange.safeParse(wanted)
  if (!checked.success) {
    const [issue] = checked.error.issues
    return fail({ kind: 'usage', message: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
  }
  const channels = await changeChannels(core, { host, change: checked.data })
  showChannels(out, host, channels)
  return EXIT.done
}

function showChannels(out: Output, host: string, channels: ChannelsView): void {
  out.line(channelsText(channels, []))
  out.result({ host, channels })
}

export function channelsText({ mail, webhook }: ChannelsView, outbox: readonly OutboxItem[]): string[] {
  const login =
    mail?.user === undefined ? 'no login' : `login ${mail.user}${mail.hasPassword ? ', password set' : ', no password'}`
  return fields([
    [
      'mail',
      mail
        ? `${mail.from} to ${mail.to.join(', ')} by ${mail.server}:${mail.port} (${mail.security}), ${login}`
        : 'none'
    ],
    ['webhook', webhook ? `${webhook.form} at ${webhook.where}${webhook.hasToken ? ', token set' : ''}` : 'none'],
    ...outbox.map((item) => ['waits', waitWords(item)] as const)
  ])
}

const waitWords = ({ channel, subject, tries, lastError, nextTryAt }: OutboxItem): string =>
  `${channel}, ${subject}: ${lastError} (${tries} tries, ${nextTryAt === undefined ? 'given up' : `next ${formatTime(nextTryAt)}`})`
