import { Button, Skeleton } from '@mantine/core'
import { IconPlus, IconRefresh, IconServer2 } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { PageHeader } from '../../ui/page-header.tsx'
import { HostCards } from './host-cards.tsx'
import { hostsShown } from './host-card-view.ts'
import { HostDialogs } from './host-dialogs.tsx'
import classes from './hosts.module.css'
import { words } from './words.ts'

export function HostsPage() {
  const hosts = useWindow((state) => state.hosts)
  const route = useWindow((state) => state.route)
  const marked = route.screen === 'hosts' ? route.host : undefined
  const page = useRef<HTMLDivElement>(null)
  useEffect(() => {
    page.current?.querySelector('[data-marked="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [marked])
  return (
    <div ref={page}>
      <PageHeader title={words.title} subtitle={hostsShown(hosts)} actions={<HostsActions />} />
      <RefreshFailure />
      {hosts === undefined ? (
        <Loading />
      ) : hosts.length === 0 ? (
        <NoHosts />
      ) : (
        <HostCards hosts={hosts} marked={marked} />
      )}
      <HostDialogs />
    </div>
  )
}

function HostsActions() {
  const isRefreshing = useWindow((state) => state.isRefreshing)
  const refreshHosts = useWindow((state) => state.refreshHosts)
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconRefresh size={16} aria-hidden />}
        loading={isRefreshing}
        onClick={() => refreshHosts()}
      >
        {words.refresh}
      </Button>
      <AddHostButton />
    </>
  )
}

function AddHostButton() {
  const openAddHost = useWindow((state) => state.openAddHost)
  return (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => openAddHost()}>
      {words.add.open}
    </Button>
  )
}

function RefreshFailure() {
  const failure = useWindow((state) => state.refreshFailure)
  const refreshHosts = useWindow((state) => state.refreshHosts)
  return failure && <FailureNotice failure={failureShown(failure)} onRetry={() => refreshHosts()} />
}

const NoHosts = () => (
  <EmptyState icon={IconServer2} title={words.empty.title} text={words.empty.text}>
    <AddHostButton />
  </EmptyState>
)

/** The shape of what comes. */
const Loading = () => (
  <div className={classes['cards']} role="status" aria-busy="true" aria-label={words.states.connecting}>
    {[0, 1, 2].map((n) => (
      <Skeleton key={n} height={280} />
    ))}
  </div>
)
