import { Button, Text } from '@mantine/core'
import { useState } from 'react'
import { wantsYou, type VmSafety } from '../../../shared/safety.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { BrokenPoint } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { Panel } from '../../ui/panel.tsx'
import { useNow } from '../../ui/use-now.ts'
import { AttentionRow } from './attention-row.tsx'
import { attentionOf, isCalm, type Attention } from './attention-view.ts'
import { vmKey, type Starting } from './overview-slice.ts'
import classes from './overview.module.css'
import { words } from './words.ts'

const FEW = 5
const NONE: readonly BrokenPoint[] = []

interface AttentionPanelProps {
  readonly hosts: readonly HostView[]
  readonly vms: readonly VmSafety[]
}

/** What somebody has to do, worst first, each with what mends it; below it what has been acknowledged. */
export function AttentionPanel({ hosts, vms }: AttentionPanelProps) {
  const broken = useWindow((state) => state.points?.broken ?? NONE)
  const starting = useWindow((state) => state.starting)
  const save = useWindow((state) => state.saves.acknowledged)
  const items = attentionOf({ hosts, vms, broken, starting, now: useNow() })
  const wanting = items.filter((item) => !isCalm(item))
  return (
    <>
      {wanting.length > 0 && (
        <Panel title={words.needsYou} actions={<AcknowledgeAll vms={vms.filter(wantsYou)} />}>
          <Rows items={wanting} />
          {wanting.some(({ kind }) => kind === 'vm') && (
            <Text size="sm" c="dimmed">
              {words.acknowledgeMeans}
            </Text>
          )}
        </Panel>
      )}
      {save?.state === 'failed' && <FailureNotice failure={failureShown(save.failure)} />}
      {wanting.length < items.length && (
        <Panel title={words.acknowledged}>
          <Text size="sm" c="dimmed">
            {words.acknowledgedText}
          </Text>
          <Rows items={items.filter(isCalm)} />
        </Panel>
      )}
    </>
  )
}

const isAskingOf = (item: Attention, starting: ReadonlyMap<string, Starting>): boolean =>
  (item.kind === 'vm' || item.kind === 'refused') && starting.get(vmKey(item.vm.host, item.vm.uuid)) === 'asking'

function Rows({ items }: { readonly items: readonly Attention[] }) {
  const [isAll, setAll] = useState(false)
  const starting = useWindow((state) => state.starting)
  const isLong = items.length > FEW + 1
  return (
    <>
      <ul className={classes['attention']}>
        {(isLong && !isAll ? items.slice(0, FEW) : items).map((item) => (
          <AttentionRow key={item.key} item={item} isAsking={isAskingOf(item, starting)} />
        ))}
      </ul>
      {isLong && (
        <div>
          <Button variant="default" size="xs" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? words.showFew : words.showAll(items.length)}
          </Button>
        </div>
      )}
    </>
  )
}

/** For a morning after which all is known; for one alone its row has a button. */
function AcknowledgeAll({ vms }: { readonly vms: readonly VmSafety[] }) {
  const acknowledge = useWindow((state) => state.acknowledgeVms)
  const isSaving = useWindow((state) => state.saves.acknowledged?.state === 'saving')
  if (vms.length < 2) return undefined
  return (
    <Button variant="default" size="xs" loading={isSaving} onClick={() => void acknowledge(vms)}>
      {words.acknowledgeAll}
    </Button>
  )
}
