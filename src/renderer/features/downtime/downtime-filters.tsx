import { Button, Select, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { JobKind } from '../../../shared/model/job.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { ALL_DOWNTIMES, type DowntimeFilter } from './downtime-view.ts'
import classes from './downtime.module.css'
import { words } from './words.ts'

interface DowntimeFiltersProps {
  readonly filter: DowntimeFilter
  readonly hosts: readonly string[]
  readonly shown: number
  readonly all: number
  readonly onChange: (change: Partial<DowntimeFilter>) => void
}

const { filters } = words
const kinds = JobKind.options.map((kind) => ({ value: kind, label: words.kinds[kind] }))

export function DowntimeFilters({ filter, hosts, shown, all, onChange }: DowntimeFiltersProps) {
  const some = { size: 'xs', placeholder: filters.all, clearable: true, className: classes['filter'] } as const
  return (
    <div className={classes['filters']}>
      <TextInput
        size="xs"
        className={classes['filterText']}
        label={filters.vm}
        placeholder={filters.find}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={filter.vm}
        onChange={({ currentTarget }) => onChange({ vm: currentTarget.value })}
      />
      <Select
        {...some}
        label={filters.host}
        searchable={hosts.length > 8}
        data={hosts.map((host) => ({ value: host, label: safeText(host) }))}
        value={filter.host ?? null}
        onChange={(host) => onChange({ host: host ?? undefined })}
      />
      <Select
        {...some}
        label={filters.kind}
        data={kinds}
        value={filter.kind ?? null}
        onChange={(kind) => onChange({ kind: kind ?? undefined })}
      />
      <Select
        {...some}
        label={filters.period}
        data={[...words.periods]}
        value={filter.days === undefined ? null : String(filter.days)}
        onChange={(days) => onChange({ days: days === null ? undefined : Number(days) })}
      />
      <div className={classes['shown']}>
        <span role="status">{words.countOf(shown, all)}</span>
        {shown < all && (
          <Button variant="subtle" size="xs" onClick={() => onChange(ALL_DOWNTIMES)}>
            {filters.clear}
          </Button>
        )}
      </div>
    </div>
  )
}
