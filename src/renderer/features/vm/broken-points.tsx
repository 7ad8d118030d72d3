import { Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import type { BrokenPoint } from '../../../shared/views/point-view.ts'
import { Panel } from '../../ui/panel.tsx'
import classes from './vm.module.css'
import { words } from './words.ts'

/** What lies in a store like a point of this VM, and is not to be trusted. */
export function BrokenPoints({ broken }: { readonly broken: readonly BrokenPoint[] }) {
  if (broken.length === 0) return undefined
  return (
    <Panel title={words.broken.title}>
      <Text>{words.broken.text}</Text>
      <ul className={classes['broken']}>
        {broken.map(({ where, path, reason }) => (
          <li key={`${where}:${path}`}>
            <code>
              {safeText(where)}: {safeText(path)}
            </code>
            <Text c="dimmed">{safeText(reason)}</Text>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
