import { NumberInput, Text, Title } from '@mantine/core'
import { useCallback, useId, useMemo } from 'react'
import { clockThere, isSameClock, ownZone } from '../../../shared/host-time.ts'
import { leftOutWords, storesLeftOutWords } from '../../../shared/safety-words.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostPolicies } from '../../../shared/views/policy-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { BrokenFiles } from './broken-files.tsx'
import { PolicyTable } from './policy-table.tsx'
import { ageOf, rowsOf, type PolicyRow } from './schedules-view.ts'
import classes from './schedules.module.css'
import { errandOf } from './schedules-slice.ts'
import { words } from './words.ts'

/** The schedules of one host, in its own time. */
export function HostSchedules({ at }: { readonly at: HostPolicies }) {
  const hosts = useWindow((state) => state.hosts)
  const go = useWindow((state) => state.go)
  const rows = useMemo(() => rowsOf(at, hosts), [at, hosts])
  const open = useCallback(
    ({ at: { host }, state }: PolicyRow) => go({ screen: 'schedules', host, policy: state.policy.id }),
    [go]
  )
  const id = useId()
  return (
    <section aria-labelledby={id} className={classes['host']}>
      <div className={classes['hostHead']}>
        <div>
          <Title order={2} id={id}>
            <Name text={at.host} />
          </Title>
          <Zone at={at} />
        </div>
        {rows.length > 0 && <Parallel at={at} />}
      </div>
      <HostFailures at={at} />
      {rows.length > 0 ? <PolicyTable rows={rows} onOpen={open} /> : <Text c="dimmed">{words.host.none}</Text>}
      {at.storesLeftOut !== undefined && <StateMark tone="attention" label={safeText(storesLeftOutWords(at))} />}
      {at.leftOut !== undefined && <StateMark tone="attention" label={leftOutWords(at)} />}
      <BrokenFiles broken={at.broken} />
    </section>
  )
}

/** Whose clock the times are on, what it shows, and whether all of this is of now. */
function Zone({ at }: { readonly at: HostPolicies }) {
  const now = useNow()
  const isOwn = isSameClock(now, at.timeZone, ownZone())
  return (
    <div className={classes['zone']}>
      <span>
        {words.host.zone(safeText(at.timeZone))}, {clockThere(minuteOf(now), at.timeZone)}
        {!isOwn && ` (${words.host.own(clockThere(minuteOf(now), ownZone()))})`}
      </span>
      {!at.reachable && <StateMark tone="unknown" label={words.host.asOf(ageOf(at, now))} />}
    </div>
  )
}

const minuteOf = (at: Date): Date => new Date(Math.floor(at.getTime() / 60_000) * 60_000)

const MOST_PARALLEL = 16

function Parallel({ at }: { readonly at: HostPolicies }) {
  const setParallel = useWindow((state) => state.setParallel)
  const isBusy = useWindow((state) => state.scheduleErrands.get(at.host)?.isBusy === true)
  return (
    <NumberInput
      key={at.parallel}
      className={classes['parallel']}
      label={words.host.parallel}
      title={words.host.parallelHint}
      min={1}
      max={MOST_PARALLEL}
      allowDecimal={false}
      clampBehavior="strict"
      defaultValue={at.parallel}
      disabled={isBusy || !at.reachable}
      onChange={(value) => typeof value === 'number' && value !== at.parallel && setParallel(at.host, value)}
    />
  )
}

/** What was refused that was asked for here. */
function HostFailures({ at }: { readonly at: HostPolicies }) {
  const errands = useWindow((state) => state.scheduleErrands)
  const keys = [at.host, ...at.policies.map(({ policy }) => errandOf({ host: at.host, id: policy.id }))]
  return keys.map((key) => {
    const failure = errands.get(key)?.failure
    return failure && <FailureNotice key={key} failure={failureShown(failure)} />
  })
}
