import { Button, Text } from '@mantine/core'
import { describeFailure } from '../../../shared/failure-words.ts'
import { formatBytes } from '../../../shared/format.ts'
import { isHostClaimed } from '../../../shared/point-name.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { Name } from '../../ui/name.tsx'
import { StateMark, type Tone } from '../../ui/state-mark.tsx'
import { Choice } from './choice.tsx'
import classes from './restore.module.css'
import { isOn } from './restore-view.ts'
import { words } from './words.ts'

interface HostStepProps {
  readonly hosts: readonly HostView[]
  readonly point: PointView | undefined
  readonly chosen: string | undefined
  readonly onChoose: (host: string) => void
  readonly onAdd: () => void
}

/** Every managed host: can it take the VM, and what would that mean. */
export function HostStep({ hosts, point, chosen, onChoose, onAdd }: HostStepProps) {
  if (hosts.length === 0)
    return (
      <div className={classes['hint']}>
        <Text c="dimmed">{words.host.none}</Text>
        <Button variant="default" onClick={onAdd}>
          {words.host.add}
        </Button>
      </div>
    )
  return (
    <div className={classes['cards']} role="radiogroup" aria-label={words.host.label}>
      {hosts.map((host) => (
        <Choice
          key={host.name}
          name="restore-host"
          checked={host.name === chosen}
          onChoose={() => onChoose(host.name)}
          disabledBecause={host.state === 'up' ? undefined : whyNot(host)}
        >
          <span className={classes['cardLine']}>
            <b>
              <Name text={host.name} />
            </b>
            <StateMark tone={TONE[host.state]} label={words.host[host.state]} />
          </span>
          <HostFacts host={host} point={point} />
        </Choice>
      ))}
    </div>
  )
}

const TONE: Readonly<Record<HostView['state'], Tone>> = { up: 'good', connecting: 'busy', down: 'danger' }

const whyNot = ({ state, failure }: HostView): string =>
  failure === undefined ? words.host[state] : safeText(describeFailure(failure).title)

function HostFacts({ host, point }: { readonly host: HostView; readonly point: PointView | undefined }) {
  const { store } = host.facts ?? {}
  return (
    <span className={classes['pointFacts']}>
      {store !== undefined && <span>{words.host.free(formatBytes(store.freeBytes))}</span>}
      {point !== undefined && <span>{pointText(host, point)}</span>}
      {point?.host === host.name && !isHostClaimed(point) && <span>{words.host.original}</span>}
      {host.vms.some(({ uuid }) => uuid === point?.vm.uuid) && <span>{words.host.hasVm}</span>}
    </span>
  )
}

const pointText = (host: HostView, point: PointView): string =>
  isOn(point, host.name) ? words.host.hasPoint : words.host.getsPoint(formatBytes(point.sizeBytes))
