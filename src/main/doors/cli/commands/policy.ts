import { Command } from 'commander'
import { findPolicy } from '../../../core/policies/find-policy.ts'
import { pausePolicy, putPolicy, removePolicy } from '../../../core/policies/policy-errands.ts'
import { policyFar } from '../../../../shared/far-time.ts'
import { EXIT } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import { draftOf, withCommandsRead, type PolicyOptions } from '../policy-draft.ts'
import { gathered, withPolicyFlags } from '../policy-flags.ts'
import { showFound } from '../policy-text.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'
import { timeText } from '../time-text.ts'
import { listCommand, showCommand } from './policy-list.ts'
import { runCommand } from './policy-run.ts'

export function policyCommand(perform: Perform): Command {
  const policy = new Command('policy').description('Schedules: what is backed up when, and how long it stays')
  for (const command of [add, listCommand, showCommand, edit, remove, runCommand, pause, resume])
    policy.addCommand(command(perform))
  return policy
}

const add = (perform: Perform): Command =>
  withPolicyFlags(
    leaf('add <NAME>', 'Back up VMs of a host by a schedule, which runs on the host itself', [
      "policy add nightly --host alpha --vms '*' --calendar '02:00' --keep-daily 7 --keep-weekly 4",
      "policy add db --host alpha --vms 'db*' --exclude db-test --calendar '*-*-* 0/4:15' --method live --keep-last 12",
      "policy add office --host alpha --vms files --calendar 'Mon..Fri 12,18:00' --expect 90 --mail-success --json"
    ])
      .requiredOption('--host <HOST>', 'the host that it is put on')
      .requiredOption(
        '--vms <PATTERN>',
        "by name, with * and ?, or by UUID; '*' is all; may be given several times",
        gathered
      )
      .requiredOption('--calendar <EXPRESSION>', 'when, as OnCalendar= of systemd has it, in the time of the host')
  ).action((name: string, options: PolicyOptions & { host: string }) =>
    perform(options, (session) => put(session, options.host, draftOf(name, withCommandsRead(options)), options))
  )

const edit = (perform: Perform): Command =>
  withPolicyFlags(
    leaf('edit <POLICY>', 'Change what is given, and nothing else; a run that goes on keeps what it began with', [
      "policy edit nightly --host alpha --calendar '03:30' --keep-daily 14",
      'policy edit nightly --name nights',
      'policy edit db --before-file ./dump.sh --before-must-succeed'
    ])
      .option('--host <HOST>', 'where several hosts have one of that name')
      .option('--name <NAME>', 'another name')
      .option('--vms <PATTERN>', 'other VMs', gathered)
      .option('--calendar <EXPRESSION>', 'another time')
  ).action((policy: string, options: PolicyOptions & { name?: string }) =>
    perform(options, async (session) => {
      const said = withCommandsRead(options)
      const { host, state } = await findPolicy(session.core, policy, said.host)
      const draft = draftOf(said.name ?? state.policy.name, said, state.policy)
      return put(session, host, draft, options)
    })
  )

async function put(
  session: Session,
  host: string,
  policy: ReturnType<typeof draftOf>,
  { acceptStore }: PolicyOptions
): Promise<typeof EXIT.done> {
  const accepted = acceptStore === undefined ? {} : { acceptStore }
  const { id } = await putPolicy(session.core, { host, policy, ...accepted })
  showFound(session.out, await findPolicy(session.core, id, host))
  return EXIT.done
}

const remove = (perform: Perform): Command =>
  leaf('remove <POLICY>', 'Take a schedule off its host. Its points stay, and nothing removes old ones from then on', [
    'policy remove nightly --host alpha'
  ])
    .option('--host <HOST>', 'where several hosts have one of that name')
    .action((name: string, options: ActionOptions & { host?: string }) =>
      perform(options, async ({ core, out }) => {
        const { host, state } = await findPolicy(core, name, options.host)
        const removed = await removePolicy(core, { host, id: state.policy.id })
        out.line(`${state.policy.name} is taken off ${host}. Its points stay.`)
        out.result({ host, policy: state.policy, removed })
        return EXIT.done
      })
    )

const pause = (perform: Perform): Command =>
  leaf('pause <POLICY>', 'No run of the timer until then, or until it is resumed; runs by hand go on', [
    'policy pause nightly --until 2026-12-24',
    'policy pause nightly'
  ])
    .option('--host <HOST>', 'where several hosts have one of that name')
    .option('--until <TIME>', 'a date, or a date and a time of this computer', timeText)
    .action((name: string, options: ActionOptions & { host?: string; until?: string }) =>
      perform(options, (session) => setPause(session, name, options.host, options.until ?? policyFar))
    )

const resume = (perform: Perform): Command =>
  leaf('resume <POLICY>', 'A schedule that was paused goes on', ['policy resume nightly'])
    .option('--host <HOST>', 'where several hosts have one of that name')
    .action((name: string, options: ActionOptions & { host?: string }) =>
      perform(options, (session) => setPause(session, name, options.host, undefined))
    )

async function setPause(
  session: Session,
  name: string,
  on: string | undefined,
  until: string | undefined
): Promise<typeof EXIT.done> {
  const { host, state } = await findPolicy(session.core, name, on)
  const { id } = state.policy
  await pausePolicy(session.core, { host, id, ...(until !== undefined && { until }) })
  showFound(session.out, await findPolicy(session.core, id, host))
  return EXIT.done
}
