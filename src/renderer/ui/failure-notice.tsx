import { Button, Group, Text } from '@mantine/core'
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react'
import { CopyButton } from './copy-button.tsx'
import type { FailureShown } from './failure-shown.ts'
import classes from './ui.module.css'
import { words } from '../words.ts'

interface FailureNoticeProps {
  readonly failure: FailureShown
  readonly busy?: boolean | undefined
  /** Undefined: the same cannot be asked for again here. */
  readonly onRetry?: (() => void) | undefined
}

/** What went wrong, where the action was: title, reason, next step, and the details to copy. */
export function FailureNotice({ failure, busy = false, onRetry }: FailureNoticeProps) {
  return (
    <section className={classes['failure']} role="alert">
      <IconAlertTriangle className={classes['failureIcon']} size={22} stroke={1.6} aria-hidden />
      <div className={classes['failureText']}>
        <Text component="h3" fw={600} m={0} className={classes['lines']}>
          {failure.title}
        </Text>
        <Text className={classes['lines']}>{failure.explanation}</Text>
        {failure.nextStep !== '' && <Text className={classes['lines']}>{failure.nextStep}</Text>}
        <Group gap="sm" mt="sm">
          {onRetry !== undefined && (
            <Button size="xs" leftSection={<IconRefresh size={16} aria-hidden />} loading={busy} onClick={onRetry}>
              {words.tryAgain}
            </Button>
          )}
          <CopyButton text={failure.details} label={words.copyDetails} />
        </Group>
      </div>
    </section>
  )
}
