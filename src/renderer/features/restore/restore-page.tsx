import { Button, Skeleton, Stack } from '@mantine/core'
import { IconHistory } from '@tabler/icons-react'
import { useShallow } from 'zustand/react/shallow'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { PointsView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { Panel } from '../../ui/panel.tsx'
import { CheckStep } from './check-step.tsx'
import { HostStep } from './host-step.tsx'
import { ModeStep } from './mode-step.tsx'
import { PointStep } from './point-step.tsx'
import classes from './restore.module.css'
import { draftHere } from './restore-slice.ts'
import { chosenOf } from './restore-view.ts'
import { words } from './words.ts'

/** Point, host, how, check: all on one page, each with what was said or is suggested. */
export function RestorePage() {
  const hosts = useWindow((state) => state.hosts)
  const points = useWindow((state) => state.points)
  return (
    <>
      <PageHeader title={words.title} subtitle={words.subtitle} />
      {hosts === undefined || points === undefined ? <Loading /> : <Wizard hosts={hosts} points={points} />}
    </>
  )
}

const Loading = () => (
  <div className={classes['wizard']} role="status" aria-busy aria-label={words.loading}>
    <Stack gap="lg">
      <Skeleton height={320} />
      <Skeleton height={160} />
      <Skeleton height={240} />
    </Stack>
    <Skeleton height={320} />
  </div>
)

interface WizardProps {
  readonly hosts: readonly HostView[]
  readonly points: PointsView
}

function Wizard({ hosts, points }: WizardProps) {
  const go = useWindow((state) => state.go)
  const draft = useWindow(useShallow(draftHere))
  const edit = useWindow((state) => state.editRestore)
  const chosen = chosenOf(draft, hosts, points.points)
  if (points.points.length === 0 && points.known)
    return (
      <EmptyState icon={IconHistory} title={words.noPoints.title} text={words.noPoints.text}>
        <Button variant="default" onClick={() => go({ screen: 'overview' })}>
          {words.noPoints.go}
        </Button>
      </EmptyState>
    )
  return (
    <div className={classes['wizard']}>
      <div className={classes['steps']}>
        <PointStep draft={draft} points={points} chosen={chosen.point} />
        <Panel title={words.step(2, words.steps.host)}>
          <HostStep
            hosts={hosts}
            point={chosen.point}
            chosen={chosen.host?.name}
            onChoose={(to) => edit({ to })}
            onAdd={() => go({ screen: 'hosts' })}
          />
        </Panel>
        <Panel title={words.step(3, words.steps.mode)}>
          <ModeStep chosen={chosen} onChange={edit} />
        </Panel>
      </div>
      <div className={classes['aside']}>
        <Panel title={words.step(4, words.steps.check)}>
          <CheckStep chosen={chosen} />
        </Panel>
      </div>
    </div>
  )
}
