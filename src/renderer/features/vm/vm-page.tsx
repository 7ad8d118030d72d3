import { Button, Skeleton, Stack } from '@mantine/core'
import { IconServerOff } from '@tabler/icons-react'
import { Suspense, useCallback, useMemo } from 'react'
import { pointCalled, pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { lazyPart } from '../../ui/lazy-part.ts'
import { PageHeader } from '../../ui/page-header.tsx'
import { RunningJobs } from '../activity/running-jobs.tsx'
import { BrokenPoints } from './broken-points.tsx'
import { PointDrawer } from './point-drawer.tsx'
import { PointTable } from './point-table.tsx'
import { PointsPanel } from './points-panel.tsx'
import { VmCare } from './vm-care.tsx'
import { VmHeader } from './vm-header.tsx'
import { VmLimits } from './vm-limits.tsx'
import { vmKnown, type VmKnown } from './vm-view.ts'
import { words } from './words.ts'

/** Charts are the heaviest part of the window: the page does not wait for them. */
const VmTrends = lazyPart(async () => (await import('./vm-trends.tsx')).VmTrends)

/** One VM: how it is, its points, and how long it stood still for them. */
export function VmPage() {
  const route = useWindow((state) => state.route)
  const hosts = useWindow((state) => state.hosts)
  const points = useWindow((state) => state.points)
  const jobs = useWindow((state) => state.jobs)
  const { vm: uuid, host } = route.screen === 'vm' ? route : { vm: '', host: '' }
  const known = useMemo(() => vmKnown({ hosts, points, jobs }, uuid, host), [hosts, points, jobs, uuid, host])
  if (known !== undefined) return <Known known={known} selected={route.screen === 'vm' ? route.point : undefined} />
  return hosts === undefined || points === undefined ? <Loading /> : <Unknown />
}

interface KnownProps {
  readonly known: VmKnown
  /** Of a point. */
  readonly selected: string | undefined
}

function Known({ known, selected }: KnownProps) {
  const show = useWindow((state) => state.showPoint)
  const close = useWindow((state) => state.closePoint)
  const { points, hostName } = known
  const open = selected === undefined ? undefined : pointCalled(points, selected, hostName)
  const select = useCallback((point: PointView) => show(pointName(point)), [show])
  return (
    <Stack gap="lg">
      <VmHeader known={known} />
      <RunningJobs jobs={known.running} />
      <VmLimits limits={known.vm?.limits} />
      <VmCare uuid={known.uuid} host={known.hostName} />
      <PointsPanel known={known} selected={open && pointName(open)} onSelect={select} />
      {points.length > 0 && (
        <Suspense fallback={<Skeleton height={340} />}>
          <VmTrends known={known} />
        </Suspense>
      )}
      {points.length > 0 && <PointTable points={points} onOpen={select} />}
      <BrokenPoints broken={known.broken} />
      <PointDrawer known={known} point={open} onClose={close} />
    </Stack>
  )
}

const Loading = () => (
  <Stack gap="lg" aria-busy>
    <Skeleton height={32} width="40%" />
    <Skeleton height={72} />
    <Skeleton height={360} />
  </Stack>
)

function Unknown() {
  const go = useWindow((state) => state.go)
  return (
    <>
      <PageHeader title={words.unknown.title} />
      <EmptyState icon={IconServerOff} title={words.unknown.title} text={words.unknown.text}>
        <Button variant="default" onClick={() => go({ screen: 'overview' })}>
          {words.unknown.back}
        </Button>
      </EmptyState>
    </>
  )
}
