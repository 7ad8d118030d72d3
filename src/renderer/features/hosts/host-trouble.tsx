import { Button, Group, Text } from '@mantine/core'
import { IconKey, IconRefresh } from '@tabler/icons-react'
import type { Failure } from '../../../shared/failure.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { words as shared } from '../../words.ts'
import { isKeyFailure, type KeyFailure } from './add-host.ts'
import classes from './hosts.module.css'
import { words } from './words.ts'

interface HostTroubleProps {
  readonly failure: Failure
  readonly onRefresh: () => void
  readonly onJudgeKey: () => void
}

/** Why a host cannot be used now, and the button that mends it. */
export function HostTrouble({ failure, onRefresh, onJudgeKey }: HostTroubleProps) {
  const { title, details, ...said } = failureShown(failure)
  // Of a key the dialog says the rest.
  const { explanation, nextStep } = isKeyFailure(failure) ? { explanation: keyText(failure), nextStep: '' } : said
  return (
    <div className={classes['trouble']} role="alert">
      <Text fw={600}>{title}</Text>
      {explanation !== '' && <Text className={classes['lines']}>{explanation}</Text>}
      {nextStep !== '' && <Text className={classes['lines']}>{nextStep}</Text>}
      <Group gap="sm" mt="xs">
        {isKeyFailure(failure) ? (
          <Button size="xs" leftSection={<IconKey size={16} aria-hidden />} onClick={onJudgeKey}>
            {words.key.judge}
          </Button>
        ) : (
          <Button size="xs" leftSection={<IconRefresh size={16} aria-hidden />} onClick={onRefresh}>
            {words.refreshOne}
          </Button>
        )}
        <CopyButton text={details} label={shared.copyDetails} />
      </Group>
    </div>
  )
}

const keyText = ({ kind }: KeyFailure): string =>
  kind === 'host-key-changed' ? words.key.cardText : words.key.cardUnknown
