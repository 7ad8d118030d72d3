import type { OverlayCase } from '../../src/engine/capture/commit-overlay.ts'

type Given = Pick<OverlayCase, 'shell' | 'owner' | 'disk'>

/** An overlay whose job has noted nothing yet, and writes nothing down: what a test does not say is as right behind a snapshot. */
export const paperOverlayCase = (given: Given, more: Partial<OverlayCase> = {}): OverlayCase => ({
  before: {},
  sameBoot: true,
  started: undefined,
  held: undefined,
  placed: { isUnfinished: false, files: [] },
  commitBegan: () => 'at rest',
  write: (_how, work) => work(),
  pivoted: () => undefined,
  pivot: (_noted, work) => work(),
  stay: () => Promise.resolve(),
  dropped: false,
  drop: () => Promise.resolve(),
  ...given,
  ...more
})
