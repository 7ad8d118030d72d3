import * as z from 'zod'
import { ADDRESS, USER_NAME } from '../../../shared/login-rules.ts'
import { HostName } from '../../../shared/model/ids.ts'

export const Address = z.string().regex(ADDRESS).max(255)
export const UserName = z.string().regex(USER_NAME).max(64)
export const Port = z.number().int().min(1).max(65_535)

export const HostRecord = z.looseObject({
  name: HostName,
  address: Address,
  user: UserName.optional(),
  port: Port.optional(),
  identityFile: z.string().max(4096).optional(),
  addedAt: z.iso.datetime(),
  /** Changes when a host is rebuilt. */
  machineId: z.string().max(64).optional(),
  /** What was chosen at restores to this host, where it was not as a VM asked. */
  restoreChoices: z.array(z.unknown()).max(500).optional()
})
export type HostRecord = z.infer<typeof HostRecord>

const Directory = z.string().startsWith('/').max(4096)

/** A store that points have been put into, besides each host's own. */
export const Place = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('host'), host: HostName, dir: Directory }),
  z.object({ kind: z.literal('local'), dir: Directory })
])
export type Place = z.infer<typeof Place>

export const SETTINGS_VERSION = 1

export const MOST_HOSTS = 10_000
export const MOST_PLACES = 10_000

/** Keys that a newer Stillpoint or the window added are carried along. */
export const Settings = z.looseObject({
  version: z.literal(SETTINGS_VERSION),
  hosts: z.array(HostRecord).max(MOST_HOSTS),
  places: z.array(Place).max(MOST_PLACES),
  /** What the operator chose in the window; what is missing is as it is by default. */
  choices: z.record(z.string(), z.unknown()).optional()
})
export type Settings = z.infer<typeof Settings>

export const EMPTY_SETTINGS: Settings = { version: SETTINGS_VERSION, hosts: [], places: [] }

export const samePlace = (a: Place, b: Place): boolean =>
  a.dir === b.dir && (a.kind === 'host' ? b.kind === 'host' && a.host === b.host : b.kind === 'local')
