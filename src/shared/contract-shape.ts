import type * as z from 'zod'
import type { Result } from './result.ts'

/** A question that the window asks and the core answers. */
export interface Call<Q extends z.ZodType = z.ZodType, A extends z.ZodType = z.ZodType> {
  readonly kind: 'call'
  readonly question: Q
  /** Applied to every answer on its way out: keys that are not named here stay in the core. */
  readonly answer: A
}

/** Something the core says by itself, always in full: whoever hears only the latest is right. */
export interface Push<V extends z.ZodType = z.ZodType> {
  readonly kind: 'push'
  readonly value: V
  /** What is said in place of an entry of its list that does not fit. Without it such an entry is left out. */
  readonly instead?: (unfit: unknown) => unknown
}

export const call = <Q extends z.ZodType, A extends z.ZodType>(question: Q, answer: A): Call<Q, A> => ({
  kind: 'call',
  question,
  answer
})
export const push = <V extends z.ZodType>(value: V): Push<V> => ({ kind: 'push', value })

type Channel = Call | Push
/** Channels by group and name; on the wire `group.name`. */
export type Contract = Readonly<Record<string, Readonly<Record<string, Channel>>>>

/** Ends what was begun: here, a subscription. */
export type Stop = () => void

/** What the core must supply: every call and every push of the contract, no more and no less. */
export type HandlersOf<C extends Contract> = {
  readonly [G in keyof C]: { readonly [N in keyof C[G]]: HandlerOf<C[G][N]> }
}
type HandlerOf<Ch> =
  Ch extends Call<infer Q, infer A>
    ? (question: z.output<Q>) => Promise<z.input<A>>
    : Ch extends Push<infer V>
      ? (listener: (value: z.input<V>) => void) => Stop
      : never

/** What the window holds: the same names, with a `Result` behind every question. */
export type BridgeOf<C extends Contract> = {
  readonly [G in keyof C]: { readonly [N in keyof C[G]]: BridgedOf<C[G][N]> }
}
type BridgedOf<Ch> =
  Ch extends Call<infer Q, infer A>
    ? (...question: ArgumentsFor<z.input<Q>>) => Promise<Result<z.output<A>>>
    : Ch extends Push<infer V>
      ? (listener: (value: z.output<V>) => void) => Stop
      : never
/** Nothing to say, no argument: `z.void()` and `z.undefined()`. */
type ArgumentsFor<Q> = [Q] extends [z.input<z.ZodVoid>] ? [] : [question: Q]

/** The bare names and kinds of a contract. The preload gets these at build time and so needs no zod. */
export type ChannelKinds = Readonly<Record<string, Readonly<Record<string, Channel['kind']>>>>

export const kindsOf = (contract: Contract): ChannelKinds =>
  mapValues(contract, (group) => mapValues(group, (channel) => channel.kind))

/** Every channel with its name on the wire. */
export const channelsOf = (contract: Contract): readonly (readonly [name: string, channel: Channel])[] =>
  Object.entries(contract).flatMap(([group, channels]) =>
    Object.entries(channels).map(([name, channel]) => [wireName(group, name), channel] as const)
  )

export const wireName = (group: string, name: string): string => `${group}.${name}`

export const mapValues = <V, W>(
  record: Readonly<Record<string, V>>,
  to: (value: V, key: string) => W
): Record<string, W> => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value, key)]))

/** The one channel beside the contract's: asks for the last value of a push, `{ json }` or nothing. */
export const LATEST = 'door.latest'
