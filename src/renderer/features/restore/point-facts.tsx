import { formatBytes, formatPause, formatTime } from '../../../shared/format.ts'
import { damagedPlaces } from '../../../shared/point-marks.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { Ago } from '../../ui/ago.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import classes from './restore.module.css'
import { words } from './words.ts'

/** When a point was taken, what is in it, and where it lies. */
export function PointFacts({ point }: { readonly point: PointView }) {
  const { takenAt, hasMemory, method, sizeBytes, pauseMs, marks, places } = point
  const damaged = damagedPlaces(point).map(({ label }) => safeText(label))
  return (
    <>
      <span className={classes['pointTime']}>
        <b>{formatTime(takenAt)}</b> <Ago at={takenAt} />
        {marks.verified?.good === false && <StateMark tone="danger" label={words.damaged} />}
        {damaged.length > 0 && <StateMark tone="attention" label={words.damagedOn(damaged.join(', '))} />}
        {marks.verified?.good === true && damaged.length === 0 && <StateMark tone="good" label={words.verified} />}
      </span>
      <span className={classes['pointFacts']}>
        <span>{hasMemory ? words.withRam : words.disksOnly}</span>
        {method !== 'disk' && <span>{words.method[method]}</span>}
        {method !== 'offline' && pauseMs > 0 && <span>{words.stoodStill(formatPause(pauseMs))}</span>}
        <span>{formatBytes(sizeBytes)}</span>
        <bdi>{words.in(places.map(({ label }) => safeText(label)).join(', '))}</bdi>
        {marks.pinned && <span>{words.pinned}</span>}
        {marks.note !== undefined && <bdi>“{shorten(safeText(marks.note), 80)}”</bdi>}
      </span>
    </>
  )
}
