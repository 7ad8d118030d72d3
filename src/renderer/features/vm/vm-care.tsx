import { Anchor, Button } from '@mantine/core'
import { Fragment } from 'react'
import { formatMoment } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { notKnownWords } from '../../../shared/safety-words.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import { useWindow } from '../../state/store-context.ts'
import { useSafety } from '../../state/use-safety.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Panel } from '../../ui/panel.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { useNow } from '../../ui/use-now.ts'
import { AcknowledgeButton } from '../overview/acknowledge-button.tsx'
import { whyOf } from '../overview/attention-view.ts'
import { MuteDialog } from '../overview/mute-dialog.tsx'
import { expectedWords, nextRunOf, toneOf } from '../overview/overview-view.ts'
import { words as overview } from '../overview/words.ts'
import { careSentence } from './care-view.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

/** Who looks after this VM: its schedules, when they run next, and whether they keep what they promise. */
export function VmCare({ uuid, host }: { readonly uuid: string; readonly host: string }) {
  const all = useSafety()
  const save = useWindow(({ saves }) => (saves.acknowledged?.state === 'failed' ? saves.acknowledged : saves.muted))
  const vm = all.find((each) => each.uuid === uuid && each.host === host) ?? all.find((each) => each.uuid === uuid)
  if (vm === undefined) return undefined
  return (
    <Panel title={words.care.title} actions={<Actions vm={vm} />}>
      <State vm={vm} />
      <Facts vm={vm} />
      {save?.state === 'failed' && <FailureNotice failure={failureShown(save.failure)} />}
      <MuteDialog />
    </Panel>
  )
}

function State({ vm }: { readonly vm: VmSafety }) {
  const now = useNow()
  return (
    <div>
      <StateMark tone={toneOf(vm)} label={careSentence(vm)} />
      {(vm.isAcknowledged || toneOf(vm) === 'danger' || toneOf(vm) === 'attention') && (
        <div className={classes['careWhy']}>{whyOf(vm, now)}</div>
      )}
    </div>
  )
}

function Facts({ vm }: { readonly vm: VmSafety }) {
  const now = useNow()
  const next = nextRunOf(vm, now)
  const { care } = words
  return (
    <dl className={classes['facts']}>
      <div>
        <dt>{care.schedules}</dt>
        <dd>
          {vm.policies.length === 0 && vm.notKnown === undefined ? (
            <NoSchedule vm={vm} />
          ) : (
            <Schedules vm={vm} now={now} />
          )}
          {vm.notKnown !== undefined && <div>{safeText(notKnownWords(vm))}</div>}
        </dd>
      </div>
      {vm.policies.length > 0 && (
        <div>
          <dt>{care.next}</dt>
          <dd>{[next.text, next.more].filter((part) => part !== '').join(', ')}</dd>
        </div>
      )}
      <div>
        <dt>{care.expected}</dt>
        <dd>{vm.notKnown === undefined ? care.every(expectedWords(vm.expectWithinMs)) : care.notKnown}</dd>
      </div>
    </dl>
  )
}

function Schedules({ vm, now }: { readonly vm: VmSafety; readonly now: Date }) {
  const go = useWindow((state) => state.go)
  return vm.policies.map(({ id, name, host, pausedUntil }, n) => (
    <Fragment key={id}>
      {n > 0 && ', '}
      <Anchor component="button" type="button" onClick={() => go({ screen: 'schedules', host, policy: id })}>
        <bdi>{safeText(name)}</bdi>
      </Anchor>
      {pausedUntil !== undefined && ` (${words.care.pausedUntil(formatMoment(pausedUntil, now))})`}
    </Fragment>
  ))
}

function NoSchedule({ vm: { name, host } }: { readonly vm: VmSafety }) {
  const go = useWindow((state) => state.go)
  return (
    <>
      {words.care.none}{' '}
      <Anchor
        component="button"
        type="button"
        aria-label={overview.makeScheduleFor(safeText(name))}
        onClick={() => go({ screen: 'schedules', host, edit: 'new' })}
      >
        {words.care.make}
      </Anchor>
    </>
  )
}

function Actions({ vm }: { readonly vm: VmSafety }) {
  const openMute = useWindow((state) => state.openMute)
  const unmute = useWindow((state) => state.unmuteVm)
  const isMuted = vm.mutedBecause !== undefined
  return (
    <>
      <AcknowledgeButton vm={vm} />
      <Button variant="default" size="xs" onClick={() => (isMuted ? void unmute(vm) : openMute(vm))}>
        {isMuted ? overview.unmute : overview.mute}
      </Button>
    </>
  )
}
