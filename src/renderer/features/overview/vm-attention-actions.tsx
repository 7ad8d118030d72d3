import { Button, Text } from '@mantine/core'
import { pointName } from '../../../shared/point-name.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import { AcknowledgeButton } from './acknowledge-button.tsx'
import type { Attention } from './attention-view.ts'
import { words } from './words.ts'

interface VmAttentionActionsProps {
  readonly item: Extract<Attention, { readonly kind: 'vm' }>
  readonly isAsking: boolean
}

/** What mends it, and for what cannot be mended: to be left alone with a reason. */
export function VmAttentionActions({ item, isAsking }: VmAttentionActionsProps) {
  const openMute = useWindow((state) => state.openMute)
  const go = useWindow((state) => state.go)
  const { failing } = item.vm
  return (
    <>
      {failing !== undefined && (
        <Button variant="default" size="xs" onClick={() => go({ screen: 'job', job: failing.id })}>
          {words.openJob}
        </Button>
      )}
      <Remedy item={item} isAsking={isAsking} />
      <AcknowledgeButton vm={item.vm} />
      <Button
        variant="subtle"
        color="gray"
        size="xs"
        aria-label={`${words.mute} ${safeText(item.vm.name)}`}
        onClick={() => openMute(item.vm)}
      >
        {words.mute}
      </Button>
    </>
  )
}

function Remedy({ item: { vm, remedy }, isAsking }: VmAttentionActionsProps) {
  const backUp = useWindow((state) => state.backUpNow)
  const again = useWindow((state) => state.backUpAgain)
  const go = useWindow((state) => state.go)
  switch (remedy) {
    case 'running':
      return <StateMark tone="busy" label={words.runs} />
    case 'wait':
      return (
        <Text size="sm" c="dimmed">
          {words.waits(safeText(vm.host))}
        </Text>
      )
    case 'restore': {
      const point = vm.lastPoint && pointName(vm.lastPoint)
      return <Mend label={words.restore} onClick={() => go({ screen: 'restore', ...(point && { point }) })} />
    }
    case 'retry': {
      const job = vm.failing?.id ?? ''
      return <Mend label={words.retry} isAsking={isAsking} onClick={() => void again(vm.host, vm.uuid, job)} />
    }
    case 'back-up':
      return <Mend label={words.backUp} isAsking={isAsking} onClick={() => void backUp(vm.host, vm.uuid)} />
  }
}

interface MendProps {
  readonly label: string
  readonly isAsking?: boolean
  readonly onClick: () => void
}

const Mend = ({ label, isAsking = false, onClick }: MendProps) => (
  <Button variant="light" size="xs" loading={isAsking} onClick={onClick}>
    {label}
  </Button>
)
