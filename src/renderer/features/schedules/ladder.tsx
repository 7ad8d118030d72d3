import type { PointFate } from '../../../shared/model/policy.ts'
import { formWords } from './form-words.ts'
import { countsOf, ladderOf, type Rule } from './ladder-view.ts'
import classes from './schedules.module.css'

interface LadderProps {
  readonly points: readonly PointFate[]
  readonly now: Date
}

const said = formWords.simulator

/** What is kept, one lane per rule, from now on the left to the oldest on the right. */
export function Ladder({ points, now }: LadderProps) {
  const { lanes, ticks } = ladderOf(points, now)
  const counts = countsOf(points)
  const label = lanes.map(({ rule }) => said.lane(laneName(rule), counts.get(rule) ?? 0)).join(', ')
  return (
    <div className={classes['ladder']} role="img" aria-label={label}>
      {lanes.map(({ rule, dots }) => (
        <div key={rule} className={classes['lane']} data-rule={rule}>
          <span className={classes['laneName']}>
            {laneName(rule)} <b>{counts.get(rule)}</b>
          </span>
          <span className={classes['track']}>
            {dots.map(({ id, place, hasMemory }) => (
              <i key={id} data-memory={hasMemory} style={{ insetInlineStart: `${(place * 100).toFixed(2)}%` }} />
            ))}
          </span>
        </div>
      ))}
      <div className={classes['lane']}>
        <span className={classes['laneName']} />
        <span className={classes['ticks']}>
          <span style={{ insetInlineStart: 0 }}>{said.now}</span>
          {ticks.map(({ label: tick, place }) => (
            <span key={tick} style={{ insetInlineStart: `${(place * 100).toFixed(2)}%` }}>
              {tick}
            </span>
          ))}
        </span>
      </div>
    </div>
  )
}

const laneName = (rule: Rule): string => said.rules[rule]
