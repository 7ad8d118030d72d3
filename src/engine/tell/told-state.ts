import { dirname } from 'node:path'
import * as z from 'zod'
import { makeDirs, writeDurably } from '../../store/durable.ts'
import { parsed, readIfThere, type TellFiles } from './channels-file.ts'

/** What was told when, `told.json`: written behind the outbox and before anything is sent, so nothing is told twice. */
const ToldState = z.object({
  version: z.literal(1),
  /** Until when the runs of a policy are in a digest, by its id. */
  digests: z.record(z.string(), z.iso.datetime()),
  /** When a VM's silence was told last, by its UUID. */
  silent: z.record(z.string(), z.iso.datetime()),
  silenceCheckedAt: z.iso.datetime().optional()
})
export type ToldState = z.infer<typeof ToldState>

/** Nothing yet, also where it cannot be read: then digests begin anew. */
export function readTold({ state }: TellFiles): ToldState {
  const told = ToldState.safeParse(parsed(readIfThere(state) ?? ''))
  return told.success ? told.data : { version: 1, digests: {}, silent: {} }
}

export async function writeTold(told: ToldState, { state }: TellFiles): Promise<void> {
  await makeDirs(dirname(state))
  await writeDurably(state, Buffer.from(JSON.stringify(told)))
}
