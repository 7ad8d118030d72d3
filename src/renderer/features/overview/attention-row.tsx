import { Button, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { hostInWords } from '../../../shared/point-name.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Name } from '../../ui/name.tsx'
import { StateMark, type Tone } from '../../ui/state-mark.tsx'
import type { Attention } from './attention-view.ts'
import { vmKey } from './overview-slice.ts'
import classes from './overview.module.css'
import { VmAttentionActions } from './vm-attention-actions.tsx'
import { words } from './words.ts'

interface AttentionRowProps {
  readonly item: Attention
  /** The host is being asked to begin. */
  readonly isAsking: boolean
}

export function AttentionRow({ item, isAsking }: AttentionRowProps) {
  switch (item.kind) {
    case 'host':
      return <HostRow item={item} />
    case 'refused':
      return <RefusedRow item={item} isAsking={isAsking} />
    case 'autostart':
      return <AutostartRow item={item} />
    case 'broken':
      return <BrokenRow item={item} />
    case 'vm':
      return (
        <Row tone={item.tone} label={item.label} name={item.vm.name} host={hostInWords(item.vm)} text={item.text}>
          <VmAttentionActions item={item} isAsking={isAsking} />
        </Row>
      )
  }
}

interface RowProps {
  readonly tone: Tone
  readonly label: string
  readonly name: string
  readonly host?: string
  readonly text: ReactNode
  readonly children?: ReactNode
}

function Row({ tone, label, name, host, text, children }: RowProps) {
  return (
    <li className={classes['attentionRow']}>
      <div className={classes['attentionMark']}>
        <StateMark tone={tone} label={label} />
      </div>
      <div className={classes['attentionText']}>
        <div className={classes['attentionName']}>
          <b>
            <Name text={name} />
          </b>
          {host !== undefined && (
            <Text component="span" size="sm" c="dimmed">
              <Name text={host} />
            </Text>
          )}
        </div>
        <Text component="div" size="sm" className={classes['lines']}>
          {text}
        </Text>
      </div>
      <div className={classes['attentionActions']}>{children}</div>
    </li>
  )
}

type Of<K extends Attention['kind']> = Extract<Attention, { readonly kind: K }>

function HostRow({ item: { host, label, text } }: { readonly item: Of<'host'> }) {
  const go = useWindow((state) => state.go)
  return (
    <Row tone="attention" label={label} name={host.name} text={text}>
      <Button variant="default" size="xs" onClick={() => go({ screen: 'hosts', host: host.name })}>
        {words.goToHosts}
      </Button>
    </Row>
  )
}

function RefusedRow({ item: { vm, failure }, isAsking }: { readonly item: Of<'refused'>; readonly isAsking: boolean }) {
  const backUp = useWindow((state) => state.backUpNow)
  const drop = useWindow((state) => state.dropStarting)
  const shown = failureShown(failure)
  return (
    <li className={classes['refused']}>
      <FailureNotice
        failure={{ ...shown, title: `${words.refused(safeText(vm.name))}: ${shown.title}` }}
        busy={isAsking}
        onRetry={() => void backUp(vm.host, vm.uuid)}
      />
      <Button variant="subtle" color="gray" size="xs" onClick={() => drop(vm.host, vm.uuid)}>
        {words.dismiss}
      </Button>
    </li>
  )
}

function AutostartRow({ item: { host, vm, twin, text } }: { readonly item: Of<'autostart'> }) {
  const decide = useWindow((state) => state.decideAutostart)
  const deciding = useWindow((state) => state.decidingAutostart.get(vmKey(host, vm.uuid)))
  const isAsking = deciding === 'asking'
  return (
    <Row tone="attention" label={words.autostart.mark} name={vm.name} host={host} text={text}>
      {deciding !== undefined && deciding !== 'asking' && <FailureNotice failure={failureShown(deciding)} />}
      <Button
        variant={twin === 'gone' ? 'light' : 'default'}
        size="xs"
        loading={isAsking}
        aria-label={words.autostart.onOf(safeText(vm.name))}
        onClick={() => void decide(host, vm.uuid, true)}
      >
        {words.autostart.on}
      </Button>
      <Button
        variant="subtle"
        color="gray"
        size="xs"
        disabled={isAsking}
        aria-label={words.autostart.offOf(safeText(vm.name))}
        onClick={() => void decide(host, vm.uuid, false)}
      >
        {words.autostart.off}
      </Button>
    </Row>
  )
}

const BROKEN_SHOWN = 20

function BrokenRow({ item: { points } }: { readonly item: Of<'broken'> }) {
  const lines = points
    .slice(0, BROKEN_SHOWN)
    .map(({ where, path, reason }) => words.brokenAt(safeText(where), safeText(path), safeText(reason)))
  const more = points.length > BROKEN_SHOWN ? ['…'] : []
  return (
    <Row
      tone="attention"
      label={words.brokenMark}
      name={words.broken(points.length)}
      text={[...lines, ...more].join('\n')}
    />
  )
}
