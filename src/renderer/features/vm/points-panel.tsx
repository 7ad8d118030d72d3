import { Button, Text, VisuallyHidden } from '@mantine/core'
import { IconCamera, IconPlayerRecord } from '@tabler/icons-react'
import { formatBytes } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Panel } from '../../ui/panel.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { PointLane } from './point-lane.tsx'
import type { VmKnown } from './vm-view.ts'
import { words } from './words.ts'

interface PointsPanelProps {
  readonly known: VmKnown
  readonly selected: string | undefined
  readonly onSelect: (point: PointView) => void
}

/** The points of a VM on a line of time, and what was done to them last. */
export function PointsPanel({ known, selected, onSelect }: PointsPanelProps) {
  const isAll = useWindow((state) => state.points?.known === true)
  const { points } = known
  if (points.length === 0) return <NoPoints known={known} />
  return (
    <Panel title={words.pointsCount(points.length)}>
      <PointLane points={points} selected={selected} onSelect={onSelect} />
      {!isAll && <Text c="dimmed">{words.notKnown}</Text>}
      <Deleted />
    </Panel>
  )
}

function Deleted() {
  const deleted = useWindow((state) => state.deleted)
  const said = deleted && words.delete.done(safeText(deleted.place), formatBytes(deleted.freedBytes))
  return (
    <>
      <VisuallyHidden role="status">{said}</VisuallyHidden>
      {said !== undefined && <StateMark tone="good" label={said} />}
    </>
  )
}

function NoPoints({ known: { uuid, hostName, vm } }: { readonly known: VmKnown }) {
  const openBackup = useWindow((state) => state.openBackup)
  const isAll = useWindow((state) => state.points?.known === true)
  return (
    <EmptyState
      icon={IconCamera}
      title={words.noPoints.title}
      text={isAll ? words.noPoints.text : `${words.noPoints.text} ${words.notKnown}`}
    >
      {vm !== undefined && (
        <Button
          leftSection={<IconPlayerRecord size={16} aria-hidden />}
          onClick={() => openBackup({ host: hostName, vm: uuid })}
        >
          {words.backUp}
        </Button>
      )}
    </EmptyState>
  )
}
