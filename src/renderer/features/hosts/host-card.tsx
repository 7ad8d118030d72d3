import { Anchor } from '@mantine/core'
import { memo } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import { sessionVmsText } from '../../../shared/session-vms.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { HostPolicies } from '../../../shared/views/policy-view.ts'
import { Ago } from '../../ui/ago.tsx'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { isKeyFailure } from './add-host.ts'
import { FactsList } from './facts-list.tsx'
import { factsOf, hostState, loginShown, schedulesShown, sharesOf, vmsShown } from './host-card-view.ts'
import { HostMenu, type HostActions } from './host-menu.tsx'
import { HostTrouble } from './host-trouble.tsx'
import classes from './hosts.module.css'
import { PlacingStrip } from './placing-strip.tsx'
import { ShareBar } from './share-bar.tsx'
import { words } from './words.ts'

interface HostCardProps extends HostActions {
  readonly host: HostView
  /** Undefined: not known yet. */
  readonly policies: HostPolicies | undefined
  readonly onSchedules: () => void
  /** The one that the window was led to. */
  readonly isMarked: boolean
}

/** One host: how it is, what it is, and how much room it has. */
export const HostCard = memo(function HostCard({ host, policies, onSchedules, isMarked, ...actions }: HostCardProps) {
  const { tone, label } = hostState(host)
  const { failure } = host
  const now = useNow()
  const hasKeyProblem = failure !== undefined && isKeyFailure(failure)
  return (
    <article className={classes['card']} data-marked={isMarked} aria-label={safeText(host.name)} tabIndex={-1}>
      <header className={classes['cardHead']}>
        <div className={classes['cardName']}>
          <h2 className={classes['cardTitle']}>
            <Name text={host.name} lines={2} />
          </h2>
          <span className={classes['soft']}>
            <bdi>{loginShown(host)}</bdi>
          </span>
        </div>
        <HostMenu label={words.menu(safeText(host.name))} hasKeyProblem={hasKeyProblem} {...actions} />
      </header>
      <div className={classes['cardState']}>
        <StateMark tone={tone} label={label} />
        <span className={classes['soft']}>{vmsShown(host)}</span>
        <Schedules shown={schedulesShown(policies, now)} onOpen={onSchedules} />
        {host.state !== 'up' && host.asOf !== undefined && (
          <span className={classes['soft']}>
            {words.asOf} <Ago at={host.asOf} />
          </span>
        )}
      </div>
      {host.placing !== undefined && <PlacingStrip name={safeText(host.name)} placing={host.placing} />}
      {host.state === 'down' && failure !== undefined && (
        <HostTrouble failure={failure} onRefresh={actions.onRefresh} onJudgeKey={actions.onJudgeKey} />
      )}
      {host.facts === undefined ? (
        <span className={classes['soft']}>{host.state === 'connecting' ? '' : words.neverSeen}</span>
      ) : (
        <div className={classes['known']} data-old={host.state !== 'up'}>
          <Aside text={sessionVmsText(host.facts.sessionVms)} />
          {host.facts.limits?.map((limit) => (
            <Aside key={limit} text={limit} />
          ))}
          <FactsList facts={factsOf(host, now, policies?.timeZone)} />
          {sharesOf(host).map((share) => (
            <ShareBar key={share.label} share={share} />
          ))}
        </div>
      )}
    </article>
  )
})

function Aside({ text }: { readonly text: string | undefined }) {
  return text === undefined ? undefined : <span className={classes['soft']}>{text}</span>
}

function Schedules({ shown, onOpen }: { readonly shown: string | undefined; readonly onOpen: () => void }) {
  if (shown === undefined) return undefined
  return (
    <Anchor component="button" type="button" size="sm" onClick={onOpen}>
      {shown}
    </Anchor>
  )
}
