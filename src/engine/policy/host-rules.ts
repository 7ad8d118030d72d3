import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { RULES_FILE } from '../../shared/host-paths.ts'
import { writeDurably } from '../../store/durable.ts'

const HostRules = z.object({ parallel: z.number().int().min(1).max(16) })

/** Jobs of policies at a time on this host: one, unless it was said otherwise. */
export function readParallel(): number {
  try {
    return HostRules.parse(JSON.parse(readFileSync(RULES_FILE, 'utf8'))).parallel
  } catch {
    return 1
  }
}

export const writeParallel = (parallel: number): Promise<void> =>
  writeDurably(RULES_FILE, Buffer.from(JSON.stringify({ parallel })))
