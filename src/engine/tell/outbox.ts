import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import * as z from 'zod'
import type { OutboxItem } from '../../shared/model/channels.ts'
import { makeDirs, syncDir, writeDurably } from '../../store/durable.ts'
import { parsed, readIfThere, TELL_FILES, type TellFiles } from './channels-file.ts'
import { cleaned, Message } from './message.ts'

type Channel = OutboxItem['channel']

/** A message on its way, `outbox/<id>.json`: there before it is sent the first time, gone when somebody took it. */
export const Waiting = z.object({
  version: z.literal(1),
  channel: z.enum(['mail', 'webhook']),
  message: Message,
  /** Recipients other than the channel's own. */
  to: z.array(z.string()),
  tries: z.number().int().nonnegative(),
  lastError: z.string(),
  nextTryAt: z.iso.datetime().optional(),
  givenUpAt: z.iso.datetime().optional()
})
export type Waiting = z.infer<typeof Waiting>

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const BACK_OFF_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS]
const LONGEST_MS = 12 * HOUR_MS
const GIVE_UP_MS = 3 * DAY_MS
const LISTED_MS = 7 * DAY_MS
/** Room for days of failing runs; then the oldest go. */
const MOST_ITEMS = 500

export const itemId = ({ message, channel }: Pick<Waiting, 'message' | 'channel'>): string => `${message.id}-${channel}`
const pathOf = (id: string, { outbox }: TellFiles): string => `${outbox}/${id}.json`

/** All that waits or was given up, oldest first. What cannot be read is passed over. */
export function readOutbox(files: TellFiles = TELL_FILES): Waiting[] {
  return fileNames(files)
    .flatMap((name) => {
      const item = Waiting.safeParse(parsed(readIfThere(`${files.outbox}/${name}`) ?? ''))
      return item.success ? [item.data] : []
    })
    .sort((a, b) => a.message.at.localeCompare(b.message.at))
}

export const isOutboxEmpty = (files: TellFiles = TELL_FILES): boolean => fileNames(files).length === 0

function fileNames({ outbox }: TellFiles): string[] {
  try {
    return readdirSync(outbox).filter((name) => name.endsWith('.json'))
  } catch {
    return []
  }
}

/** For the operator. */
export const listOutbox = (files: TellFiles = TELL_FILES): OutboxItem[] =>
  readOutbox(files).map(({ channel, message, tries, lastError, nextTryAt }) => ({
    id: itemId({ message, channel }),
    channel,
    subject: cleaned(message).subject,
    at: message.at,
    tries,
    lastError,
    ...(nextTryAt !== undefined && { nextTryAt })
  }))

/** Durably, replacing what it was before. */
export async function keep(item: Waiting, files: TellFiles = TELL_FILES): Promise<void> {
  await makeDirs(files.outbox)
  await writeDurably(pathOf(itemId(item), files), Buffer.from(JSON.stringify(item)))
}

export async function drop(item: Pick<Waiting, 'message' | 'channel'>, files: TellFiles = TELL_FILES): Promise<void> {
  await rm(pathOf(itemId(item), files), { force: true })
  await syncDir(files.outbox)
}

/** The item after a try that failed at `now`: with its next try, or given up. */
export function afterFailure(item: Waiting, lastError: string, now: Date): Waiting {
  const { nextTryAt: _, ...rest } = item
  const tries = item.tries + 1
  const wait = BACK_OFF_MS[tries - 1] ?? LONGEST_MS
  const age = now.getTime() - Date.parse(item.message.at)
  return age > GIVE_UP_MS
    ? { ...rest, tries, lastError, givenUpAt: now.toISOString() }
    : { ...rest, tries, lastError, nextTryAt: new Date(now.getTime() + wait).toISOString() }
}

/** A time further off than any back-off was written by a clock that was wrong. */
export function isDue({ nextTryAt }: Waiting, now: Date): boolean {
  if (nextTryAt === undefined) return false
  const wait = Date.parse(nextTryAt) - now.getTime()
  return wait <= 0 || wait > LONGEST_MS
}

/** Takes out what was given up a week ago, and the oldest where there are too many. */
export async function sweepOutbox(now: Date, files: TellFiles = TELL_FILES): Promise<void> {
  const items = readOutbox(files)
  const surplus = items.slice(0, Math.max(0, items.length - MOST_ITEMS))
  const old = items.filter(
    ({ givenUpAt }) => givenUpAt !== undefined && now.getTime() - Date.parse(givenUpAt) > LISTED_MS
  )
  for (const item of new Set([...surplus, ...old])) await drop(item, files)
}

/** New settings: all of that channel is due at once, also what was given up. */
export async function wakeOutbox(channel: Channel, files: TellFiles = TELL_FILES): Promise<void> {
  const now = new Date().toISOString()
  for (const { givenUpAt: _, ...item } of of(channel, files)) await keep({ ...item, nextTryAt: now }, files)
}

export async function dropOutbox(channel: Channel, files: TellFiles = TELL_FILES): Promise<void> {
  for (const item of of(channel, files)) await drop(item, files)
}

const of = (channel: Channel, files: TellFiles): Waiting[] =>
  readOutbox(files).filter((item) => item.channel === channel)
