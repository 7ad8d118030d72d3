import { Button, Group, Loader, Modal, Stack, Text } from '@mantine/core'
import { IconStethoscope, IconTool } from '@tabler/icons-react'
import type { Leftover } from '../../../shared/engine-protocol.ts'
import { safeLines, safeText } from '../../../shared/safe-text.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import type { HostDialog } from './hosts-slice.ts'
import classes from './hosts.module.css'
import { words } from './words.ts'

interface DoctorDialogProps {
  readonly dialog: Extract<HostDialog, { kind: 'doctor' }>
  readonly onAsk: (repair: boolean) => void
  readonly onClose: () => void
}

/** What earlier jobs left behind on a host, and what would be done about it. */
export function DoctorDialog({ dialog, onAsk, onClose }: DoctorDialogProps) {
  const { host, findings, failure, isBusy } = dialog
  const canRepair = findings?.some(({ repaired }) => !repaired) === true
  return (
    <Modal opened onClose={onClose} title={words.doctor.title(safeText(host))} size="lg">
      <Stack gap="md">
        {failure !== undefined && (
          <FailureNotice failure={failureShown(failure)} busy={isBusy} onRetry={() => onAsk(false)} />
        )}
        <Findings findings={findings} isBusy={isBusy} />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            {words.doctor.close}
          </Button>
          <Button
            variant="default"
            disabled={isBusy}
            leftSection={<IconStethoscope size={16} aria-hidden />}
            onClick={() => onAsk(false)}
          >
            {words.doctor.again}
          </Button>
          {canRepair && (
            <Button loading={isBusy} leftSection={<IconTool size={16} aria-hidden />} onClick={() => onAsk(true)}>
              {words.doctor.repair}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  )
}

function Findings({
  findings,
  isBusy
}: {
  readonly findings: readonly Leftover[] | undefined
  readonly isBusy: boolean
}) {
  if (findings === undefined)
    return isBusy ? (
      <Group gap="sm" role="status">
        <Loader size="sm" aria-hidden />
        <Text>{words.doctor.looking}</Text>
      </Group>
    ) : undefined
  if (findings.length === 0) return <StateMark tone="good" label={words.doctor.none} />
  const left = findings.filter(({ repaired }) => !repaired).length
  return (
    <>
      <Text role="status">{left === 0 ? words.doctor.allRepaired : words.doctor.found(left)}</Text>
      <ul className={classes['findings']}>
        {findings.map((finding, n) => (
          <Finding key={n} finding={finding} />
        ))}
      </ul>
    </>
  )
}

function Finding({ finding: { kind, what, remedy, repaired } }: { readonly finding: Leftover }) {
  return (
    <li className={classes['finding']}>
      <StateMark
        tone={repaired ? 'good' : 'attention'}
        label={`${repaired ? words.doctor.repaired : words.doctor.leftOver}: ${safeText(kind)}`}
      />
      <Text className={classes['lines']}>{safeText(what)}</Text>
      {!repaired && remedy !== '' && (
        <Text c="dimmed" className={classes['lines']}>
          {words.doctor.wouldDo}: {safeLines(remedy)}
        </Text>
      )}
    </li>
  )
}
