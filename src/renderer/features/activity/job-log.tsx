import { Skeleton, Text } from '@mantine/core'
import { formatTime } from '../../../shared/format.ts'
import { safeLines } from '../../../shared/safe-text.ts'
import type { LogLine } from '../../../shared/views/job-view.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { Panel } from '../../ui/panel.tsx'
import type { JobLog as Log } from './activity-slice.ts'
import classes from './activity.module.css'
import { rawLog, storyOf } from './job-view.ts'
import { words } from './words.ts'

interface JobLogProps {
  /** Undefined: not read yet. */
  readonly log: Log | undefined
  readonly onRetry: () => void
}

/** The story for people; below it, folded, what the host wrote down. */
export function JobLog({ log, onRetry }: JobLogProps) {
  const lines = log?.lines
  return (
    <Panel title={words.job.story}>
      {log?.failure !== undefined && <FailureNotice failure={failureShown(log.failure)} onRetry={onRetry} />}
      {lines === undefined && log?.failure === undefined && <Skeleton height={96} />}
      {lines !== undefined && <Story lines={storyOf(lines)} />}
      {lines !== undefined && lines.length > 0 && <Raw lines={lines} />}
    </Panel>
  )
}

function Story({ lines }: { readonly lines: readonly LogLine[] }) {
  if (lines.length === 0) return <Text c="dimmed">{words.job.storyEmpty}</Text>
  return (
    <ol className={classes['story']}>
      {lines.map(({ at, type, text }, n) => (
        <li key={n}>
          <time dateTime={at}>{formatTime(at)}</time>
          <bdi className={toneOf(type)}>{safeLines(text)}</bdi>
        </li>
      ))}
    </ol>
  )
}

function toneOf(type: string): string | undefined {
  if (type === 'warning') return classes['attention']
  return type === 'failure' ? classes['danger'] : undefined
}

function Raw({ lines }: { readonly lines: readonly LogLine[] }) {
  const text = rawLog(lines)
  return (
    <details className={classes['raw']}>
      <summary>{words.job.raw}</summary>
      <pre className={classes['rawLines']} tabIndex={0} aria-label={words.job.raw}>
        {safeLines(text)}
      </pre>
      <CopyButton text={text} label={words.job.copyLog} />
    </details>
  )
}
