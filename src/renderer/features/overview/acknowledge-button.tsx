import { Button } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import { wantsYou, type VmSafety } from '../../../shared/safety.ts'
import { useWindow } from '../../state/store-context.ts'
import { words } from './words.ts'

/** Says that one knows, or takes that back; nothing where there is nothing to know. */
export function AcknowledgeButton({ vm }: { readonly vm: VmSafety }) {
  const acknowledge = useWindow((state) => state.acknowledgeVms)
  const takeBack = useWindow((state) => state.unacknowledgeVm)
  const plain = { variant: 'default', size: 'xs', title: words.acknowledgeMeans } as const
  const name = safeText(vm.name)
  if (wantsYou(vm))
    return (
      <Button {...plain} aria-label={words.acknowledgeOf(name)} onClick={() => void acknowledge([vm])}>
        {words.acknowledge}
      </Button>
    )
  if (!vm.isAcknowledged) return undefined
  return (
    <Button {...plain} aria-label={words.unacknowledgeOf(name)} onClick={() => void takeBack(vm)}>
      {words.unacknowledge}
    </Button>
  )
}
