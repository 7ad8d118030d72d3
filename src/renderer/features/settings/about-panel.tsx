import { Button, Group, Skeleton, Text } from '@mantine/core'
import type { AppInfo } from '../../../shared/contract.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { Panel } from '../../ui/panel.tsx'
import { DiagnosticsDialog } from './diagnostics-dialog.tsx'
import classes from './settings.module.css'
import { words } from './words.ts'

export function AboutPanel() {
  const info = useWindow((state) => state.info)
  const make = useWindow((state) => state.makeDiagnostics)
  return (
    <Panel title={words.about}>
      {info === undefined ? <Skeleton h={96} /> : <Facts info={info} />}
      <Group gap="md">
        <Button variant="default" onClick={() => void make()}>
          {words.diagnostics.button}
        </Button>
        <Text size="sm" c="dimmed" flex="1 1 30ch">
          {words.diagnostics.text}
        </Text>
      </Group>
      <DiagnosticsDialog />
    </Panel>
  )
}

function Facts({ info }: { readonly info: AppInfo }) {
  const facts = [
    [words.version, info.version],
    [words.door, words.doors[info.door]],
    [words.platform, info.platform],
    [words.folder, info.home]
  ] as const
  return (
    <dl className={classes['facts']}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{safeText(value)}</dd>
        </div>
      ))}
    </dl>
  )
}
