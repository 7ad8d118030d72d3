import { Spotlight } from '@mantine/spotlight'
import {
  IconBolt,
  IconCalendarTime,
  IconDeviceDesktop,
  IconLayoutSidebar,
  IconSearch,
  IconServer2,
  type Icon
} from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useWindow } from '../../state/store-context.ts'
import { useSafety } from '../../state/use-safety.ts'
import { words } from '../../words.ts'
import { RAIL } from '../screens.tsx'
import { found, searchEntries, type SearchAct, type SearchEntry, type SearchGroup } from './search-view.ts'

const SHOWN = 12

const ICONS: Readonly<Record<SearchGroup, Icon>> = {
  vm: IconDeviceDesktop,
  host: IconServer2,
  schedule: IconCalendarTime,
  screen: IconLayoutSidebar,
  command: IconBolt
}

const SCREENS = RAIL.map(({ screen, label }): SearchEntry => ({
  id: `screen ${screen}`,
  group: 'screen',
  label,
  detail: words.search.screen,
  act: { kind: 'go', to: { screen } }
}))

/** Ctrl+K: finds hosts, VMs and screens, and runs commands. */
export function Search() {
  const [query, setQuery] = useState('')
  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      scrollable
      maxHeight="60dvh"
      centered={false}
      yOffset={64}
      overlayProps={{ backgroundOpacity: 0.35 }}
      attributes={{ content: { 'aria-label': words.search.open } }}
    >
      <Spotlight.Search
        placeholder={words.search.placeholder}
        aria-label={words.search.open}
        leftSection={<IconSearch size={20} stroke={1.6} aria-hidden />}
      />
      <Findings query={query} />
    </Spotlight.Root>
  )
}

/** Only there while the search is open, so that nothing is sorted for it otherwise. */
function Findings({ query }: { readonly query: string }) {
  const hosts = useWindow((state) => state.hosts)
  const policies = useWindow((state) => state.policies)
  const vms = useSafety()
  const entries = useMemo(() => searchEntries(hosts ?? [], vms, SCREENS, policies), [hosts, vms, policies])
  const run = useAct()
  const shown = found(entries, query, SHOWN)
  return (
    <Spotlight.ActionsList>
      {shown.length === 0 && <Spotlight.Empty>{words.search.none}</Spotlight.Empty>}
      {shown.map(({ id, group, label, detail, act }) => {
        const Symbol = ICONS[group]
        return (
          <Spotlight.Action
            key={id}
            label={label}
            description={detail}
            leftSection={<Symbol size={20} stroke={1.6} aria-hidden />}
            onClick={() => run(act)}
          />
        )
      })}
    </Spotlight.ActionsList>
  )
}

function useAct(): (act: SearchAct) => void {
  const go = useWindow((state) => state.go)
  const openBackup = useWindow((state) => state.openBackup)
  const openAddHost = useWindow((state) => state.openAddHost)
  return (act) => {
    if (act.kind === 'go') go(act.to)
    if (act.kind === 'add-host') {
      go({ screen: 'hosts' })
      openAddHost()
    }
    if (act.kind === 'back-up') openBackup(act)
  }
}
