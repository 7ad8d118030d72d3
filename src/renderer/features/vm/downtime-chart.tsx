import { CompositeChart } from '@mantine/charts'
import { formatPause } from '../../../shared/format.ts'
import { TIME_AXIS, timeAt } from './axis.ts'
import { ChartTable } from './chart-table.tsx'
import { logScale, stepShown, valuesOf, type DowntimeRow } from './trend-view.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.trend

const SERIES = [
  { name: 'classicMs', label: said.classic, color: 'var(--still-quiet)', type: 'line', strokeDasharray: '4 4' },
  { name: 'pauseMs', label: said.pause, color: 'var(--still-accent-text)', type: 'line' },
  { name: 'runningMs', label: said.running, color: 'var(--still-text-soft)', type: 'line' }
] as const

/** Restores are single events: dots without a line. What was only estimated is a line without dots. */
const LINES = {
  classicMs: { strokeWidth: 1.5, dot: false, activeDot: false },
  pauseMs: { strokeWidth: 1.5 },
  runningMs: { strokeWidth: 0 }
} as const

interface DowntimeChartProps {
  readonly rows: readonly DowntimeRow[]
  readonly budget: { readonly ms: number; readonly label: string } | undefined
}

/** Pauses and times to running on a scale of powers of ten, with the budget and what the classic method would cost. */
export function DowntimeChart({ rows, budget }: DowntimeChartProps) {
  const { domain, ticks } = logScale(valuesOf(rows, budget?.ms ?? 0))
  const shown = SERIES.filter(({ name }) => rows.some((row) => row[name] !== undefined))
  return (
    <figure className={classes['figure']}>
      <div aria-hidden>
        <CompositeChart
          h={240}
          data={rows.map((row) => ({ ...row }))}
          dataKey="at"
          series={[...shown]}
          withLegend
          connectNulls
          // The table below says the same to those who cannot see it.
          composedChartProps={{ accessibilityLayer: false }}
          curveType="linear"
          gridAxis="x"
          lineProps={({ name }) => LINES[name as keyof typeof LINES]}
          valueFormatter={formatPause}
          {...(budget !== undefined && {
            referenceLines: [{ y: budget.ms, label: budget.label, color: 'var(--still-attention)' }]
          })}
          xAxisProps={{ ...TIME_AXIS, domain: [...TIME_AXIS.domain] }}
          yAxisProps={{
            scale: 'log',
            domain: [...domain],
            ticks: [...ticks],
            width: 64,
            allowDataOverflow: true,
            tickFormatter: stepShown
          }}
          tooltipProps={{ labelFormatter: timeAt }}
        />
      </div>
      <ChartTable
        caption={said.downtime}
        head={[said.at, said.pause, said.running, said.classic]}
        rows={rows.map(({ at, pauseMs, runningMs, classicMs }) => [
          timeAt(at),
          ...[pauseMs, runningMs, classicMs].map((ms) => (ms === undefined ? '' : formatPause(ms)))
        ])}
      />
      <figcaption className={classes['soft']}>{said.downtimeHint}</figcaption>
    </figure>
  )
}
