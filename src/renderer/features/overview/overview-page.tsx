import { Skeleton, Stack } from '@mantine/core'
import { safetySentence } from '../../../shared/safety-words.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { useSafety } from '../../state/use-safety.ts'
import { PageHeader } from '../../ui/page-header.tsx'
import { Welcome } from '../welcome/welcome.tsx'
import { AttentionPanel } from './attention-panel.tsx'
import { MuteDialog } from './mute-dialog.tsx'
import { OverviewHeader } from './overview-header.tsx'
import { VmTable } from './vm-table.tsx'

/** Are we safe? */
export function OverviewPage() {
  const hosts = useWindow((state) => state.hosts)
  if (hosts === undefined) return <Loading />
  return hosts.length === 0 ? <Welcome /> : <Overview hosts={hosts} />
}

function Overview({ hosts }: { readonly hosts: readonly HostView[] }) {
  const vms = useSafety()
  return (
    <>
      <OverviewHeader hosts={hosts} vms={vms} />
      <Stack gap="lg">
        <AttentionPanel hosts={hosts} vms={vms} />
        <VmTable hosts={hosts} vms={vms} />
      </Stack>
      <MuteDialog />
    </>
  )
}

function Loading() {
  return (
    <>
      <PageHeader title={safetySentence(undefined, [], new Date(0))} />
      <Stack gap="lg">
        <Skeleton h={120} />
        <Skeleton h={32} w="50%" />
        <Stack gap="xs">
          {Array.from({ length: 7 }, (_, n) => (
            <Skeleton key={n} h={52} />
          ))}
        </Stack>
      </Stack>
    </>
  )
}
