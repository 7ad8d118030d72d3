import { Button, Skeleton, Stack } from '@mantine/core'
import { IconCalendarOff, IconEdit, IconPlayerPlay } from '@tabler/icons-react'
import { useCallback, useMemo } from 'react'
import type { RunReport } from '../../../shared/model/policy.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Name } from '../../ui/name.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { NextRuns } from './next-runs.tsx'
import { PlanPanel } from './plan-panel.tsx'
import { PolicyFacts } from './policy-facts.tsx'
import { PolicyMenu } from './policy-actions.tsx'
import { runsOf } from './run-view.ts'
import { RunDrawer } from './run-drawer.tsx'
import { RunsPanel } from './runs-panel.tsx'
import { errandOf } from './schedules-slice.ts'
import { ageOf, rowOf, standingOf, type PolicyRow } from './schedules-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface PolicyPageProps {
  readonly host: string
  readonly id: string
  /** The run that is looked at. */
  readonly run: string | undefined
}

/** One schedule: what it does, when next, what its runs did, what goes next. */
export function PolicyPage({ host, id, run }: PolicyPageProps) {
  const policies = useWindow((state) => state.policies)
  const hosts = useWindow((state) => state.hosts)
  const row = useMemo(() => {
    const at = policies?.hosts.find((each) => each.host === host)
    const state = at?.policies.find(({ policy }) => policy.id === id)
    return at && state && rowOf(at, state, hosts)
  }, [policies, hosts, host, id])
  if (row !== undefined) return <Known row={row} run={run} />
  return policies?.known === true ? <Unknown /> : <Loading />
}

function Known({ row, run }: { readonly row: PolicyRow; readonly run: string | undefined }) {
  const { at, state } = row
  const go = useWindow((all) => all.go)
  const told = useWindow((all) => all.runs)
  const here = { screen: 'schedules', host: at.host, policy: state.policy.id } as const
  const runs = useMemo(() => runsOf(told, at.host, state.policy.id, state.lastRun), [told, at.host, state])
  const open = useCallback(
    ({ id, host, policy }: RunReport) => go({ screen: 'schedules', host, policy: policy.id, run: id }),
    [go]
  )
  return (
    <Stack gap="lg">
      <Header row={row} />
      <RunFailure row={row} />
      <div className={classes['columns']}>
        <PolicyFacts row={row} />
        <NextRuns schedule={state.policy.schedule} timeZone={at.timeZone} pausedUntil={state.policy.pausedUntil} />
      </div>
      <RunsPanel runs={runs} timeZone={at.timeZone} onOpen={open} />
      <PlanPanel at={at} state={state} />
      <RunDrawer
        run={runs.find(({ id }) => id === run)}
        isAsked={run !== undefined}
        timeZone={at.timeZone}
        onClose={() => go(here)}
      />
    </Stack>
  )
}

function Header({ row: { at, state } }: { readonly row: PolicyRow }) {
  const go = useWindow((all) => all.go)
  const run = useWindow((all) => all.runPolicy)
  const { id, name } = state.policy
  const isBusy = useWindow((all) => all.scheduleErrands.get(errandOf({ host: at.host, id }))?.isBusy === true)
  return (
    <PageHeader
      title={<Name text={name} lines={3} />}
      subtitle={<Standing row={{ at, state }} />}
      actions={
        <>
          <Button
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
            loading={isBusy}
            onClick={() => run({ host: at.host, id })}
          >
            {words.actions.runNow}
          </Button>
          <Button
            variant="default"
            leftSection={<IconEdit size={16} aria-hidden />}
            onClick={() => go({ screen: 'schedules', host: at.host, policy: id, edit: 'change' })}
          >
            {words.actions.edit}
          </Button>
          <PolicyMenu host={at.host} state={state} />
        </>
      }
    />
  )
}

function Standing({ row: { at, state } }: { readonly row: Pick<PolicyRow, 'at' | 'state'> }) {
  const now = useNow()
  const { tone, label, why } = standingOf(state, now)
  return (
    <span className={classes['standing']}>
      <StateMark tone={tone} label={why === undefined ? label : `${label}: ${why}`} />
      <span>{words.policy.on(safeText(at.host))}</span>
      {!at.reachable && <StateMark tone="unknown" label={words.host.asOf(ageOf(at, now))} />}
    </span>
  )
}

function RunFailure({ row: { at, state } }: { readonly row: PolicyRow }) {
  const key = errandOf({ host: at.host, id: state.policy.id })
  const failure = useWindow((all) => all.scheduleErrands.get(key)?.failure)
  return failure && <FailureNotice failure={failureShown(failure)} />
}

const Loading = () => (
  <Stack gap="lg" role="status" aria-busy aria-label={words.loading}>
    <Skeleton height={32} width="40%" />
    <Skeleton height={240} />
    <Skeleton height={320} />
  </Stack>
)

function Unknown() {
  const go = useWindow((state) => state.go)
  return (
    <>
      <PageHeader title={words.policy.unknown} />
      <EmptyState icon={IconCalendarOff} title={words.policy.unknown} text={words.policy.unknownText}>
        <Button variant="default" onClick={() => go({ screen: 'schedules' })}>
          {words.policy.back}
        </Button>
      </EmptyState>
    </>
  )
}
