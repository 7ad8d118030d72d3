import { Text } from '@mantine/core'
import { useMemo } from 'react'
import { formatDuration, formatUntil } from '../../../shared/format.ts'
import { formatThere, ownBeside } from '../../../shared/host-time.ts'
import type { Schedule } from '../../../shared/model/policy.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { Panel } from '../../ui/panel.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import type { ClockChange } from './clock-changes.ts'
import { formWords } from './form-words.ts'
import { nextRunsShown } from './next-runs-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface NextRunsProps {
  readonly schedule: Schedule
  readonly timeZone: string
  readonly pausedUntil: string | undefined
}

const said = formWords.when

/** The next five runs in the host's time, and what changes of its clock do to them. */
export const NextRuns = (props: NextRunsProps) => (
  <Panel title={words.policy.next}>
    <NextRunList {...props} />
  </Panel>
)

export function NextRunList({ schedule, timeZone, pausedUntil }: NextRunsProps) {
  const now = useNow()
  const { calendar, window, jitterSeconds } = schedule
  const shown = useMemo(
    () => nextRunsShown({ calendar, window, ...(pausedUntil !== undefined && { pausedUntil }) }, timeZone, now),
    [calendar, window, pausedUntil, timeZone, now]
  )
  if (shown === undefined) return <Text c="dimmed">{said.noneYet}</Text>
  const { paused } = shown
  if (paused !== undefined && paused.until === undefined) return <Paused text={words.pausedUntil(undefined, now)} />
  if (shown.runs.length === 0) return <StateMark tone="attention" label={said.none} />
  return (
    <div className={classes['next']}>
      {paused !== undefined && <Paused text={words.pausedUntil(paused.until, now)} />}
      <Text fz="sm" c="dimmed">
        {said.zone(safeText(timeZone))}
        {jitterSeconds > 0 && `, ${said.jittered(formatDuration(jitterSeconds * 1000))}`}
      </Text>
      <ol className={classes['runs']}>
        {shown.runs.map(({ at, isOutside }) => (
          <li key={at}>
            <NextRun at={at} timeZone={timeZone} now={now} />
            {isOutside && <StateMark tone="attention" label={said.outside} />}
          </li>
        ))}
      </ol>
      {shown.changes.map((change) => (
        <StateMark key={`${change.day} ${change.time}`} tone="attention" label={changeWords(change)} />
      ))}
    </div>
  )
}

const Paused = ({ text }: { readonly text: string }) => <StateMark tone="paused" label={said.paused(text)} />

function NextRun({ at, timeZone, now }: { readonly at: string; readonly timeZone: string; readonly now: Date }) {
  const own = ownBeside(at, timeZone, now)
  return (
    <>
      <time dateTime={at}>{formatThere(at, timeZone, now)}</time>{' '}
      <span className={classes['inlineSoft']}>
        {formatUntil(at, now)}
        {own !== undefined && `, ${said.here(own)}`}
      </span>
    </>
  )
}

const changeWords = ({ day, time, what }: ClockChange): string => said.changes[what](time, day)
