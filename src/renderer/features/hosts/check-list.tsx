import { Text } from '@mantine/core'
import type { ProbeItem } from '../../../shared/views/host-view.ts'
import { CommandLine } from '../../ui/command-line.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import classes from './hosts.module.css'
import { checkShown } from './probe-view.ts'

/** What Stillpoint needs of a host, and the fix for each line that is not as it should be. */
export function CheckList({ items }: { readonly items: readonly ProbeItem[] }) {
  return (
    <ul className={classes['checks']}>
      {items.map(checkShown).map(({ tone, text, fix }, n) => (
        <li key={n} className={classes['check']}>
          <StateMark tone={tone} label={text} />
          {fix !== undefined && (
            <div className={classes['fix']}>
              {fix.text !== undefined && <Text>{fix.text}</Text>}
              {fix.command !== undefined && <CommandLine command={fix.command} />}
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}
