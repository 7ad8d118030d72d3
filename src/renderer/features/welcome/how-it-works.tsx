import { IconClockPause, IconFingerprint, IconHistory, IconServer2, type Icon } from '@tabler/icons-react'
import classes from './welcome.module.css'
import { words } from './words.ts'

const ICONS: readonly Icon[] = [IconClockPause, IconHistory, IconServer2, IconFingerprint]

/** Stillpoint in a few plain sentences: what it does, what it puts on a host, whom it trusts. */
export function HowItWorks() {
  return (
    <ul className={classes['points']}>
      {words.points.map(({ title, text }, n) => {
        const Symbol = ICONS[n] ?? IconServer2
        return (
          <li key={title}>
            <Symbol size={24} stroke={1.6} aria-hidden />
            <div>
              <b>{title}</b>
              <p>{text}</p>
            </div>
          </li>
        )
      })}
    </ul>
  )
}
