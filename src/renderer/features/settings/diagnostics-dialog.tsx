import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { safeLines } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { saveTextFile } from '../../ui/save-text-file.ts'
import type { Diagnostics } from './settings-slice.ts'
import classes from './settings.module.css'
import { words } from './words.ts'

/** Shown first, saved then: so that the person sees that no secret is in it. */
export function DiagnosticsDialog() {
  const diagnostics = useWindow((state) => state.diagnostics)
  const drop = useWindow((state) => state.dropDiagnostics)
  const make = useWindow((state) => state.makeDiagnostics)
  return (
    <Modal opened={diagnostics !== undefined} onClose={drop} title={words.diagnostics.title} size="xl">
      {diagnostics?.state === 'asking' && <Skeleton h={320} />}
      {diagnostics?.state === 'failed' && (
        <FailureNotice failure={failureShown(diagnostics.failure)} onRetry={() => void make()} />
      )}
      {diagnostics?.state === 'here' && <Content {...diagnostics.value} />}
    </Modal>
  )
}

function Content({ fileName, text }: Diagnostics) {
  const shown = safeLines(text)
  return (
    <Stack gap="md">
      <Text>{words.diagnostics.check}</Text>
      <pre className={classes['diagnostics']} tabIndex={0} aria-label={words.diagnostics.content}>
        {shown}
      </pre>
      <Group justify="flex-end" gap="sm">
        <CopyButton text={shown} label={words.diagnostics.copy} />
        <Button
          size="xs"
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => saveTextFile(fileName, shown)}
        >
          {words.diagnostics.save}
        </Button>
      </Group>
    </Stack>
  )
}
