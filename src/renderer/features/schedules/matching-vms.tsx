import { Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
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
      <Limits vms={vms.filter(({ limits = [] }) => limits.length > 0)} />
    </div>
  )
}

/** Better known while one chooses than when a restore is needed. */
function Limits({ vms }: { readonly vms: readonly VmView[] }) {
  if (vms.length === 0) return undefined
  return (
    <>
      <Text fw={600} fz="sm" mt="md">
        {said.limits}
      </Text>
      <ul className={classes['limited']}>
        {vms.slice(0, MOST).map(({ uuid, name, limits = [] }) => (
          <li key={uuid}>
            <Name text={name} />
            <ul className={classes['limits']}>
              {limits.map((limit) => (
                <li key={limit}>{safeText(limit)}.</li>
              ))}
            </ul>
          </li>
        ))}
        {vms.length > MOST && <li className={classes['soft']}>{said.more(vms.length - MOST)}</li>}
      </ul>
    </>
  )
}
