import { Button, Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import type { MutedVm } from '../../../shared/views/settings-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { Ago } from '../../ui/ago.tsx'
import { Name } from '../../ui/name.tsx'
import { Panel } from '../../ui/panel.tsx'
import { SaveFailure, SaveNote } from './save-note.tsx'
import classes from './settings.module.css'
import { words } from './words.ts'

/** VMs that are left alone on purpose, and why. */
export function MutedPanel({ muted }: { readonly muted: readonly MutedVm[] }) {
  const unmute = useWindow((state) => state.unmuteVm)
  const save = useWindow((state) => state.saves.muted)
  return (
    <Panel title={words.muted} actions={<SaveNote save={save} />}>
      {muted.length === 0 && <Text c="dimmed">{words.noneMuted}</Text>}
      {muted.length > 0 && (
        <ul className={classes['muted']}>
          {muted.map(({ host, uuid, name, reason, at }) => (
            <li key={`${host ?? ''} ${uuid}`}>
              <div>
                <b>
                  <Name text={host === undefined ? name : `${host}/${name}`} />
                </b>
                <Text component="div" size="sm" c="dimmed">
                  <Name text={reason} lines={3} /> {words.mutedSince} <Ago at={at} />
                </Text>
              </div>
              <Button
                variant="default"
                size="xs"
                aria-label={`${words.unmute}: ${safeText(name)}`}
                onClick={() => void unmute({ host, uuid })}
              >
                {words.unmute}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <SaveFailure save={save} />
    </Panel>
  )
}
