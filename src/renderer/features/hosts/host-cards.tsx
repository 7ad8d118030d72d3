import type { HostView } from '../../../shared/views/host-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { isKeyFailure } from './add-host.ts'
import { HostCard } from './host-card.tsx'
import { inOrder } from './host-card-view.ts'
import classes from './hosts.module.css'

interface HostCardsProps {
  readonly hosts: readonly HostView[]
  readonly marked: string | undefined
}

export function HostCards({ hosts, marked }: HostCardsProps) {
  const policies = useWindow((state) => state.policies)
  const go = useWindow((state) => state.go)
  const refreshHosts = useWindow((state) => state.refreshHosts)
  const openDoctor = useWindow((state) => state.openDoctor)
  const openRemoveHost = useWindow((state) => state.openRemoveHost)
  const openHostKey = useWindow((state) => state.openHostKey)
  return (
    <div className={classes['cards']}>
      {inOrder(hosts).map((host) => (
        <HostCard
          key={host.name}
          host={host}
          policies={policies?.hosts.find((each) => each.host === host.name)}
          onSchedules={() => go({ screen: 'schedules', host: host.name })}
          isMarked={host.name === marked}
          onRefresh={() => refreshHosts(host.name)}
          onDoctor={() => openDoctor(host.name)}
          onRemove={() => openRemoveHost(host.name)}
          onJudgeKey={() => host.failure && isKeyFailure(host.failure) && openHostKey(host.name, host.failure)}
        />
      ))}
    </div>
  )
}
