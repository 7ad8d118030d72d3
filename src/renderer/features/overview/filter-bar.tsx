import { CloseButton, NativeSelect, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { words as shared } from '../../words.ts'
import { FILTER_STATES, type FilterState } from './filter-view.ts'
import classes from './overview.module.css'
import { words } from './words.ts'

const STATES = FILTER_STATES.map((value) => ({ value, label: words.states[value] }))

/** Narrows the list; it is kept while one looks at a VM and comes back. */
export function FilterBar({ hosts }: { readonly hosts: readonly HostView[] }) {
  const { text, state, host } = useWindow((all) => all.overviewFilter)
  const filter = useWindow((all) => all.filterOverview)
  const names = hosts.map(({ name }) => ({ value: name, label: safeText(name) }))
  return (
    <div className={classes['filters']} role="search">
      <TextInput
        aria-label={words.filter.text}
        placeholder={words.filter.placeholder}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={text !== '' && <CloseButton aria-label={shared.clear} onClick={() => filter({ text: '' })} />}
        value={text}
        onChange={({ currentTarget }) => filter({ text: currentTarget.value })}
      />
      <NativeSelect
        aria-label={words.filter.state}
        data={STATES}
        value={state}
        onChange={({ currentTarget }) => filter({ state: currentTarget.value as FilterState })}
      />
      <NativeSelect
        aria-label={words.filter.host}
        data={[{ value: '', label: words.filter.allHosts }, ...names]}
        value={host ?? ''}
        onChange={({ currentTarget }) => filter({ host: currentTarget.value === '' ? undefined : currentTarget.value })}
      />
    </div>
  )
}
