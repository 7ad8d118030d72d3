const PHASES: Readonly<Record<string, string>> = {
  'begin-point': 'point begun',
  snapshot: 'RAM and disks captured',
  freeze: 'file systems frozen',
  thaw: 'file systems thawed',
  mirror: 'disks mirrored',
  suspend: 'VM stopped',
  'end-mirror': 'mirrors ended',
  save: 'RAM saved',
  restore: 'VM started again',
  copy: 'disks copied',
  'fold-back': 'changes folded back',
  collect: 'definition kept',
  commit: 'point completed',
  state: 'VM looked at',
  prepare: 'restore planned',
  verify: 'point checked',
  stage: 'disks written',
  displace: 'old VM kept aside',
  place: 'disks put in place',
  define: 'VM defined',
  start: 'VM started',
  settle: 'guest settled',
  memory: 'captured RAM',
  switch: 'changed disks over'
}

/** A phase of a job as something that was done; one that has no words is shown as the engine calls it. */
export const phaseWords = (phase: string): string => PHASES[phase] ?? phase
