import { mapValues, wireName, type ChannelKinds, type Stop } from './contract-shape.ts'

/** A way to the core: Electron's IPC, a WebSocket, or a test. */
export interface Transport {
  ask(channel: string, question: readonly unknown[]): Promise<unknown>
  listen(channel: string, listener: (value: unknown) => void): Stop
}

/** The object that the window talks to: named functions only, frozen. The caller names the contract it stands for. */
export function bridgeOver(kinds: ChannelKinds, transport: Transport): object {
  return Object.freeze(mapValues(kinds, (group, name) => Object.freeze(mapValues(group, functionFor(name, transport)))))
}

const functionFor =
  (group: string, transport: Transport) =>
  (kind: 'call' | 'push', name: string): unknown => {
    const channel = wireName(group, name)
    if (kind === 'push') return (listener: (value: unknown) => void) => transport.listen(channel, listener)
    return (...question: unknown[]) => transport.ask(channel, question)
  }
