import { Title } from '@mantine/core'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { words } from '../../words.ts'
import { AddAnother } from './add-another.tsx'
import { HostTable } from './host-table.tsx'
import { HostsEmpty } from './hosts-empty.tsx'
import { HostsSkeleton } from './hosts-skeleton.tsx'
import { hostsView } from './hosts-view.ts'
import classes from './hosts.module.css'

/** The hosts that Stillpoint knows. */
export function HostsPage() {
  const known = useWindow((state) => state.hosts)
  const askForHosts = useWindow((state) => state.askForHosts)
  const view = hostsView(known, navigator.language)
  return (
    <div className={classes['page']}>
      <header className={classes['header']}>
        <Title order={1}>{words.hosts.title}</Title>
        {view.body === 'list' && <span className={classes['soft']}>{words.hosts.counted(view.rows.length)}</span>}
      </header>
      {view.failure && <FailureNotice failure={view.failure} busy={view.asking} onRetry={() => void askForHosts()} />}
      {view.failure && view.body === 'list' && <span className={classes['soft']}>{words.hosts.stale}</span>}
      {view.body === 'loading' && <HostsSkeleton />}
      {view.body === 'empty' && <HostsEmpty />}
      {view.body === 'list' && <HostTable rows={view.rows} />}
      {view.body === 'list' && <AddAnother />}
    </div>
  )
}
