import { Button, Text } from '@mantine/core'
import { IconFileTypeCsv, IconPhoto } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import type { Downtime } from '../../../shared/downtimes.ts'
import { formatTime } from '../../../shared/format.ts'
import { Panel } from '../../ui/panel.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { saveTextFile } from '../../ui/save-text-file.ts'
import { chartPicture } from './chart-picture.ts'
import { downtimeCsv } from './csv.ts'
import { dotsOf, offChart } from './dots.ts'
import { DowntimeChart } from './downtime-chart.tsx'
import classes from './downtime.module.css'
import { words } from './words.ts'

interface ChartPanelProps {
  /** Newest first. */
  readonly entries: readonly Downtime[]
  readonly budgetMs: number
  readonly now: Date
  readonly onOpen: (entry: Downtime) => void
}

/** The chart of what is shown, and what is shown as a file. */
export function ChartPanel({ entries, budgetMs, now, onOpen }: ChartPanelProps) {
  const chart = useRef<HTMLDivElement>(null)
  const [hasFailed, setHasFailed] = useState(false)
  const hasDots = dotsOf(entries, now).length > 0
  const off = offChart(entries, now)
  const savePicture = (): void => {
    const svg = chart.current?.querySelector<SVGSVGElement>('svg.recharts-surface')
    if (svg === null || svg === undefined) return
    chartPicture(svg, words.caption).then(
      (picture) => {
        setHasFailed(false)
        saveFile(picture, fileName('png'))
      },
      () => setHasFailed(true)
    )
  }
  return (
    <Panel title={words.chart} actions={<Exports entries={entries} onPicture={hasDots ? savePicture : undefined} />}>
      {hasFailed && <Text role="alert">{words.pngFailed}</Text>}
      {hasDots ? (
        <div ref={chart}>
          <DowntimeChart entries={entries} budgetMs={budgetMs} now={now} onOpen={onOpen} />
        </div>
      ) : (
        off === 0 && <Text c="dimmed">{words.nothingOnChart}</Text>
      )}
      {off > 0 && <Text c="dimmed">{words.offChart(off)}</Text>}
      <Legend />
    </Panel>
  )
}

interface ExportsProps {
  readonly entries: readonly Downtime[]
  /** Undefined: there is no picture. */
  readonly onPicture: (() => void) | undefined
}

const Exports = ({ entries, onPicture }: ExportsProps) => (
  <>
    <Button
      variant="default"
      size="xs"
      leftSection={<IconFileTypeCsv size={16} aria-hidden />}
      onClick={() => saveTextFile(fileName('csv'), downtimeCsv(entries), 'text/csv')}
    >
      {words.exportCsv}
    </Button>
    <Button
      variant="default"
      size="xs"
      leftSection={<IconPhoto size={16} aria-hidden />}
      disabled={onPicture === undefined}
      onClick={onPicture}
    >
      {words.exportPng}
    </Button>
  </>
)

const fileName = (extension: string): string =>
  words.fileName(formatTime(new Date().toISOString()).slice(0, 10), extension)

const Legend = () => (
  <ul className={classes['legend']}>
    {(['backup', 'over', 'restore'] as const).map((kind) => (
      <li key={kind}>
        <svg width={12} height={12} aria-hidden>
          {kind === 'restore' ? (
            <path className={classes[kind]} d="M6 1l5 5l-5 5l-5 -5z" />
          ) : (
            <circle className={classes[kind]} cx={6} cy={6} r={kind === 'over' ? 4.5 : 3.5} />
          )}
        </svg>
        {words.legend[kind]}
      </li>
    ))}
  </ul>
)
