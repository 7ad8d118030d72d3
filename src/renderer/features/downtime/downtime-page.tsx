import { Button, Skeleton, Stack, Text } from '@mantine/core'
import { IconClockPause, IconFilterOff } from '@tabler/icons-react'
import { useCallback, useMemo } from 'react'
import { downtimesOf, type Downtime } from '../../../shared/downtimes.ts'
import { DEFAULT_BUDGET_MS } from '../../../shared/model/job.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { useNow } from '../../ui/use-now.ts'
import { ChartPanel } from './chart-panel.tsx'
import { DowntimeFigures } from './downtime-figures.tsx'
import { DowntimeFilters } from './downtime-filters.tsx'
import { DowntimeTable } from './downtime-table.tsx'
import { ALL_DOWNTIMES, figuresOf, filtered, hostsOf } from './downtime-view.ts'
import { words } from './words.ts'

/** All saves and restores over time: figures, chart, table. */
export function DowntimePage() {
  const jobs = useWindow((state) => state.jobs)
  const points = useWindow((state) => state.points)
  const entries = useMemo(() => jobs && points && downtimesOf(jobs, points.points).toReversed(), [jobs, points])
  return (
    <>
      <PageHeader title={words.title} subtitle={words.subtitle} />
      {entries === undefined ? <Loading /> : entries.length === 0 ? <Nothing /> : <Downtimes all={entries} />}
    </>
  )
}

const Loading = () => (
  <Stack gap="lg" role="status" aria-busy aria-label={words.loading}>
    <Skeleton height={56} />
    <Skeleton height={88} />
    <Skeleton height={380} />
  </Stack>
)

function Nothing() {
  const go = useWindow((state) => state.go)
  return (
    <EmptyState icon={IconClockPause} title={words.empty.title} text={words.empty.text}>
      <Button variant="default" onClick={() => go({ screen: 'overview' })}>
        {words.empty.go}
      </Button>
    </EmptyState>
  )
}

/** Periods are renewed by the hour: drawn anew every half minute, nobody would see the difference. */
const HOUR_MS = 3_600_000

/** `all`: newest first. */
function Downtimes({ all }: { readonly all: readonly Downtime[] }) {
  const filter = useWindow((state) => state.downtimeFilter)
  const change = useWindow((state) => state.filterDowntimes)
  const budgetMs = useWindow((state) => state.choices?.defaultBudgetMs ?? DEFAULT_BUDGET_MS)
  const hour = Math.floor(useNow().getTime() / HOUR_MS)
  const now = useMemo(() => new Date((hour + 1) * HOUR_MS), [hour])
  const shown = useMemo(() => filtered(all, filter, now), [all, filter, now])
  const hosts = useMemo(() => hostsOf(all), [all])
  return (
    <Stack gap="lg">
      <DowntimeFilters filter={filter} hosts={hosts} shown={shown.length} all={all.length} onChange={change} />
      {shown.length > 0 ? (
        <Shown entries={shown} budgetMs={budgetMs} now={now} />
      ) : (
        <EmptyState icon={IconFilterOff} title={words.noMatch.title} text={<Text>{words.noMatch.text}</Text>}>
          <Button variant="default" onClick={() => change(ALL_DOWNTIMES)}>
            {words.filters.clear}
          </Button>
        </EmptyState>
      )}
    </Stack>
  )
}

interface ShownProps {
  readonly entries: readonly Downtime[]
  readonly budgetMs: number
  readonly now: Date
}

function Shown({ entries, budgetMs, now }: ShownProps) {
  const go = useWindow((state) => state.go)
  const open = useCallback(
    ({ host, vmUuid, point }: Downtime) =>
      go({ screen: 'vm', host, vm: vmUuid, ...(point !== undefined && { point }) }),
    [go]
  )
  return (
    <>
      <DowntimeFigures
        backups={figuresOf(entries, 'backup', budgetMs)}
        restores={figuresOf(entries, 'restore', budgetMs)}
        budgetMs={budgetMs}
      />
      <ChartPanel entries={entries} budgetMs={budgetMs} now={now} onOpen={open} />
      <DowntimeTable entries={entries} budgetMs={budgetMs} onOpen={open} />
    </>
  )
}
