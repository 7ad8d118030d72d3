import { formatPause } from '../../../shared/format.ts'
import { damagedPlaces } from '../../../shared/point-marks.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import type { Tone } from '../../ui/state-mark.tsx'
import { words } from './words.ts'

type Taken = Pick<PointView, 'method' | 'hasMemory'>

/** `live`, `live, disks only`. */
export function methodShown({ method, hasMemory }: Taken): string {
  const said = words.methods[method]
  return method === 'offline' || method === 'disk' || hasMemory ? said : `${said}, ${words.withoutRam}`
}

/** `stood still 48 ms`; of a VM that was off nothing stood still. */
export const pauseShown = ({ method, pauseMs }: Pick<PointView, 'method' | 'pauseMs'>): string =>
  method === 'offline' ? words.wasOff : words.stoodStill(formatPause(pauseMs))

export interface Verdict {
  readonly tone: Tone
  readonly label: string
}

/** `damaged on beta`, of a copy that is, where another is not. */
export function damagedWords(point: Pick<PointView, 'marks' | 'places'>): readonly string[] {
  const places = damagedPlaces(point).map(({ label }) => safeText(label))
  return places.length === 0 ? [] : [words.damagedOn(places.join(', '))]
}

/** When every byte was last read and compared, and with what result. */
export function verdictOf({ marks, places }: Pick<PointView, 'marks' | 'places'>): Verdict | undefined {
  const [damaged] = damagedWords({ marks, places })
  if (damaged !== undefined) return { tone: 'attention', label: damaged }
  if (marks.verified === undefined) return undefined
  return marks.verified.good
    ? { tone: 'good', label: words.verifiedGood }
    : { tone: 'danger', label: words.verifiedBad }
}
