import { Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostPolicies } from '../../../shared/views/policy-view.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import classes from './schedules.module.css'
import { words } from './words.ts'

/** Files that a host has among its schedules and that none can be read from. */
export function BrokenFiles({ broken }: Pick<HostPolicies, 'broken'>) {
  if (broken.length === 0) return undefined
  return (
    <div className={classes['broken']}>
      <StateMark tone="attention" label={words.host.broken} />
      <Text fz="sm" c="dimmed">
        {words.host.brokenText}
      </Text>
      <ul>
        {broken.map(({ path, reason }) => (
          <li key={path}>
            <code>{safeText(path)}</code> <span>{safeText(reason)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
