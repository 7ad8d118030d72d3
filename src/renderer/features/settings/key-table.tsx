import { Button, Text, VisuallyHidden } from '@mantine/core'
import { useMemo } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import type { KnownKey } from '../../../shared/views/settings-view.ts'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import classes from './settings.module.css'
import { sortedKeys } from './settings-view.ts'
import { words } from './words.ts'

interface KeyTableProps {
  readonly keys: readonly KnownKey[]
  readonly onForget: (key: KnownKey) => void
}

export function KeyTable({ keys, onForget }: KeyTableProps) {
  const rows = useMemo(() => sortedKeys(keys), [keys])
  const columns = useMemo(() => columnsWith(onForget), [onForget])
  if (rows.length === 0) return <Text c="dimmed">{words.noKeys}</Text>
  return <DataTable label={words.keys} columns={columns} rows={rows} rowKey={keyOf} rowHeight={52} />
}

const keyOf = ({ file, line, fingerprint }: KnownKey): string => `${file}:${line} ${fingerprint}`

const columnsWith = (onForget: (key: KnownKey) => void): readonly Column<KnownKey>[] => [
  { key: 'host', title: words.keyColumns.host, cell: ({ hosts }) => <Name text={hosts} lines={2} /> },
  { key: 'type', title: words.keyColumns.type, width: '8rem', cell: (key) => <TypeCell {...key} /> },
  {
    key: 'fingerprint',
    title: words.keyColumns.fingerprint,
    width: '16rem',
    cell: ({ fingerprint }) => <code className={classes['fingerprint']}>{safeText(fingerprint)}</code>
  },
  {
    key: 'where',
    title: words.keyColumns.where,
    cell: ({ file, line }) => <Name text={`${file}:${line}`} lines={2} />
  },
  {
    key: 'forget',
    title: <VisuallyHidden>{words.keyColumns.actions}</VisuallyHidden>,
    width: '7rem',
    align: 'end',
    cell: (key) => key.ours && <Forget knownKey={key} onForget={onForget} />
  }
]

function TypeCell({ keyType, revoked }: KnownKey) {
  return (
    <>
      <Name text={keyType} />
      {revoked && <StateMark tone="danger" label={words.revoked} />}
    </>
  )
}

interface ForgetProps {
  readonly knownKey: KnownKey
  readonly onForget: (key: KnownKey) => void
}

const Forget = ({ knownKey, onForget }: ForgetProps) => (
  <Button
    variant="default"
    size="xs"
    aria-label={words.forgetKey(safeText(knownKey.hosts))}
    onClick={() => onForget(knownKey)}
  >
    {words.forget}
  </Button>
)
