import type { BackupSpec } from '../../src/shared/model/job.ts'

/** An order for a backup of a VM that is on no host. */
export const PAPER_SPEC: BackupSpec = {
  kind: 'backup',
  vm: '11111111-1111-4111-8111-111111111111',
  vmName: 'web',
  hostName: 'kvm-1',
  store: '/var/lib/stillpoint/points',
  budgetMs: 300,
  onBusy: 'pause'
}
