import { SegmentedControl, Select, Stack, Text, Title } from '@mantine/core'
import { useDeferredValue, useMemo, useState } from 'react'
import { formatBytes } from '../../../shared/format.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { selectVms } from '../../../shared/select-vms.ts'
import { useWindow } from '../../state/store-context.ts'
import { useNow } from '../../ui/use-now.ts'
import { FateTable } from './fate-table.tsx'
import { fatesOf, totalsOf } from './fate-view.ts'
import { formWords } from './form-words.ts'
import { keepRulesOf } from './keep-form.ts'
import { Ladder } from './ladder.tsx'
import { selectionOf, type PolicyForm } from './policy-form.ts'
import classes from './schedules.module.css'
import { fatesOfPoints, simulateYear, sizeOf } from './simulate.ts'
import { calendarText } from './when-form.ts'

interface SimulatorProps {
  readonly form: PolicyForm
  /** Undefined: a new one, which has no points. */
  readonly id: string | undefined
  readonly timeZone: string
}

const said = formWords.simulator
const ALL = ''

/** What the rules would do: to the points there are, and after a year of runs. */
export function Simulator({ form, id, timeZone }: SimulatorProps) {
  const [source, setSource] = useState<'real' | 'year'>('real')
  const hasPoints = useWindow(
    ({ points }) => id !== undefined && points?.points.some(({ policy }) => policy?.id === id)
  )
  const later = useDeferredValue(form)
  return (
    <section className={classes['simulator']} aria-label={said.title}>
      <div className={classes['simulatorHead']}>
        <Title order={3}>{said.title}</Title>
        {hasPoints === true && (
          <SegmentedControl
            size="xs"
            aria-label={said.source}
            value={source}
            data={(['real', 'year'] as const).map((value) => ({ value, label: said[value] }))}
            onChange={(value) => setSource(value)}
          />
        )}
      </div>
      {source === 'real' && id !== undefined && hasPoints === true ? (
        <Real form={later} id={id} timeZone={timeZone} />
      ) : (
        <Year form={later} timeZone={timeZone} />
      )}
    </section>
  )
}

function Real({ form, id, timeZone }: SimulatorProps & { readonly id: string }) {
  const points = useWindow((state) => state.points)
  const [chosen, choose] = useState(ALL)
  const { host, store, keep, excludeDisks } = form
  const fates = useMemo(
    () => fatesOfPoints(points?.points ?? [], { id, host, store }, keepRulesOf(keep), { timeZone, excludeDisks }),
    [points, id, host, store, keep, excludeDisks, timeZone]
  )
  const now = useNow()
  const vms = fates.filter(({ vm }) => chosen === ALL || vm.uuid === chosen)
  if (fates.length === 0) return <Text c="dimmed">{said.noPoints}</Text>
  return (
    <Stack gap="md">
      <VmChoice
        value={chosen}
        vms={[{ uuid: ALL, name: said.allVms }, ...fates.map(({ vm }) => vm)]}
        onChange={choose}
      />
      <RealSum fates={fatesOf(vms).map(({ fate }) => fate)} />
      <Ladder points={fatesOf(vms).map(({ fate }) => fate)} now={now} />
      <details>
        <summary>{said.table}</summary>
        <FateTable fates={fatesOf(vms)} timeZone={timeZone} />
      </details>
    </Stack>
  )
}

interface VmChoiceProps {
  readonly value: string
  readonly vms: readonly { readonly uuid: string; readonly name: string }[]
  readonly onChange: (uuid: string) => void
}

const VmChoice = ({ value, vms, onChange }: VmChoiceProps) => (
  <Select
    label={said.vm}
    maw={320}
    allowDeselect={false}
    searchable={vms.length > 10}
    value={value}
    data={vms.map(({ uuid, name }) => ({ value: uuid, label: shorten(safeText(name), 80) }))}
    onChange={(uuid) => uuid !== null && onChange(uuid)}
  />
)

function RealSum({ fates }: { readonly fates: Parameters<typeof totalsOf>[0] }) {
  const { kept, keptBytes, going, freesBytes, memoryDropped } = totalsOf(fates)
  return (
    <div role="status">
      <span className={classes['figure']}>{said.sum(kept, formatBytes(keptBytes))}</span>
      <Text c="dimmed">
        {going === 0 && memoryDropped === 0 ? said.nothingGoes : said.goes(going, formatBytes(freesBytes))}
        {memoryDropped > 0 && `; ${said.memory(memoryDropped)}`}
      </Text>
    </div>
  )
}

function Year({ form, timeZone }: Omit<SimulatorProps, 'id'>) {
  const points = useWindow((state) => state.points)
  const hosts = useWindow((state) => state.hosts)
  const [began] = useState(() => new Date())
  const [chosen, choose] = useState<string>()
  const { host, keep, when } = form
  const vms = selectVms(selectionOf(form.vms), hosts?.find(({ name }) => name === host)?.vms ?? [])
  const vm = vms.find(({ uuid }) => uuid === chosen) ?? vms[0]
  const size = useMemo(() => sizeOf(vm, points?.points ?? []), [vm, points])
  const year = useMemo(
    () => simulateYear(calendarText(when), keepRulesOf(keep), timeZone, size, began),
    [when, keep, timeZone, size, began]
  )
  const newest = year?.points[0]
  if (year === undefined || newest === undefined) return <Text c="dimmed">{said.noRuns}</Text>
  const { kept, keptBytes } = totalsOf(year.points)
  return (
    <Stack gap="md">
      {vm !== undefined && vms.length > 1 && <VmChoice value={vm.uuid} vms={vms} onChange={choose} />}
      <div role="status">
        <span className={classes['figure']}>{said.yearSum(kept, formatBytes(keptBytes))}</span>
        <Text c="dimmed">
          {said.assumed(formatBytes(size.sizeBytes), year.runCount)}
          {year.drawn < year.runCount && ` ${said.capped(year.drawn)}`}
        </Text>
      </div>
      <Ladder points={year.points} now={new Date(newest.takenAt)} />
    </Stack>
  )
}
