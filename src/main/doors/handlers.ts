import type { Handlers, HostCard } from '../../shared/contract.ts'
import type { Stop } from '../../shared/contract-shape.ts'

/** The hosts that the operator has added, wherever they are written down. */
export interface HostsSource {
  list(): Promise<readonly HostCard[]>
  onChanged(listener: () => void): Stop
}

/** The core behind the contract. `lost` hears of pushes that could not be made. */
export function handlersOver(core: { readonly hosts: HostsSource }, lost: (error: unknown) => void): Handlers {
  const { hosts } = core
  return {
    hosts: {
      list: () => hosts.list(),
      changed: (listener) => hosts.onChanged(() => void hosts.list().then(listener).catch(lost))
    }
  }
}
