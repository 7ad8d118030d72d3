import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { ChannelsChange } from '../../../shared/model/channels.ts'
import { ask } from '../../state/ask.ts'
import type { Save } from './settings-slice.ts'

export type ChannelName = 'mail' | 'webhook'

/** A test message: on its way, taken by the other side (with what it said), or not. */
export type ChannelTest =
  | { readonly state: 'asking' }
  | { readonly state: 'sent'; readonly text: string; readonly at: string }
  | { readonly state: 'failed'; readonly failure: Failure }

/** One channel of one host. */
export interface ChannelOf {
  readonly channel: ChannelName
  readonly host: string
}

export const channelKey = ({ host, channel }: ChannelOf): string => `${channel} ${host}`

export interface ChannelsSlice {
  /** What is being set up, and whose settings it begins with. */
  readonly channelForm: { readonly channel: ChannelName; readonly host: string | undefined } | undefined
  readonly openChannelForm: (channel: ChannelName, host?: string) => void
  readonly closeChannelForm: () => void
  /** By `channelKey`: how its last change went. */
  readonly channelSaves: ReadonlyMap<string, Save>
  /** On each of these hosts at once. True: all of them have it. */
  readonly saveChannel: (hosts: readonly string[], change: ChannelsChange) => Promise<boolean>
  readonly removeChannel: (of: ChannelOf) => Promise<boolean>
  /** By `channelKey`. A change drops what was said of the settings before. */
  readonly channelTests: ReadonlyMap<string, ChannelTest>
  readonly testChannel: (of: ChannelOf) => Promise<void>
}

/** Errands of mail and webhook. */
export const channelsSlice =
  (core: Bridge): StateCreator<ChannelsSlice> =>
  (set, get) => {
    const saveIs = (key: string, save: Save | undefined): void =>
      set({ channelSaves: withEntry(get().channelSaves, key, save) })
    const testIs = (key: string, test: ChannelTest | undefined): void =>
      set({ channelTests: withEntry(get().channelTests, key, test) })
    const change = async (host: string, wanted: ChannelsChange): Promise<boolean> => {
      const key = channelKey({ host, channel: wanted.mail === undefined ? 'webhook' : 'mail' })
      saveIs(key, { state: 'saving' })
      testIs(key, undefined)
      const answer = await ask(() => core.policies.channels({ host, change: wanted }))
      saveIs(key, answer.ok ? { state: 'saved' } : { state: 'failed', failure: answer.failure })
      return answer.ok
    }
    return {
      channelForm: undefined,
      openChannelForm: (channel, host) => set({ channelForm: { channel, host }, channelSaves: new Map() }),
      closeChannelForm: () => set({ channelForm: undefined }),
      channelSaves: new Map(),
      saveChannel: async (hosts, wanted) =>
        (await Promise.all(hosts.map((host) => change(host, wanted)))).every((isSaved) => isSaved),
      removeChannel: async ({ host, channel }) => {
        const isGone = await change(host, { [channel]: null })
        if (isGone) saveIs(channelKey({ host, channel }), undefined)
        return isGone
      },
      channelTests: new Map(),
      testChannel: async (of) => {
        testIs(channelKey(of), { state: 'asking' })
        const answer = await ask(() => core.policies.test({ host: of.host, channel: of.channel }))
        const sent = { state: 'sent', at: new Date().toISOString() } as const
        testIs(
          channelKey(of),
          answer.ok ? { ...sent, text: answer.value.text } : { state: 'failed', failure: answer.failure }
        )
      }
    }
  }

function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T | undefined): ReadonlyMap<string, T> {
  const others = [...map].filter(([each]) => each !== key)
  return new Map(value === undefined ? others : [...others, [key, value]])
}
