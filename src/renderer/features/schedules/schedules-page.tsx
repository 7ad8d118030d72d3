import { useWindow } from '../../state/store-context.ts'
import { EditorPage } from './editor-page.tsx'
import { PolicyPage } from './policy-page.tsx'
import { ScheduleDialogs } from './schedule-dialogs.tsx'
import { ScheduleList } from './schedule-list.tsx'

/** All schedules, one of them, or its form. */
export function SchedulesPage() {
  return (
    <>
      <Shown />
      <ScheduleDialogs />
    </>
  )
}

function Shown() {
  const route = useWindow((state) => state.route)
  if (route.screen !== 'schedules') return undefined
  const { host, policy, edit, run } = route
  if (edit !== undefined) return <EditorPage edit={edit} host={host} policy={policy} />
  if (host !== undefined && policy !== undefined) return <PolicyPage host={host} id={policy} run={run} />
  return <ScheduleList />
}
