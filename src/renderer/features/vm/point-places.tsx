import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { IconShieldCheck, IconTrash } from '@tabler/icons-react'
import { formatTime } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PlaceView, PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.point

/** Where a point is, and what can be done with it there. */
export const PointPlaces = ({ point }: { readonly point: PointView }) => (
  <Stack gap="sm" component="section" aria-label={said.places}>
    <Title order={3}>{said.places}</Title>
    <ul className={classes['places']}>
      {point.places.map((place) => (
        <Place key={`${place.kind} ${place.label}`} point={point} place={place} />
      ))}
    </ul>
    <Text c="dimmed" fz="sm">
      {said.placesHint}
    </Text>
  </Stack>
)

function Place({ point, place }: { readonly point: PointView; readonly place: PlaceView }) {
  const verify = useWindow((state) => state.verifyPoint)
  const open = useWindow((state) => state.openPointDialog)
  const isVerifying = useWindow(
    ({ pointErrand }) =>
      pointErrand?.what === 'verify' &&
      pointErrand.isBusy &&
      pointErrand.point === pointName(point) &&
      pointErrand.place === place.label
  )
  const label = safeText(place.label)
  return (
    <li className={classes['place']}>
      <div className={classes['placeName']}>
        <Name text={place.kind === 'local' ? `${place.dir} (${said.thisComputer})` : place.label} lines={2} />
        {place.kind === 'host' && (
          <span className={classes['soft']}>
            <Name text={place.dir} />
          </span>
        )}
        {place.hasMemory !== undefined && (
          <span className={classes['soft']}>{place.hasMemory ? words.withRam : words.withoutRam}</span>
        )}
        {place.verified && (
          <StateMark
            tone={place.verified.good ? 'good' : 'danger'}
            label={place.verified.good ? words.verifiedGood : words.verifiedBad}
            hint={formatTime(place.verified.at)}
          />
        )}
        {!place.reachable && <StateMark tone="unknown" label={said.unreachable} />}
      </div>
      <Group gap="sm" wrap="nowrap">
        <Button
          variant="default"
          size="xs"
          leftSection={<IconShieldCheck size={16} aria-hidden />}
          aria-label={said.verifyIn(label)}
          loading={isVerifying}
          onClick={() => verify(pointName(point), place.label)}
        >
          {said.verify}
        </Button>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconTrash size={16} aria-hidden />}
          aria-label={said.deleteIn(label)}
          onClick={() => open({ kind: 'delete', point: pointName(point), place: place.label })}
        >
          {said.delete}
        </Button>
      </Group>
    </li>
  )
}
