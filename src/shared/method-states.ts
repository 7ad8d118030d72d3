import type { DomainState } from './model/host.ts'
import type { Method } from './model/point.ts'

/**
 * States of a VM in which each method can be used. QEMU leaves the images of a paused VM closed behind a live capture, so
 * that overlays could not be folded back. Of one that sleeps (pmsuspended) libvirt takes no snapshot.
 */
export const STATES_FOR: Readonly<Record<Method, readonly DomainState[]>> = {
  live: ['running', 'idle'],
  classic: ['running', 'idle', 'paused'],
  disk: ['running', 'idle', 'paused', 'crashed'],
  offline: ['shut off']
}

export const allowsMethod = (state: string, method: Method): boolean =>
  (STATES_FOR[method] as readonly string[]).includes(state)
