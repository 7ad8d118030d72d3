import { Autocomplete, type ComboboxItem, type OptionsFilter } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import type { SshEntry } from '../../../shared/views/host-view.ts'
import classes from './hosts.module.css'
import { words } from './words.ts'

interface AddressInputProps {
  readonly value: string
  readonly entries: readonly SshEntry[]
  readonly problem: string | undefined
  readonly onChange: (address: string) => void
}

const said = words.add

/** An address as typed, or an entry of `~/.ssh/config` found by its name or by where it leads. */
export function AddressInput({ value, entries, problem, onChange }: AddressInputProps) {
  const byAlias = new Map(entries.map((entry) => [entry.alias, entry]))
  const filter: OptionsFilter = ({ options, search, limit }) => {
    const wanted = search.trim().toLowerCase()
    const isMeant = ({ value: alias }: ComboboxItem) =>
      `${alias} ${byAlias.get(alias)?.hostName ?? ''}`.toLowerCase().includes(wanted)
    return (options as ComboboxItem[]).filter(isMeant).slice(0, limit)
  }
  return (
    <Autocomplete
      label={said.address}
      description={entries.length === 0 ? said.addressHint : said.addressOrEntryHint}
      data-autofocus
      value={value}
      onChange={onChange}
      data={[...byAlias.keys()]}
      filter={filter}
      limit={50}
      maxDropdownHeight={240}
      {...(problem !== undefined && { error: problem })}
      renderOption={({ option }) => (
        <div className={classes['entry']}>
          <bdi>{safeText(option.value)}</bdi>
          <span className={classes['soft']}>
            <bdi>{entryShown(byAlias.get(option.value))}</bdi>
          </span>
        </div>
      )}
    />
  )
}

function entryShown(entry: SshEntry | undefined): string {
  if (entry === undefined) return ''
  const { hostName, user, port } = entry
  return safeText(`${user === undefined ? '' : `${user}@`}${hostName}${port === undefined ? '' : `:${port}`}`)
}
