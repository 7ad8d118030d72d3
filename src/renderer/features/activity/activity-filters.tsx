import { Button, Select, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { JobViewKind } from '../../../shared/views/job-view.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { BY_HAND, isFiltering, NO_FILTER, OUTCOMES, type JobFilter, type JobPolicy } from './activity-view.ts'
import classes from './activity.module.css'
import { words } from './words.ts'

interface ActivityFiltersProps {
  readonly filter: JobFilter
  readonly hosts: readonly string[]
  readonly policies: readonly JobPolicy[]
  /** `12 of 310 jobs`. */
  readonly count: string
  readonly onChange: (change: Partial<JobFilter>) => void
}

const { filters } = words
const kinds = JobViewKind.options.map((kind) => ({ value: kind, label: words.kind[kind] }))
const outcomes = OUTCOMES.map((outcome) => ({ value: outcome, label: words.outcome[outcome] }))

export function ActivityFilters({ filter, hosts, policies, count, onChange }: ActivityFiltersProps) {
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
        label={filters.outcome}
        data={outcomes}
        value={filter.outcome ?? null}
        onChange={(outcome) => onChange({ outcome: outcome ?? undefined })}
      />
      {policies.length > 0 && (
        <Select
          {...some}
          label={filters.policy}
          searchable={policies.length > 8}
          data={policyOptions(policies)}
          value={filter.policy ?? null}
          onChange={(policy) => onChange({ policy: policy ?? undefined })}
        />
      )}
      <div className={classes['count']}>
        <span role="status">{count}</span>
        {isFiltering(filter) && (
          <Button variant="subtle" size="xs" onClick={() => onChange(NO_FILTER)}>
            {filters.clear}
          </Button>
        )}
      </div>
    </div>
  )
}

/** With the host where two schedules are called the same. */
function policyOptions(policies: readonly JobPolicy[]): { value: string; label: string }[] {
  const isTwice = (name: string): boolean => policies.filter((policy) => policy.name === name).length > 1
  const named = policies.map(({ id, name, host }) => ({
    value: id,
    label: safeText(isTwice(name) ? filters.policyOn(name, host) : name)
  }))
  return [{ value: BY_HAND, label: filters.byHand }, ...named]
}
