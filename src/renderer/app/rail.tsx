import { UnstyledButton } from '@mantine/core'
import { Mark } from '../ui/mark.tsx'
import { words } from '../words.ts'
import classes from './frame.module.css'
import type { Screen } from './screens.ts'

interface RailProps {
  readonly screens: readonly Screen[]
  readonly active: string
  readonly onChoose: (id: string) => void
}

export function Rail({ screens, active, onChoose }: RailProps) {
  return (
    <nav className={classes['rail']} aria-label={words.rail}>
      <div className={classes['mark']}>
        <Mark size={28} />
      </div>
      {screens.map((screen) => (
        <UnstyledButton
          key={screen.id}
          className={classes['entry']}
          aria-current={screen.id === active ? 'page' : undefined}
          onClick={() => onChoose(screen.id)}
        >
          <screen.icon size={22} stroke={1.6} aria-hidden />
          <span>{screen.label}</span>
        </UnstyledButton>
      ))}
    </nav>
  )
}
