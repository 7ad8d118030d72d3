import { Anchor } from '@mantine/core'
import { formatBytes, formatDuration } from '../../../shared/format.ts'
import type { RunVm } from '../../../shared/model/policy.ts'
import { isBackedUp, standstill, vmOutcomeWords, vmReason } from '../../../shared/run-words.ts'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { Name } from '../../ui/name.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { vmTone } from './run-view.ts'
import classes from './schedules.module.css'
import { words } from './words.ts'

interface RunVmsProps {
  readonly host: string
  readonly vms: readonly RunVm[]
}

/** What became of each VM, and the way to its job. */
export const RunVms = ({ host, vms }: RunVmsProps) => (
  <ul className={classes['runVms']}>
    {vms.map((vm) => (
      <li key={vm.vm.uuid}>
        <div className={classes['runVm']}>
          <b>
            <Name text={vm.vm.name} />
          </b>
          <StateMark tone={vmTone(vm)} label={vmOutcomeWords(vm.outcome)} />
          <Links host={host} vm={vm} />
        </div>
        <Said vm={vm} />
      </li>
    ))}
  </ul>
)

function Said({ vm }: { readonly vm: RunVm }) {
  const reason = vmReason(vm)
  const figures = isBackedUp(vm) ? figuresOf(vm) : []
  if (reason === undefined && figures.length === 0) return undefined
  return <span className={classes['soft']}>{[...figures, ...(reason ? [safeText(reason)] : [])].join(' · ')}</span>
}

function figuresOf(vm: RunVm): readonly string[] {
  const { sizeBytes, durationMs, method } = vm
  const still = standstill(vm)
  return [
    ...(still === undefined ? [] : [method === 'offline' ? still : `stood still ${still}`]),
    ...(sizeBytes === undefined ? [] : [formatBytes(sizeBytes)]),
    ...(durationMs === undefined ? [] : [formatDuration(durationMs)])
  ]
}

function Links({ host, vm: { vm, job, point } }: { readonly host: string; readonly vm: RunVm }) {
  const go = useWindow((state) => state.go)
  const isAnothers = useWindow((state) => state.jobs?.some((each) => each.id === job && each.host !== host) ?? false)
  const name = shorten(safeText(vm.name), 60)
  return (
    <span className={classes['links']}>
      {job !== undefined && !isAnothers && (
        <Anchor component="button" type="button" fz="sm" onClick={() => go({ screen: 'job', job })}>
          <span aria-label={words.run.job(name)}>{words.run.openJob}</span>
        </Anchor>
      )}
      <Anchor
        component="button"
        type="button"
        fz="sm"
        onClick={() => go({ screen: 'vm', host, vm: vm.uuid, ...(point !== undefined && { point }) })}
      >
        {point === undefined ? words.run.openVm : words.run.openPoint}
      </Anchor>
    </span>
  )
}
