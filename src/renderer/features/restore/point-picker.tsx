import { Text, TextInput, UnstyledButton } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { memo } from 'react'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { Ago } from '../../ui/ago.tsx'
import { Name } from '../../ui/name.tsx'
import { Choice } from './choice.tsx'
import { PointFacts } from './point-facts.tsx'
import { isToBeHad, type PointGroup } from './point-groups.ts'
import classes from './restore.module.css'
import { words } from './words.ts'

interface PointPickerProps {
  readonly groups: readonly PointGroup[]
  readonly search: string
  /** The VM whose points are shown. */
  readonly open: PointGroup | undefined
  readonly chosen: string | undefined
  readonly onSearch: (text: string) => void
  readonly onOpen: (group: PointGroup) => void
  readonly onChoose: (point: PointView) => void
}

/** VMs on the left, the points of one of them on the right. */
export function PointPicker({ groups, search, open, chosen, onSearch, onOpen, onChoose }: PointPickerProps) {
  return (
    <div className={classes['picker']}>
      <div className={classes['pickerSide']}>
        <TextInput
          aria-label={words.search}
          placeholder={words.searchHint}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={search}
          onChange={({ currentTarget }) => onSearch(currentTarget.value)}
        />
        <ul className={classes['vms']} aria-label={words.vms}>
          {groups.map((group) => (
            <VmRow key={group.uuid} group={group} isOpen={group.uuid === open?.uuid} onOpen={onOpen} />
          ))}
        </ul>
        {groups.length === 0 && <Text c="dimmed">{words.nothingFits}</Text>}
      </div>
      <Points group={open} chosen={chosen} onChoose={onChoose} />
    </div>
  )
}

interface VmRowProps {
  readonly group: PointGroup
  readonly isOpen: boolean
  readonly onOpen: (group: PointGroup) => void
}

const VmRow = memo(function VmRow({ group, isOpen, onOpen }: VmRowProps) {
  const [newest] = group.points
  return (
    <li>
      <UnstyledButton className={classes['vm']} aria-pressed={isOpen} onClick={() => onOpen(group)}>
        <Name text={group.name} />
        <span className={classes['soft']}>
          <bdi>{safeText(group.host)}</bdi> · {words.pointCount(group.points.length)}
          {newest !== undefined && (
            <>
              {' · '}
              <Ago at={newest.takenAt} />
            </>
          )}
        </span>
      </UnstyledButton>
    </li>
  )
})

type PointsProps = Pick<PointPickerProps, 'chosen' | 'onChoose'> & { readonly group: PointGroup | undefined }

function Points({ group, chosen, onChoose }: PointsProps) {
  if (group === undefined)
    return (
      <Text c="dimmed" className={classes['pickerHint']}>
        {words.chooseVm}
      </Text>
    )
  return (
    <div className={classes['points']} role="radiogroup" aria-label={words.pointsOf(shorten(safeText(group.name), 60))}>
      {group.points.map((point) => (
        <Choice
          key={pointName(point)}
          name="restore-point"
          checked={pointName(point) === chosen}
          onChoose={() => onChoose(point)}
          disabledBecause={isToBeHad(point) ? undefined : silentText(point)}
        >
          <PointFacts point={point} />
        </Choice>
      ))}
    </div>
  )
}

export const silentText = ({ places }: PointView): string =>
  words.silent(places.map(({ label }) => safeText(label)).join(', '))
