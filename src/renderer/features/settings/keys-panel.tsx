import { Skeleton, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { KnownKey } from '../../../shared/views/settings-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Panel } from '../../ui/panel.tsx'
import { ForgetKeyDialog } from './forget-key-dialog.tsx'
import { KeyTable } from './key-table.tsx'
import { words } from './words.ts'

/** Keys that hosts must show. Asked for when one looks: files may have changed. */
export function KeysPanel() {
  const keys = useWindow((state) => state.knownKeys)
  const load = useWindow((state) => state.loadKeys)
  const [forgetting, setForgetting] = useState<KnownKey>()
  useEffect(() => void load(), [load])
  return (
    <Panel title={words.keys}>
      <Text c="dimmed">{words.keysText}</Text>
      {(keys === undefined || keys.state === 'asking') && <Skeleton h={96} />}
      {keys?.state === 'failed' && <FailureNotice failure={failureShown(keys.failure)} onRetry={() => void load()} />}
      {keys?.state === 'here' && <KeyTable keys={keys.value} onForget={setForgetting} />}
      <ForgetKeyDialog knownKey={forgetting} onClose={() => setForgetting(undefined)} />
    </Panel>
  )
}
