import { Button, Skeleton, Stack, Text } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useEffect } from 'react'
import { formatBytes } from '../../../shared/format.ts'
import type { PrunePlan } from '../../../shared/model/policy.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostPolicies, PolicyState } from '../../../shared/views/policy-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Panel } from '../../ui/panel.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { FateTable } from './fate-table.tsx'
import { fatesGoing, totalsOf } from './fate-view.ts'
import { Folded } from './folded.tsx'
import { errandOf } from './schedules-slice.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface PlanPanelProps {
  readonly at: HostPolicies
  readonly state: PolicyState
}

const said = words.plan

/** What the rules would take now, as the host itself says. */
export function PlanPanel({ at: { host, timeZone }, state: { policy, lastRun } }: PlanPanelProps) {
  const ask = useWindow((all) => all.askPrunePlan)
  const asked = useWindow((all) => all.prunePlan)
  const { id, changedAt } = policy
  useEffect(() => ask({ host, id }), [ask, host, id, changedAt, lastRun?.id, lastRun?.endedAt])
  const mine = asked !== undefined && errandOf(asked) === errandOf({ host, id }) ? asked : undefined
  const again = (): void => ask({ host, id })
  return (
    <Panel
      title={said.title}
      actions={
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={mine?.isBusy === true}
          onClick={again}
        >
          {said.ask}
        </Button>
      }
    >
      <Text c="dimmed">{said.text}</Text>
      {mine?.failure !== undefined ? (
        <FailureNotice failure={failureShown(mine.failure)} busy={mine.isBusy} onRetry={again} />
      ) : mine?.plan === undefined ? (
        <Skeleton height={64} role="status" aria-busy aria-label={said.asking} />
      ) : (
        <Plan plan={mine.plan} timeZone={timeZone} />
      )}
    </Panel>
  )
}

function Plan({ plan, timeZone }: { readonly plan: PrunePlan; readonly timeZone: string }) {
  const going = fatesGoing(plan.vms)
  const totals = totalsOf(plan.vms.flatMap(({ points }) => points))
  return (
    <Stack gap="md">
      <div className={classes['planFigures']}>
        <span className={classes['figure']}>
          {going.length === 0 ? said.nothing : said.goes(totals, formatBytes(plan.freesBytes))}
        </span>
        {plan.trash.points > 0 && <span>{said.trash(plan.trash.points, formatBytes(plan.trash.bytes))}</span>}
      </div>
      {plan.refused !== undefined && (
        <StateMark tone="attention" label={`${said.refused}: ${safeText(plan.refused)}`} />
      )}
      {plan.vms.map(
        ({ vm, refused }) =>
          refused !== undefined && (
            <StateMark key={vm.uuid} tone="attention" label={`${safeText(vm.name)}: ${safeText(refused)}`} />
          )
      )}
      {going.length > 0 && (
        <Folded rows={going} first={12}>
          {(rows) => <FateTable fates={rows} timeZone={timeZone} />}
        </Folded>
      )}
    </Stack>
  )
}
