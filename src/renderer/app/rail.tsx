import { UnstyledButton } from '@mantine/core'
import { useWindow } from '../state/store-context.ts'
import { Mark } from '../ui/mark.tsx'
import { words } from '../words.ts'
import classes from './frame.module.css'
import { RAIL } from './screens.tsx'

export function Rail() {
  const { screen } = useWindow((state) => state.route)
  const go = useWindow((state) => state.go)
  return (
    <nav className={classes['rail']} aria-label={words.rail}>
      <div className={classes['mark']}>
        <Mark size={28} />
      </div>
      {RAIL.map((entry) => (
        <UnstyledButton
          key={entry.screen}
          className={classes['entry']}
          title={entry.label}
          aria-label={entry.label}
          aria-current={entry.holds.includes(screen) ? 'page' : undefined}
          onClick={() => go({ screen: entry.screen })}
        >
          <entry.icon size={22} stroke={1.6} aria-hidden />
          <span>{entry.label}</span>
        </UnstyledButton>
      ))}
    </nav>
  )
}
