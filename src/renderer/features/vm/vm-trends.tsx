import { formatPause } from '../../../shared/format.ts'
import { isOfVm } from '../../../shared/told-by.ts'
import { useMemo } from 'react'
import { useWindow } from '../../state/store-context.ts'
import { Panel } from '../../ui/panel.tsx'
import { DowntimeChart } from './downtime-chart.tsx'
import { SizeChart } from './size-chart.tsx'
import { downtimeRows, pointsOfTrend, sizeRows } from './trend-view.ts'
import type { VmKnown } from './vm-view.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

/** How pauses, times to running and sizes went over time. */
export function VmTrends({ known }: { readonly known: VmKnown }) {
  const { uuid, hostName, vm } = known
  const points = useMemo(() => pointsOfTrend(known), [known])
  const jobs = useWindow((state) => state.jobs)
  const budgetMs = useWindow((state) => state.choices?.defaultBudgetMs)
  const ramBytes = vm?.ramBytes
  const downtimes = useMemo(() => {
    const ofVm = (jobs ?? []).filter((job) => isOfVm(job, hostName, uuid))
    return downtimeRows(points, ofVm, ramBytes)
  }, [points, jobs, hostName, uuid, ramBytes])
  const sizes = useMemo(() => sizeRows(points), [points])
  return (
    <div className={classes['trends']}>
      <Panel title={words.trend.downtime}>
        {downtimes.length === 0 ? (
          <span className={classes['soft']}>{words.trend.tooFew}</span>
        ) : (
          <DowntimeChart
            rows={downtimes}
            budget={
              budgetMs === undefined ? undefined : { ms: budgetMs, label: words.trend.budget(formatPause(budgetMs)) }
            }
          />
        )}
      </Panel>
      <Panel title={words.trend.size}>
        {sizes.length < 2 ? <span className={classes['soft']}>{words.trend.tooFew}</span> : <SizeChart rows={sizes} />}
      </Panel>
    </div>
  )
}
