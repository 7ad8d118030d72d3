import type { HostView } from '../../../shared/views/host-view.ts'
import { ProgressStrip } from '../../ui/progress-strip.tsx'
import { words } from './words.ts'

/** The engine on its way to a host. */
export function PlacingStrip({ name, placing }: { readonly name: string; readonly placing: HostView['placing'] }) {
  const label = words.add.placing(name)
  if (placing === undefined) return <ProgressStrip label={label} />
  const phase = placing.what === 'runtime' ? words.add.placingRuntime : words.add.placingEngine
  return (
    <ProgressStrip label={label} progress={{ phase, doneBytes: placing.doneBytes, totalBytes: placing.totalBytes }} />
  )
}
