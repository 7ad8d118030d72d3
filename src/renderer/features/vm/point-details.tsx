import { Button, Group, Skeleton, Stack } from '@mantine/core'
import { IconCopyPlus, IconHistory, IconPin, IconPinnedOff } from '@tabler/icons-react'
import { useEffect } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import { PointFacts } from './point-facts.tsx'
import { PointFiles } from './point-files.tsx'
import { PointNote } from './point-note.tsx'
import { PointPlaces } from './point-places.tsx'
import type { ManifestState } from './vm-slice.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.point

/** Everything about one point, and what can be done with it. */
export function PointDetails({ point }: { readonly point: PointView }) {
  const name = pointName(point)
  const state = useWindow(({ manifests }) => manifests.get(name))
  const load = useWindow(({ loadManifest }) => loadManifest)
  useEffect(() => load(name), [load, name])
  const manifest = state?.is === 'here' ? state.manifest : undefined
  return (
    <Stack gap="lg">
      <PointActions point={point} />
      <ErrandFailure point={point} />
      <Warnings warnings={point.warnings} />
      <PointFacts point={point} manifest={manifest} />
      <PointNote point={point} />
      <PointPlaces point={point} />
      {manifest === undefined ? (
        <NoManifest state={state} onRetry={() => load(name)} />
      ) : (
        <PointFiles manifest={manifest} />
      )}
    </Stack>
  )
}

function PointActions({ point }: { readonly point: PointView }) {
  const { marks } = point
  const name = pointName(point)
  const go = useWindow((state) => state.go)
  const pin = useWindow((state) => state.pinPoint)
  const open = useWindow((state) => state.openPointDialog)
  const isPinning = useWindow(({ pointErrand }) => pointErrand?.what === 'pin' && pointErrand.isBusy)
  const Pin = marks.pinned ? IconPinnedOff : IconPin
  return (
    <Group gap="sm">
      <Button
        leftSection={<IconHistory size={16} aria-hidden />}
        onClick={() => go({ screen: 'restore', point: name })}
      >
        {said.restore}
      </Button>
      <Button
        variant="default"
        leftSection={<IconCopyPlus size={16} aria-hidden />}
        onClick={() => open({ kind: 'copy', point: name })}
      >
        {said.copy}
      </Button>
      <Button
        variant="default"
        title={said.pinHint}
        leftSection={<Pin size={16} aria-hidden />}
        loading={isPinning}
        onClick={() => pin(name, !marks.pinned)}
      >
        {marks.pinned ? said.unpin : said.pin}
      </Button>
    </Group>
  )
}

/** Why the last thing that was asked of this point did not happen. What a dialog asked for is said there. */
function ErrandFailure({ point }: { readonly point: PointView }) {
  const errand = useWindow((state) => state.pointErrand)
  const dialog = useWindow((state) => state.pointDialog)
  if (dialog !== undefined || errand?.point !== pointName(point) || errand.failure === undefined) return undefined
  return <FailureNotice failure={failureShown(errand.failure)} />
}

function Warnings({ warnings }: { readonly warnings: readonly string[] }) {
  if (warnings.length === 0) return undefined
  return (
    <ul className={classes['plain']} aria-label={said.warnings}>
      {warnings.map((warning) => (
        <li key={warning}>
          <StateMark tone="attention" label={safeText(warning)} />
        </li>
      ))}
    </ul>
  )
}

interface NoManifestProps {
  readonly state: ManifestState | undefined
  readonly onRetry: () => void
}

const NoManifest = ({ state, onRetry }: NoManifestProps) =>
  state?.is === 'failed' ? (
    <FailureNotice failure={failureShown(state.failure)} onRetry={onRetry} />
  ) : (
    <Skeleton height={160} role="status" aria-busy aria-label={said.loading} />
  )
