import { ScatterChart } from '@mantine/charts'
import { memo } from 'react'
import { formatPause, formatTime } from '../../../shared/format.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { dotsOf, scaleOf, thinned, type Dot } from './dots.ts'
import { downMs, type Downtime } from '../../../shared/downtimes.ts'
import { tickText, timeTicks } from './time-ticks.ts'
import { isOverBudget } from './downtime-view.ts'
import classes from './downtime.module.css'
import { whatText, whereText, words } from './words.ts'

interface DowntimeChartProps {
  readonly entries: readonly Downtime[]
  readonly budgetMs: number
  readonly now: Date
  readonly onOpen: (entry: Downtime) => void
}

/** As many spots as can be told apart by eye. */
const COLUMNS = 260
const ROWS = 90

/** Every save and restore as a mark over time, and the budget as a line. */
export const DowntimeChart = memo(function DowntimeChart({ entries, budgetMs, now, onOpen }: DowntimeChartProps) {
  const all = dotsOf(entries, now)
  const scale = scaleOf(all, budgetMs)
  const dots = thinned(all, scale, COLUMNS, ROWS)
  return (
    <div role="img" aria-label={words.chartLabel(all.length)}>
      <ScatterChart
        h={320}
        data={[{ name: words.chart, color: 'still', data: dots.map(({ at, ms }, dot) => ({ at, ms, dot })) }]}
        dataKey={{ x: 'at', y: 'ms' }}
        accessibilityLayer={false}
        scatterChartProps={{ margin: { top: 12, right: 8 } }}
        valueFormatter={{ x: (at) => tickText(at, scale), y: formatPause }}
        xAxisProps={{ domain: [scale.fromAt, scale.toAt], ticks: [...timeTicks(scale)], interval: 'preserveStart' }}
        yAxisProps={{
          scale: 'log',
          domain: [scale.lowMs, scale.highMs],
          ticks: [...scale.ticksMs],
          interval: 0,
          width: 72
        }}
        referenceLines={[{ y: budgetMs, color: BUDGET, strokeDasharray: '6 4', label: budgetLabel(budgetMs) }]}
        scatterProps={{
          isAnimationActive: false,
          shape: (drawn: Drawn) => <Mark {...drawn} dot={dotOf(dots, drawn)} budgetMs={budgetMs} onOpen={onOpen} />
        }}
        tooltipProps={{ content: ({ payload }) => <Told dot={dotOf(dots, (payload as readonly Drawn[])[0])} /> }}
      />
    </div>
  )
})

const BUDGET = 'var(--still-attention)'

/** Readable also where dots lie behind it. */
const budgetLabel = (budgetMs: number) => ({
  value: words.budget(formatPause(budgetMs)),
  position: 'insideBottomRight' as const,
  offset: 8,
  fill: BUDGET,
  stroke: 'var(--still-panel)',
  strokeWidth: 4,
  paintOrder: 'stroke'
})

/** What the chart says of a mark that it draws. */
interface Drawn {
  readonly cx?: number | undefined
  readonly cy?: number | undefined
  readonly payload?: { readonly dot?: number } | undefined
}

const dotOf = (dots: readonly Dot[], drawn: Drawn | undefined): Dot | undefined => dots[drawn?.payload?.dot ?? -1]

interface MarkProps extends Drawn {
  readonly dot: Dot | undefined
  readonly budgetMs: number
  readonly onOpen: (entry: Downtime) => void
}

/** Backups are round, restores are diamonds; over the budget is a ring as well as a colour. */
function Mark({ cx = 0, cy = 0, dot, budgetMs, onOpen }: MarkProps) {
  if (dot === undefined) return <g />
  const { entry } = dot
  if (entry.kind === 'restore')
    return <path className={classes['restore']} d={`M${cx} ${cy - 5}l5 5l-5 5l-5 -5z`} onClick={() => onOpen(entry)} />
  const kind = isOverBudget(entry, budgetMs) ? 'over' : 'backup'
  return (
    <circle className={classes[kind]} cx={cx} cy={cy} r={kind === 'over' ? 4.5 : 3.5} onClick={() => onOpen(entry)} />
  )
}

function Told({ dot }: { readonly dot: Dot | undefined }) {
  if (dot === undefined) return undefined
  const { entry, hidden } = dot
  return (
    <div className={classes['told']}>
      <b>
        <bdi>{shorten(safeText(entry.vm), 40)}</bdi>
      </b>
      <bdi>{shorten(safeText(whereText(entry)), 40)}</bdi>
      <span>{whatText(entry.kind, entry.method ?? entry.mode)}</span>
      <span>{formatTime(entry.at)}</span>
      <b>{formatPause(downMs(entry) ?? dot.ms)}</b>
      {hidden > 0 && <span>{words.andMore(hidden)}</span>}
    </div>
  )
}
