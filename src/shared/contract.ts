import * as z from 'zod'
import { call, push, type BridgeOf, type HandlersOf } from './contract-shape.ts'

/** A host as the window lists it: what the operator said about it, nothing that would need a connection. */
export const HostCard = z.object({
  name: z.string(),
  address: z.string(),
  /** Undefined: whatever `~/.ssh/config` says, and the same for the port. */
  user: z.string().optional(),
  port: z.number().int().optional(),
  addedAt: z.string()
})
export type HostCard = z.infer<typeof HostCard>

const HostCards = z.array(HostCard).readonly()

/** Everything that crosses between a window and the core. Handlers, bridge and test doubles derive from this value. */
export const contract = {
  hosts: {
    list: call(z.void(), HostCards),
    changed: push(HostCards)
  }
} as const

export type Handlers = HandlersOf<typeof contract>
export type Bridge = BridgeOf<typeof contract>
