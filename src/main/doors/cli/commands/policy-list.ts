import type { Command } from 'commander'
import { findPolicy, listPolicies } from '../../../core/policies/find-policy.ts'
import { formatTime } from '../../../../shared/format.ts'
import { leftOutWords, storesLeftOutWords } from '../../../../shared/safety-words.ts'
import { runStateWords } from '../../../../shared/run-words.ts'
import type { HostPolicies } from '../../../../shared/views/policy-view.ts'
import { EXIT } from '../exit-codes.ts'
import { unreachableJson } from '../json-views.ts'
import { leaf } from '../leaf.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import { pauseWords, showFound, vmWords, whenWords } from '../policy-text.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { table } from '../table.ts'

type Options = ActionOptions & { readonly host?: string }

export const listCommand = (perform: Perform): Command =>
  leaf('list', 'The schedules of all hosts, or of one', ['policy list', 'policy list --host alpha --json'])
    .option('--host <HOST>', 'only those of this host')
    .action((options: Options) =>
      perform(options, async ({ core, out }) => {
        const { hosts, unreachable } = await listPolicies(core, options.host)
        const all = hosts.flatMap(({ host, policies }) => policies.map((state) => ({ host, ...state })))
        const broken = hosts.flatMap((each) => each.broken.map((file) => ({ host: each.host, ...file })))
        out.line(all.length === 0 ? 'No schedules yet. Make one: stillpoint policy add' : policyTable(hosts))
        if (!out.json) broken.forEach(({ host, path, reason }) => out.note(`${host}: ${path}: ${reason}`, 'warning'))
        const leftOut = hosts.flatMap((each) =>
          each.leftOut === undefined ? [] : [{ host: each.host, count: each.leftOut }]
        )
        if (!out.json) leftOut.forEach(({ host, count }) => out.note(leftOutWords({ host, leftOut: count }), 'warning'))
        const full = hosts.flatMap((each) =>
          each.storesLeftOut === undefined ? [] : [{ host: each.host, storesLeftOut: each.storesLeftOut }]
        )
        if (!out.json) full.forEach((each) => out.note(storesLeftOutWords(each), 'warning'))
        noteUnreachable(out, unreachable)
        out.result({ policies: all, broken, leftOut, storesLeftOut: full, unreachable: unreachableJson(unreachable) })
        const listed = exitOfListing(unreachable, options.host !== undefined)
        return listed === EXIT.done && broken.length + leftOut.length + full.length > 0 ? EXIT.warnings : listed
      })
    )

export const showCommand = (perform: Perform): Command =>
  leaf('show <POLICY>', 'A schedule in full, by its name or id', ['policy show nightly --host alpha'])
    .option('--host <HOST>', 'where several hosts have one of that name')
    .action((name: string, options: Options) =>
      perform(options, async ({ core, out }) => {
        showFound(out, await findPolicy(core, name, options.host))
        return EXIT.done
      })
    )

/** Times are those of this computer, as everywhere in the terminal. */
function policyTable(hosts: readonly HostPolicies[]): string[] {
  const rows = hosts.flatMap(({ host, policies }) =>
    policies.map(({ policy, nextRunAt, lastRun, problem }) => [
      `${host}/${policy.name}`,
      vmWords(policy.vms),
      whenWords(policy),
      pauseWords(policy) === undefined && nextRunAt !== undefined ? formatTime(nextRunAt) : '',
      lastRun === undefined ? '' : `${formatTime(lastRun.startedAt)} ${runStateWords(lastRun.state)}`,
      problem ?? pauseState(pauseWords(policy))
    ])
  )
  return table(['SCHEDULE', 'VMS', 'WHEN', 'NEXT RUN', 'LAST RUN', 'STATE'], rows)
}

const pauseState = (words: string | undefined): string => (words === undefined ? 'ok' : `paused ${words}`)
