import { Text } from '@mantine/core'
import type { VmView } from '../../../shared/views/host-view.ts'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { formWords } from './form-words.ts'
import classes from './schedules.module.css'

const said = formWords.vms
const MOST = 14

/** The VMs that are meant now, as one types. */
export function MatchingVms({ vms }: { readonly vms: readonly VmView[] | undefined }) {
  if (vms === undefined) return <Text c="dimmed">{said.unknown}</Text>
  return (
    <div role="status">
      <StateMark tone={vms.length === 0 ? 'attention' : 'good'} label={said.match(vms.length)} />
      <ul className={classes['matches']}>
        {vms.slice(0, MOST).map(({ uuid, name }) => (
          <li key={uuid}>
            <Name text={name} />
          </li>
        ))}
        {vms.length > MOST && <li className={classes['soft']}>{said.more(vms.length - MOST)}</li>}
      </ul>
    </div>
  )
}
