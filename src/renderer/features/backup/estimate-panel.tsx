import { Skeleton, Stack, Text, Title } from '@mantine/core'
import { formatPause } from '../../../shared/format.ts'
import type { Estimate } from '../../../shared/views/job-view.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import type { BackupDialogState } from './backup-slice.ts'
import classes from './backup.module.css'
import { estimateShown, type EstimateShown } from './estimate-view.ts'
import { PauseBars } from './pause-bars.tsx'
import { words } from './words.ts'

interface EstimatePanelProps {
  readonly backup: BackupDialogState
  readonly onRetry: () => void
}

/** What the backup will cost, before it starts. While the choices change, what was said before stays, faint. */
export function EstimatePanel({ backup, onRetry }: EstimatePanelProps) {
  const { estimate, isEstimating, estimateFailure, draft } = backup
  return (
    <section className={classes['estimate']} aria-label={words.estimate} aria-busy={isEstimating}>
      <Title order={3}>{words.estimate}</Title>
      {estimateFailure !== undefined ? (
        <FailureNotice failure={failureShown(estimateFailure)} busy={isEstimating} onRetry={onRetry} />
      ) : estimate !== undefined ? (
        <EstimateFigures estimate={estimate} budgetMs={Number(draft.budgetMs)} isOld={isEstimating} />
      ) : isEstimating ? (
        <Skeleton height={220} role="status" aria-busy aria-label={words.estimating} />
      ) : (
        <Text c="dimmed">{words.unknownCost}</Text>
      )}
    </section>
  )
}

interface EstimateFiguresProps {
  readonly estimate: Estimate
  readonly budgetMs: number
  readonly isOld: boolean
}

function EstimateFigures({ estimate, budgetMs, isOld }: EstimateFiguresProps) {
  const shown = estimateShown(estimate, budgetMs)
  return (
    <div className={classes['figures']} data-old={isOld} role="status">
      <Text>
        <b>{shown.method}</b>, {shown.reason}
      </Text>
      <Pause shown={shown} estimate={estimate} budgetMs={budgetMs} />
      <dl className={classes['facts']}>
        <dt>{words.time}</dt>
        <dd>{shown.duration}</dd>
        <dt>{words.size}</dt>
        <dd>{shown.size}</dd>
        <dt>{words.room}</dt>
        <dd>
          {shown.room}
          {shown.isTooLittleRoom && <StateMark tone="danger" label={words.noRoom} />}
        </dd>
      </dl>
      <Remarks remarks={shown.remarks} />
      <Text c="dimmed" fz="sm">
        {shown.from} {estimate.method !== 'offline' && words.runsOn}
      </Text>
    </div>
  )
}

function Pause({ shown, estimate, budgetMs }: Omit<EstimateFiguresProps, 'isOld'> & { readonly shown: EstimateShown }) {
  if (shown.pause === undefined) return <Text>{words.noPause}</Text>
  return (
    <Stack gap="xs">
      <Text c="dimmed">{words.pause}</Text>
      <span className={classes['pause']}>{shown.pause}</span>
      <PauseBars bars={shown.bars} budget={formatPause(budgetMs)} classic={formatPause(estimate.classicPauseMs)} />
      {shown.isOverBudget && <StateMark tone="attention" label={words.overBudget} />}
    </Stack>
  )
}

function Remarks({ remarks }: { readonly remarks: readonly string[] }) {
  if (remarks.length === 0) return undefined
  return (
    <div>
      <Text fw={600}>{words.remarks}</Text>
      <ul className={classes['remarks']}>
        {remarks.map((remark) => (
          <li key={remark}>{remark}</li>
        ))}
      </ul>
    </div>
  )
}
