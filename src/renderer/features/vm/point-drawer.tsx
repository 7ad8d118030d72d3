import { Drawer } from '@mantine/core'
import { formatTime } from '../../../shared/format.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { PointDetails } from './point-details.tsx'
import { PointDialogs } from './point-dialogs.tsx'
import type { VmKnown } from './vm-view.ts'
import { words } from './words.ts'

interface PointDrawerProps {
  readonly known: VmKnown
  /** Undefined: none is selected, or it is gone. */
  readonly point: PointView | undefined
  readonly onClose: () => void
}

/** A point in detail, beside the page: nothing on it moves. */
export function PointDrawer({ known, point, onClose }: PointDrawerProps) {
  return (
    <Drawer
      opened={point !== undefined}
      onClose={onClose}
      position="right"
      size="640px"
      lockScroll={false}
      title={point && `${words.point.title} · ${formatTime(point.takenAt)}`}
      closeButtonProps={{ 'aria-label': words.point.close }}
    >
      {point !== undefined && (
        <>
          <PointDetails key={pointName(point)} point={point} />
          <PointDialogs point={point} points={known.points} />
        </>
      )}
    </Drawer>
  )
}
