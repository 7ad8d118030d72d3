import type { StateAndReason } from '../../libvirt/domains.ts'

export const isOff = ({ state }: StateAndReason): boolean => state === 'shut off' || state === 'crashed'

/** QEMU stops a guest whose write failed, and tries that again when the guest goes on. */
const HALTED = 'I/O error'
export const isHalted = (now: StateAndReason | undefined): boolean => now?.state === 'paused' && now.reason === HALTED

/** Reasons of libvirt for a pause that nobody wanted: a full disk, or an end of QEMU's in the middle of our own work. */
const NOBODYS_WILL = [HALTED, 'creating snapshot', 'unknown', 'crashed']
/** And for one that ends by itself. */
const OF_A_MOMENT = ['saving', 'dumping', 'migrating', 'starting up', 'shutting down']

export const isNobodysWill = ({ reason }: StateAndReason): boolean => NOBODYS_WILL.includes(reason)

export const isOfAMoment = ({ state, reason }: StateAndReason): boolean =>
  state === 'paused' && OF_A_MOMENT.includes(reason)

/** Pauses behind which a guest can go on. One of which nothing tells may need a reset first: it would lose its RAM. */
const ENDS_WELL = [HALTED, 'creating snapshot']

/**
 * How a VM is to stand with the RAM that it has, while libvirt has no job on it: a pause that nobody wanted is to end. RAM that was
 * loaded and left paused is `migrating` for libvirt.
 */
export const stateToKeep = ({ state, reason }: StateAndReason): string =>
  state === 'paused' && ENDS_WELL.includes(reason) ? 'running' : state

/** How it is to stand where it has to be started anew. */
export const stateToStart = (now: StateAndReason): string =>
  now.state === 'paused' && isNobodysWill(now) ? 'running' : now.state

/** Running, or paused, as its owner has it. Undefined: it does neither, or its pause says nothing of its owner. */
export function ownersState(now: StateAndReason | undefined): 'running' | 'paused' | undefined {
  if (now?.state === 'running' || now?.state === 'idle') return 'running'
  if (now?.state !== 'paused') return undefined
  return isNobodysWill(now) || OF_A_MOMENT.includes(now.reason) ? undefined : 'paused'
}
