import { Button } from '@mantine/core'
import { useState } from 'react'
import type { VmSafety } from '../../../shared/safety.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { BrokenPoint } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { Panel } from '../../ui/panel.tsx'
import { useNow } from '../../ui/use-now.ts'
import { AttentionRow } from './attention-row.tsx'
import { attentionOf } from './attention-view.ts'
import classes from './overview.module.css'
import { words } from './words.ts'

const FEW = 5
const NONE: readonly BrokenPoint[] = []

interface AttentionPanelProps {
  readonly hosts: readonly HostView[]
  readonly vms: readonly VmSafety[]
}

/** What somebody has to do, worst first, each with what mends it. */
export function AttentionPanel({ hosts, vms }: AttentionPanelProps) {
  const [isAll, setAll] = useState(false)
  const broken = useWindow((state) => state.points?.broken ?? NONE)
  const starting = useWindow((state) => state.starting)
  const expectHours = useWindow((state) => state.choices?.expectEveryHours)
  const items = attentionOf({ hosts, vms, broken, starting, expectHours, now: useNow() })
  if (items.length === 0) return undefined
  const isLong = items.length > FEW + 1
  return (
    <Panel title={words.needsYou}>
      <ul className={classes['attention']}>
        {(isLong && !isAll ? items.slice(0, FEW) : items).map((item) => (
          <AttentionRow key={item.key} item={item} isAsking={'vm' in item && starting.get(item.vm.uuid) === 'asking'} />
        ))}
      </ul>
      {isLong && (
        <div>
          <Button variant="default" size="xs" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? words.showFew : words.showAll(items.length)}
          </Button>
        </div>
      )}
    </Panel>
  )
}
