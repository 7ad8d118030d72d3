import { IconPlugConnectedX } from '@tabler/icons-react'
import { formatTime } from '../../shared/format.ts'
import { useWindow } from '../state/store-context.ts'
import { words } from '../words.ts'
import classes from './frame.module.css'

/** While there is no way to the core everything is as it was, and that is said. */
export function LinkBanner() {
  const lostAt = useWindow((state) => state.lostAt)
  return (
    <div role="status">
      {lostAt !== undefined && (
        <div className={classes['banner']}>
          <IconPlugConnectedX size={20} stroke={1.6} aria-hidden />
          <span>{words.linkLost(formatTime(lostAt))}</span>
        </div>
      )}
    </div>
  )
}
