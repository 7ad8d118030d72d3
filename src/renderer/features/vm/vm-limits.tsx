import { Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import { Panel } from '../../ui/panel.tsx'
import classes from './vm.module.css'
import { words } from './words.ts'

/** What no point of the VM holds, said before anybody needs it. */
export function VmLimits({ limits = [] }: { readonly limits: readonly string[] | undefined }) {
  if (limits.length === 0) return undefined
  return (
    <Panel title={words.limits.title}>
      <Text c="dimmed">{words.limits.text}</Text>
      <ul className={classes['limits']}>
        {limits.map((limit) => (
          <li key={limit}>{safeText(limit)}.</li>
        ))}
      </ul>
    </Panel>
  )
}
