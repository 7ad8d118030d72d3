import { IconCopy, IconDatabaseExport, IconRestore, IconShieldCheck, type Icon } from '@tabler/icons-react'
import type { JobViewKind } from '../../../shared/views/job-view.ts'

const ICONS: Readonly<Record<JobViewKind, Icon>> = {
  backup: IconDatabaseExport,
  restore: IconRestore,
  verify: IconShieldCheck,
  copy: IconCopy
}

/** Always beside the word. */
export function JobKindIcon({ kind }: { readonly kind: JobViewKind }) {
  const Symbol = ICONS[kind]
  return <Symbol size={18} stroke={1.6} aria-hidden />
}
