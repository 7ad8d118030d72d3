import { Button, Text } from '@mantine/core'
import { useCallback, useMemo } from 'react'
import { pointName, pointsCalled } from '../../../shared/point-name.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { PointsView, PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { Panel } from '../../ui/panel.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { PointFacts } from './point-facts.tsx'
import { groupsOf, isToBeHad, suggested, type PointGroup } from './point-groups.ts'
import { PointPicker, silentText } from './point-picker.tsx'
import classes from './restore.module.css'
import type { RestoreDraft } from './restore-view.ts'
import { words } from './words.ts'

interface PointStepProps {
  readonly draft: RestoreDraft
  readonly points: PointsView
  readonly chosen: PointView | undefined
}

/** The point that was chosen, or all of them to choose from. */
export function PointStep({ draft, points, chosen }: PointStepProps) {
  const edit = useWindow((state) => state.editRestore)
  const isOpen = draft.isChoosing || chosen === undefined
  return (
    <Panel
      title={words.step(1, words.steps.point)}
      actions={
        chosen !== undefined && (
          <Button variant="default" size="xs" onClick={() => edit({ isChoosing: !isOpen })}>
            {isOpen ? words.keepThis : words.another}
          </Button>
        )
      }
    >
      {!points.known && <Text c="dimmed">{words.stillAsking}</Text>}
      {draft.point !== undefined && chosen === undefined && (
        <Text>{pointsCalled(points.points, draft.point).length > 1 ? words.severalPoints : words.unknownPoint}</Text>
      )}
      {isOpen ? <Picker draft={draft} points={points.points} chosen={chosen} /> : <ChosenPoint point={chosen} />}
    </Panel>
  )
}

const nameOf = (point: PointView | undefined): string | undefined => point && pointName(point)

const ChosenPoint = ({ point }: { readonly point: PointView }) => (
  <div className={classes['chosen']}>
    <b>
      <bdi>{safeText(point.vm.name)}</bdi>
    </b>
    <PointFacts point={point} />
    {point.rivals !== undefined && (
      <StateMark tone="attention" label={words.rivals(point.rivals.map(safeText).join(', '))} />
    )}
    {!isToBeHad(point) && <span className={classes['because']}>{silentText(point)}</span>}
  </div>
)

interface PickerProps {
  readonly draft: RestoreDraft
  readonly points: readonly PointView[]
  readonly chosen: PointView | undefined
}

function Picker({ draft, points, chosen }: PickerProps) {
  const edit = useWindow((state) => state.editRestore)
  const groups = useMemo(() => groupsOf(points, draft.search), [points, draft.search])
  const openVm = draft.vm ?? chosen?.vm.uuid
  const open = groups.find(({ uuid }) => uuid === openVm) ?? (groups.length === 1 ? groups[0] : undefined)
  const openGroup = useCallback(
    (group: PointGroup) => edit({ isChoosing: true, vm: group.uuid, point: nameOf(suggested(group)) }),
    [edit]
  )
  return (
    <PointPicker
      groups={groups}
      search={draft.search}
      open={open}
      chosen={nameOf(chosen)}
      onSearch={(search) => edit({ isChoosing: true, search })}
      onOpen={openGroup}
      onChoose={(point) => edit({ isChoosing: true, vm: point.vm.uuid, point: pointName(point) })}
    />
  )
}
