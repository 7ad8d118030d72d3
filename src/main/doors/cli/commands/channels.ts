import { Command } from 'commander'
import { testChannel } from '../../../core/policies/policy-errands.ts'
import { readPolicies } from '../../../core/policies/read-policies.ts'
import { requireHost } from '../../../core/hosts/host-book.ts'
import { fail } from '../../../../shared/failure.ts'
import { changeOn, channelsText, onHost, type OnHost } from '../channel-change.ts'
import { EXIT } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import type { Perform } from '../run-program.ts'
import { setMail, setWebhook } from './channels-set.ts'

export function channelsCommand(perform: Perform): Command {
  const channels = new Command('channels').description('How a host tells of its runs: mail and webhook')
  for (const command of [show, setMail, setWebhook, remove, test]) channels.addCommand(command(perform))
  return channels
}

const show = (perform: Perform): Command =>
  onHost(
    leaf('show', 'What is set, without its secrets, and what waits to be sent', ['channels show --host alpha'])
  ).action((options: OnHost) =>
    perform(options, async ({ core, out }) => {
      const { name: host } = requireHost(core.settings.read(), options.host)
      const { channels, outbox } = await readPolicies(core, host)
      out.line(channelsText(channels, outbox))
      out.result({ host, channels, outbox })
      return EXIT.done
    })
  )

const remove = (perform: Perform): Command =>
  onHost(
    leaf('remove <CHANNEL>', 'Take mail or webhook away, with its secrets', ['channels remove mail --host alpha'])
  ).action((channel: string, options: OnHost) =>
    perform(options, (session) => changeOn(session, options.host, { [channelNamed(channel)]: null }))
  )

const test = (perform: Perform): Command =>
  onHost(leaf('test <CHANNEL>', 'Send a test message from the host, now', ['channels test mail --host alpha'])).action(
    (channel: string, options: OnHost) =>
      perform(options, async ({ core, out }) => {
        const { host } = options
        const { text } = await testChannel(core, { host, channel: channelNamed(channel) })
        out.line(text)
        out.result({ host, channel, text })
        return EXIT.done
      })
  )

const channelNamed = (text: string): 'mail' | 'webhook' =>
  text === 'mail' || text === 'webhook'
    ? text
    : fail({ kind: 'usage', message: `"${text}" is neither mail nor webhook.` })
