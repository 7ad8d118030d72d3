import { safeText } from '../../shared/safe-text.ts'
import classes from './ui.module.css'

interface NameProps {
  readonly text: string
  /** What does not fit into so many lines is cut, and shown on hover. */
  readonly lines?: number | undefined
}

/** A name from a host: whatever is in it shows as text, and nothing around it changes direction. */
export function Name({ text, lines = 1 }: NameProps) {
  const shown = safeText(text)
  return (
    <bdi className={classes['name']} style={{ WebkitLineClamp: lines }} title={shown}>
      {shown}
    </bdi>
  )
}
