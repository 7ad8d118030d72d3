import { AreaChart } from '@mantine/charts'
import { formatBytes } from '../../../shared/format.ts'
import { TIME_AXIS, timeAt } from './axis.ts'
import { ChartTable } from './chart-table.tsx'
import { byteScale, type SizeRow } from './trend-view.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.trend

/** How large the points are, from zero. */
export function SizeChart({ rows }: { readonly rows: readonly SizeRow[] }) {
  const { domain, ticks } = byteScale(rows.map(({ bytes }) => bytes))
  return (
    <figure className={classes['figure']}>
      <div aria-hidden>
        <AreaChart
          h={240}
          data={rows.map((row) => ({ ...row }))}
          dataKey="at"
          series={[{ name: 'bytes', label: said.bytes, color: 'var(--still-accent-text)' }]}
          curveType="linear"
          areaChartProps={{ accessibilityLayer: false }}
          strokeWidth={1.5}
          gridAxis="x"
          valueFormatter={formatBytes}
          xAxisProps={{ ...TIME_AXIS, domain: [...TIME_AXIS.domain] }}
          yAxisProps={{ width: 72, domain: [...domain], ticks: [...ticks] }}
          tooltipProps={{ labelFormatter: timeAt }}
        />
      </div>
      <ChartTable
        caption={said.size}
        head={[said.at, said.bytes]}
        rows={rows.map(({ at, bytes }) => [timeAt(at), formatBytes(bytes)])}
      />
    </figure>
  )
}
