import { useElementSize } from '@mantine/hooks'
import { useState, type KeyboardEvent } from 'react'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { useNow } from '../../ui/use-now.ts'
import { laneOf, type Dot } from './lane-view.ts'
import { LaneLegend } from './lane-legend.tsx'
import classes from './vm.module.css'
import { words } from './words.ts'

interface PointLaneProps {
  readonly points: readonly PointView[]
  readonly selected: string | undefined
  readonly onSelect: (point: PointView) => void
}

const ROW_PX = 18
/** Room above the dots for the label of one of them. */
const LABEL_PX = 36
/** Until it is measured. */
const USUAL_PX = 900

/** Each point a dot, in time. One stop for Tab; arrows go along the line. */
export function PointLane({ points, selected, onSelect }: PointLaneProps) {
  const { ref, width } = useElementSize<HTMLDivElement>()
  const now = useNow(60_000)
  const { dots, rows, ticks } = laneOf(points, now, width === 0 ? USUAL_PX : width)
  const [reached, setReached] = useState<string>()
  const stop = [reached, selected].find((id) => dots.some((dot) => dot.id === id)) ?? dots.at(-1)?.id
  const open = (id: string): void => {
    const point = points.find((each) => pointName(each) === id)
    if (point !== undefined) onSelect(point)
  }
  return (
    <div className={classes['lane']}>
      <div
        ref={ref}
        className={classes['laneDots']}
        style={{ height: rows * ROW_PX + LABEL_PX }}
        role="group"
        aria-label={words.lane}
        onKeyDown={goAlong}
      >
        {dots.map((dot) => (
          <LaneDot
            key={dot.id}
            dot={dot}
            isSelected={dot.id === selected}
            isStop={dot.id === stop}
            onReach={setReached}
            onOpen={open}
          />
        ))}
      </div>
      <div className={classes['laneTicks']} aria-hidden>
        {ticks.map(({ left, label }) => (
          <span key={left} style={{ left: `${left}%` }}>
            {label}
          </span>
        ))}
        <span className={classes['laneNow']}>{words.now}</span>
      </div>
      <LaneLegend />
    </div>
  )
}

interface LaneDotProps {
  readonly dot: Dot
  readonly isSelected: boolean
  readonly isStop: boolean
  readonly onReach: (id: string) => void
  readonly onOpen: (id: string) => void
}

function LaneDot({ dot, isSelected, isStop, onReach, onOpen }: LaneDotProps) {
  return (
    <button
      type="button"
      className={classes['dot']}
      style={{ left: `${dot.left}%`, bottom: dot.row * ROW_PX + 8 }}
      data-shape={dot.shape}
      data-filled={dot.isFilled}
      data-pinned={dot.isPinned}
      data-bad={dot.isBad}
      data-side={dot.left > 50 ? 'end' : 'start'}
      data-label={dot.label}
      aria-label={dot.spoken}
      aria-current={isSelected ? 'true' : undefined}
      tabIndex={isStop ? 0 : -1}
      onFocus={() => onReach(dot.id)}
      onClick={() => onOpen(dot.id)}
    />
  )
}

const STEPS: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowRight: (at, last) => Math.min(at + 1, last),
  ArrowLeft: (at) => Math.max(at - 1, 0),
  Home: () => 0,
  End: (_, last) => last
}

function goAlong(event: KeyboardEvent<HTMLDivElement>): void {
  const step = STEPS[event.key]
  if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  const dots = [...event.currentTarget.querySelectorAll('button')]
  const at = dots.findIndex((dot) => dot === document.activeElement)
  dots[step(Math.max(at, 0), dots.length - 1)]?.focus()
}
