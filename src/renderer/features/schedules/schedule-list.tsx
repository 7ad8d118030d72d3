import { Button, Skeleton, Stack } from '@mantine/core'
import { IconCalendarTime, IconPlus } from '@tabler/icons-react'
import type { HostPolicies } from '../../../shared/views/policy-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { useNow } from '../../ui/use-now.ts'
import { HostSchedules } from './host-schedules.tsx'
import { subtitleOf } from './schedules-view.ts'
import { words } from './words.ts'

/** Every schedule, by host. */
export function ScheduleList() {
  const policies = useWindow((state) => state.policies)
  const hosts = useWindow((state) => state.hosts)
  const now = useNow()
  const all = policies?.hosts ?? []
  const isNone = all.every((host) => host.policies.length === 0 && host.broken.length === 0)
  const isWaiting = hosts === undefined || policies === undefined || (isNone && !policies.known)
  return (
    <>
      <PageHeader title={words.title} subtitle={subtitleOf(all, now)} actions={all.length > 0 && <NewSchedule />} />
      {isWaiting ? <Loading /> : isNone ? <None hasHosts={hosts.length > 0} /> : <Hosts all={all} />}
    </>
  )
}

function Hosts({ all }: { readonly all: readonly HostPolicies[] }) {
  return (
    <Stack gap="xl">
      {all.map((at) => (
        <HostSchedules key={at.host} at={at} />
      ))}
    </Stack>
  )
}

export function NewSchedule({ host }: { readonly host?: string | undefined }) {
  const go = useWindow((state) => state.go)
  return (
    <Button
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => go({ screen: 'schedules', edit: 'new', ...(host !== undefined && { host }) })}
    >
      {words.create}
    </Button>
  )
}

function None({ hasHosts }: { readonly hasHosts: boolean }) {
  const go = useWindow((state) => state.go)
  const openAddHost = useWindow((state) => state.openAddHost)
  const addHost = (): void => {
    go({ screen: 'hosts' })
    openAddHost()
  }
  return (
    <EmptyState
      icon={IconCalendarTime}
      title={words.empty.title}
      text={hasHosts ? words.empty.text : `${words.empty.text} ${words.empty.noHosts}`}
    >
      {hasHosts ? <NewSchedule /> : <Button onClick={addHost}>{words.empty.addHost}</Button>}
    </EmptyState>
  )
}

const Loading = () => (
  <Stack gap="sm" role="status" aria-busy aria-label={words.loading}>
    <Skeleton height={24} width="30%" />
    <Skeleton height={160} />
    <Skeleton height={24} width="30%" mt="lg" />
    <Skeleton height={160} />
  </Stack>
)
