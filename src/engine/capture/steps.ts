import type { Method } from '../../shared/model/point.ts'

/** Steps of each method in their order, as journal, fault points and tests name them. */
export const STEPS = {
  live: ['begin-point', 'snapshot', 'copy', 'fold-back', 'collect', 'commit', 'state'],
  disk: ['begin-point', 'freeze', 'snapshot', 'thaw', 'copy', 'fold-back', 'collect', 'commit', 'state'],
  classic: ['begin-point', 'mirror', 'suspend', 'end-mirror', 'save', 'restore', 'copy', 'collect', 'commit', 'state'],
  offline: ['begin-point', 'copy', 'collect', 'commit']
} as const satisfies Record<Method, readonly string[]>
