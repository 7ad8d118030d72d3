import type { ReactNode } from 'react'
import classes from './restore.module.css'

interface ChoiceProps {
  /** Of the group: one of it is chosen. */
  readonly name: string
  readonly checked: boolean
  readonly onChoose: () => void
  /** Why it cannot be chosen. */
  readonly disabledBecause?: string | undefined
  readonly children: ReactNode
}

/** One of several, as large as what it says. A plain radio button underneath: arrow keys and screen readers know it. */
export function Choice({ name, checked, onChoose, disabledBecause, children }: ChoiceProps) {
  return (
    <label className={classes['choice']} data-checked={checked} data-disabled={disabledBecause !== undefined}>
      <input type="radio" name={name} checked={checked} disabled={disabledBecause !== undefined} onChange={onChoose} />
      <span className={classes['choiceBody']}>
        {children}
        {disabledBecause !== undefined && <span className={classes['because']}>{disabledBecause}</span>}
      </span>
    </label>
  )
}
