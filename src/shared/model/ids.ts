import * as z from 'zod'
import { HOST_NAME } from '../login-rules.ts'

export const Uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
export type Uuid = z.infer<typeof Uuid>

/** Sorts by time: `20261122T201744Z-7f3a21`. Points and jobs are named alike. */
export const TimeSortedId = z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{6}$/)
export const PointId = TimeSortedId
export type PointId = z.infer<typeof PointId>
export const JobId = TimeSortedId
export type JobId = z.infer<typeof JobId>

/** The policy that wanted a backup, as it was called then. */
export const PolicyName = z.object({ id: z.string().regex(/^[0-9a-f]{12}$/), name: z.string().min(1).max(100) })
export type PolicyName = z.infer<typeof PolicyName>

/** Sha-256 in lower-case hex. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** A name that the operator gives to a host. */
export const HostName = z.string().regex(HOST_NAME)

/** New id for a point or a job at this instant. */
export function newTimeSortedId(now: Date, random: (bytes: number) => Uint8Array): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return `${stamp}-${Array.from(random(3), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** When a point, job or run of this id began, to the second. */
export const timeOfId = (id: string): string =>
  id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*/, '$1-$2-$3T$4:$5:$6Z')
