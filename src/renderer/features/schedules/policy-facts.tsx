import type { ReactNode } from 'react'
import { formatDuration, formatPause } from '../../../shared/format.ts'
import { knownZone } from '../../../shared/host-time.ts'
import type { Policy } from '../../../shared/model/policy.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { scheduleWords } from '../../../shared/schedule/schedule-words.ts'
import { Name } from '../../ui/name.tsx'
import { Panel } from '../../ui/panel.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { words as backup } from '../backup/words.ts'
import { alarmAfterMs } from './alarm-view.ts'
import { keepWords, selectionWords, tellWords } from './policy-words.ts'
import type { PolicyRow } from './schedules-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

const said = words.policy

/** Everything that a schedule says, in words. */
export function PolicyFacts({ row: { at, state, vms } }: { readonly row: PolicyRow }) {
  const { policy } = state
  const alarmMs = alarmAfterMs(policy, knownZone(at.timeZone), useNow())
  return (
    <Panel title={said.facts}>
      <dl className={classes['facts']}>
        <Fact name={said.vms}>
          <Name text={selectionWords(policy.vms)} lines={3} />
          {vms !== undefined && <VmsNow vms={vms} />}
        </Fact>
        <Fact name={said.when}>
          <When schedule={policy.schedule} />
        </Fact>
        <Fact name={said.method}>{methodWords(policy)}</Fact>
        <Fact name={said.store}>
          <Name text={policy.store} lines={2} />
        </Fact>
        <Fact name={said.keep}>
          {keepWords(policy.keep)}
          <Soft>{said.floor(policy.keep.floor, policy.keep.graceHours)}</Soft>
        </Fact>
        <Fact name={said.tell}>{tellWords(policy.tell)}</Fact>
        {policy.hooks !== undefined && <Hooks hooks={policy.hooks} />}
        <Fact name={said.alarm}>
          {alarmMs === undefined ? said.alarmNone : said.alarmText(formatDuration(alarmMs))}
        </Fact>
      </dl>
    </Panel>
  )
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
)
const Soft = ({ children }: { readonly children: ReactNode }) => <span className={classes['soft']}>{children}</span>

const MOST_NAMES = 12

function VmsNow({ vms }: { readonly vms: NonNullable<PolicyRow['vms']> }) {
  if (vms.length === 0) return <StateMark tone="attention" label={said.noVms} />
  const names = vms.slice(0, MOST_NAMES).map(({ name }) => shorten(safeText(name), 40))
  const more = vms.length - names.length
  return <Soft>{`${words.vmsNow(vms.length)}: ${names.join(', ')}${more === 0 ? '' : `, +${more}`}`}</Soft>
}

function When({ schedule: { calendar, jitterSeconds, window } }: { readonly schedule: Policy['schedule'] }) {
  const text = scheduleWords(calendar)
  return (
    <>
      <Name text={text} lines={2} />
      {text !== calendar && <code className={classes['soft']}>{safeText(calendar)}</code>}
      {window !== undefined && <Soft>{said.window(window.from, window.to)}</Soft>}
      {jitterSeconds > 0 && <Soft>{said.jitter(formatDuration(jitterSeconds * 1000))}</Soft>}
    </>
  )
}

function methodWords({ method, budgetMs, onBusy, excludeDisks, media }: Policy): string {
  const disks = excludeDisks ?? []
  return [
    backup.methods[method ?? 'auto'].label,
    said.budget(formatPause(budgetMs)),
    said.busy[onBusy],
    ...(disks.length === 0 ? [] : [said.without(safeText(disks.join(', ')))]),
    ...(media === true ? [said.withMedia] : [])
  ].join(', ')
}

function Hooks({ hooks: { before, after } }: { readonly hooks: NonNullable<Policy['hooks']> }) {
  const both = [
    [said.before, before],
    [said.after, after]
  ] as const
  return (
    <Fact name={said.hooks}>
      {both.map(
        ([when, hook]) =>
          hook !== undefined && (
            <span key={when} className={classes['hook']}>
              <span>{when}</span> <code>{safeText(shorten(hook.command, 300))}</code>
            </span>
          )
      )}
    </Fact>
  )
}
