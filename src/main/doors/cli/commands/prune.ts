import type { Command } from 'commander'
import { findPolicy } from '../../../core/policies/find-policy.ts'
import { prunePlan } from '../../../core/policies/policy-errands.ts'
import { fail } from '../../../../shared/failure.ts'
import { formatBytes } from '../../../../shared/format.ts'
import type { PointFate, PrunePlan } from '../../../../shared/model/policy.ts'
import { EXIT } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { table } from '../table.ts'

interface PruneOptions extends ActionOptions {
  readonly host?: string
  readonly dryRun?: boolean
}

export const pruneCommand = (perform: Perform): Command =>
  leaf('prune <POLICY>', 'What the keep rules of a schedule would do now, point by point; nothing is touched', [
    'prune nightly --host alpha --dry-run',
    'prune nightly --dry-run --json'
  ])
    .option('--host <HOST>', 'where several hosts have one of that name')
    .option('--dry-run', 'only the plan: there is nothing else')
    .action((name: string, options: PruneOptions) =>
      perform(options, async ({ core, out }) => {
        if (options.dryRun !== true)
          fail({
            kind: 'usage',
            message: `Old points go only behind a good new one, at the end of a run: stillpoint policy run ${name}. What would go: stillpoint prune ${name} --dry-run.`
          })
        const { host, state } = await findPolicy(core, name, options.host)
        const plan = await prunePlan(core, { host, id: state.policy.id })
        out.line(planText(plan))
        out.result({ host, policy: state.policy, plan })
        return EXIT.done
      })
    )

function planText(plan: PrunePlan): string[] {
  const rows = plan.vms.flatMap(({ vm, points, refused }) =>
    points.map((point) => [
      vm.name,
      point.id,
      fateWords(point),
      [...point.reasons, ...reasonOf(point, refused)].join(', ')
    ])
  )
  const trash = `${plan.trash.points} in the trash already (${formatBytes(plan.trash.bytes)})`
  const sum = `${formatBytes(plan.freesBytes)} would go from the store; ${trash}.`
  const refused = plan.refused === undefined ? [] : [`Nothing goes now: ${plan.refused}`]
  return [...table(['VM', 'POINT', 'FATE', 'WHY'], rows), ...refused, sum]
}

const fateWords = ({ keep, memory }: PointFate): string =>
  !keep ? 'goes' : memory === 'dropped' ? 'stays without RAM' : 'stays'

const reasonOf = ({ keep }: PointFate, refused: string | undefined): string[] =>
  !keep && refused !== undefined ? [`not now: ${refused}`] : []
