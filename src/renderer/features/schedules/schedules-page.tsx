import { PageHeader } from '../../ui/page-header.tsx'
import { words } from '../../words.ts'

export function SchedulesPage() {
  return <PageHeader title={words.screens.schedules} />
}
