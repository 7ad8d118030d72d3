import { Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatDuration } from '../../../shared/format.ts'
import { formatThere } from '../../../shared/host-time.ts'
import type { RunReport } from '../../../shared/model/policy.ts'
import { missedWords, prunedWords, runHeadline, runStateWords } from '../../../shared/run-words.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { RunVms } from './run-vms.tsx'
import { runMs, runTone } from './run-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface RunDetailsProps {
  readonly run: RunReport
  readonly timeZone: string
}

const said = words.run

/** What a run did: as a whole, VM by VM, to old points, and whom it told. */
export function RunDetails({ run, timeZone }: RunDetailsProps) {
  return (
    <>
      <StateMark tone={runTone(run)} label={`${runStateWords(run.state)}: ${safeText(runHeadline(run))}`} />
      <RunFacts run={run} timeZone={timeZone} />
      <Lines title={said.warnings} lines={run.warnings} />
      {run.vms.length > 0 && (
        <Part title={said.vmsTitle}>
          <RunVms host={run.host} vms={run.vms} />
        </Part>
      )}
      <Missed run={run} timeZone={timeZone} />
      <OldPoints pruned={run.pruned} />
      <ToldWhom told={run.told} />
    </>
  )
}

function RunFacts({ run, timeZone }: RunDetailsProps) {
  const now = useNow()
  const at = (iso: string): string => formatThere(iso, timeZone, now)
  const took = formatDuration(runMs(run, now))
  return (
    <dl className={classes['facts']}>
      <dt>{said.by}</dt>
      <dd>{said[run.trigger]}</dd>
      {run.scheduledFor !== undefined && (
        <>
          <dt>{said.wanted}</dt>
          <dd>{at(run.scheduledFor)}</dd>
        </>
      )}
      <dt>{said.began}</dt>
      <dd>{at(run.startedAt)}</dd>
      <dt>{said.took}</dt>
      <dd>{run.endedAt === undefined ? said.soFar(took) : took}</dd>
      {run.nextRunAt !== undefined && (
        <>
          <dt>{said.next}</dt>
          <dd>{at(run.nextRunAt)}</dd>
        </>
      )}
    </dl>
  )
}

const Part = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section aria-label={title}>
    <Title order={3} mb="xs">
      {title}
    </Title>
    {children}
  </section>
)

function Lines({ title, lines }: { readonly title: string; readonly lines: readonly string[] }) {
  if (lines.length === 0) return undefined
  return (
    <Part title={title}>
      <ul className={classes['lines']}>
        {lines.map((line, n) => (
          <li key={n}>{safeText(line)}</li>
        ))}
      </ul>
    </Part>
  )
}

function Missed({ run, timeZone }: RunDetailsProps) {
  const now = useNow()
  if (run.missedCount === 0) return undefined
  const more = run.missedCount - run.missed.length
  return (
    <Part title={said.missed}>
      <StateMark tone="attention" label={safeText(missedWords(run))} />
      <ul className={classes['lines']}>
        {run.missed.map(({ at, reason }) => (
          <li key={at}>
            {formatThere(at, timeZone, now)}: {safeText(reason)}
          </li>
        ))}
        {more > 0 && <li>{said.missedMore(more)}</li>}
      </ul>
    </Part>
  )
}

function OldPoints({ pruned }: Pick<RunReport, 'pruned'>) {
  if (pruned === undefined) return undefined
  return (
    <Part title={said.pruned}>
      {isPruned(pruned) && <Name text={prunedWords(pruned)} lines={2} />}
      {pruned.refused.map((reason, n) => (
        <StateMark key={n} tone="attention" label={`${said.refused}: ${safeText(reason)}`} />
      ))}
    </Part>
  )
}

/** There is something to say besides what was refused. */
const isPruned = ({ trashed, removed, memoryDropped, refused }: NonNullable<RunReport['pruned']>): boolean =>
  refused.length === 0 || trashed.length + removed.length + memoryDropped.length > 0

function ToldWhom({ told }: Pick<RunReport, 'told'>) {
  if (told.length === 0) return undefined
  return (
    <Part title={said.told}>
      <ul className={classes['plain']}>
        {told.map(({ channel, ok, text }, n) => (
          <li key={n}>
            <StateMark
              tone={ok ? 'good' : 'danger'}
              label={`${said.channels[channel]}, ${ok ? said.ok : said.notOk}: ${safeText(text)}`}
            />
          </li>
        ))}
      </ul>
    </Part>
  )
}
