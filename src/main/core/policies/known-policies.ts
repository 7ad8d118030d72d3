import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { PolicyListing } from '../../../shared/views/policy-view.ts'
import { readSmallFile, replaceFile } from '../settings/small-file.ts'

const LARGEST_BYTES = 32 << 20

const KnownPolicies = z.object({ asOf: z.iso.datetime(), listing: PolicyListing })
export type KnownPolicies = z.infer<typeof KnownPolicies>

/** What a host last said of its policies: what they promise counts also while it does not answer. */
export function knownPolicies(folder: string, host: string): KnownPolicies | undefined {
  try {
    return KnownPolicies.parse(JSON.parse(readSmallFile(fileFor(folder, host), LARGEST_BYTES) ?? ''))
  } catch {
    return undefined
  }
}

/** Best effort: settings that cannot be written must not keep policies from being shown. */
export function rememberPolicies(folder: string, host: string, known: KnownPolicies): void {
  const file = fileFor(folder, host)
  try {
    replaceFile(file, JSON.stringify(known))
  } catch {
    // asked for again the next time
  }
}

export function forgetPolicies(folder: string, host: string): void {
  rmSync(fileFor(folder, host), { force: true, recursive: true })
}

const fileFor = (folder: string, host: string): string => join(folder, 'policies', `${host}.json`)
